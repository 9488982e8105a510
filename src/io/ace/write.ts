import { invalid } from "../../error.ts";
import type { Model } from "../../potentials/potential.ts";
import { expansionOf, type Expansion, type ExpandedElement } from "../../potentials/expansion.ts";
import { symbolOf } from "../../structure/elements.ts";
import type { AceBond, AceFile, AceFunction } from "./file.ts";
import { formatYace } from "./yace.ts";

/** The text of a .yace file that pacemaker and LAMMPS's pair_style pace read; a model they cannot express is an error. */
export const writeYace = (model: Model): string => formatYace(fileOf(expansionOf(model)));

function fileOf(expansion: Expansion): AceFile {
  const { elements, parts, bonds, type } = expansion;
  return {
    elements: elements.map(symbolOf),
    E0: parts.map(({ energy }) => energy),
    embeddings: parts.map(({ functions, coreCutoff, coreWidth }) => ({
      type,
      parameters: functions,
      coreCutoff,
      coreWidth,
    })),
    bonds: bonds.map((row, i) => row.map((_, j) => bondOf(expansion, i, j))),
    functions: parts.map(functionsOf),
  };
}

/** Largest n of products of one factor, and largest n and l of longer ones, of neighbour s. */
function reachOf({ products }: ExpandedElement, s: number) {
  const most = { base: 1, n: 0, l: 0 };
  for (const { channels } of products)
    for (const channel of channels) {
      if (channel.s !== s) continue;
      most.base = Math.max(most.base, channel.n);
      if (channels.length === 1) continue;
      most.n = Math.max(most.n, channel.n);
      most.l = Math.max(most.l, channel.l);
    }
  return most;
}

function bondOf({ bonds, parts, elements }: Expansion, i: number, j: number): AceBond {
  const bond = bonds[i][j];
  const most = reachOf(parts[i], j);
  const identity = Array.from({ length: most.n }, (_, n) =>
    Array.from({ length: most.l + 1 }, () => Array.from({ length: most.base }, (_, k) => (k === n ? 1 : 0))),
  );
  const coefficients = bond.coefficients ?? identity;
  const place = `core of ${symbolOf(elements[i])}`;
  const strength = bond.core ? bond.core.strength * parts[i].core : 0;
  if (strength < 0) throw invalid(place, "a repulsion", `${strength} eV Å, an attraction`);
  return {
    nradmax: coefficients.length,
    lmax: (coefficients[0]?.length ?? 1) - 1,
    base: coefficients[0]?.[0]?.length ?? most.base,
    radial: bond.radial,
    lambda: bond.lambda,
    coefficients,
    prehc: strength,
    lambdahc: bond.core?.exponent ?? 1,
    cutoff: bond.cutoff,
    dcut: bond.smoothing,
    // Without an inner cutoff the repulsion acts at all distances: type density.
    innerCutoff: bond.inner?.radius ?? 0,
    innerWidth: bond.inner?.width ?? 0.01,
    innerType: bonds.flat().some(({ inner }) => inner) ? "distance" : "density",
  };
}

/** One function per product: coefficients of all its invariants together. */
function functionsOf({ products, weights }: ExpandedElement): AceFunction[] {
  let first = 0;
  return products.map(({ channels, invariants }): AceFunction => {
    const sums = new Map<string, { readonly m: readonly number[]; readonly c: number[] }>();
    for (const [k, { terms }] of invariants.entries())
      for (const { m, c } of terms) {
        const key = m.join();
        const found = sums.get(key) ?? { m, c: weights.map(() => 0) };
        for (const [p, w] of weights.entries()) found.c[p] += c * w[first + k];
        sums.set(key, found);
      }
    first += invariants.length;
    const all = [...sums.values()];
    return {
      mus: channels.map(({ s }) => s),
      ns: channels.map(({ n }) => n),
      ls: channels.map(({ l }) => l),
      ms: all.map(({ m }) => m),
      c: all.map(({ c }) => c),
      place: "",
    };
  });
}
