import { invalid } from "../../error.ts";
import { coordinates, type Factors, type Monomial } from "../../math/invariants.ts";
import type { Model, Term } from "../../potentials/potential.ts";
import { numberOf } from "../../structure/elements.ts";
import type { AceBond, AceFile, AceFunction } from "./file.ts";
import { parseAce } from "./text.ts";
import { parseYace } from "./yace.ts";

/** The model in a file of pacemaker: YAML (.yace), or the older text (.ace). */
export function readAce(text: string, file: string): Model {
  const older = /^\s*(#.*\n\s*)*nelements\s*=/.test(text);
  return modelOf(older ? parseAce(text, file) : parseYace(text, file), file);
}

const EMBEDDINGS = ["FinnisSinclair", "FinnisSinclairShiftedScaled"];
const RADIALS = ["ChebExpCos", "ChebPow", "ChebLinear", "SBessel"];

function modelOf(file: AceFile, name: string): Model {
  check(file, name);
  // Elements of a model are in ascending order of their numbers.
  const order = [...file.elements.keys()].sort(
    (a, b) => numberOf(file.elements[a]) - numberOf(file.elements[b]),
  );
  const core = file.bonds.flat().some(hasCore);
  const lists = order.map((e) => new Blocks(file, e));
  const linear = !core && file.embeddings.every(isLinear);
  const descriptor = {
    name: "ace",
    cutoff: Math.max(...file.bonds.flat().map((b) => b.cutoff)),
    bonds: Object.fromEntries(
      file.bonds.flatMap((row, i) =>
        row.map((bond, j) => [`${file.elements[i]}-${file.elements[j]}`, bondOptions(bond)]),
      ),
    ),
    functions: Object.fromEntries(lists.map((list, e) => [file.elements[order[e]], list.blocks])),
  };
  const learned: Term = {
    type: "composed",
    options: { descriptor, regressor: linear ? { name: "linear" } : embeddingOptions(file, core) },
    tensors: Object.assign({}, ...lists.map((list, e) => tensorsOf(list, file, order[e], e, linear, core))),
  };
  const energies = Object.fromEntries(file.elements.map((symbol, e) => [symbol, file.E0[e]]));
  const known: Term = { type: "isolated-atoms", options: { energies }, tensors: {} };
  const any = file.E0.some((E) => E !== 0);
  return {
    elements: order.map((e) => numberOf(file.elements[e])),
    terms: any ? [known, learned] : [learned],
    provenance: { from: "ace" },
  };
}

function check(file: AceFile, name: string): void {
  for (const [e, { type, parameters }] of file.embeddings.entries()) {
    if (!EMBEDDINGS.includes(type))
      throw invalid(`${name} embeddings.${e}.npoti`, EMBEDDINGS.join(" or "), type);
    if (type !== file.embeddings[0].type || parameters.length !== file.embeddings[0].parameters.length)
      throw invalid(`${name} embeddings.${e}`, "the form and number of densities of the first element", type);
  }
  for (const [i, row] of file.bonds.entries())
    for (const [j, bond] of row.entries()) {
      const place = `${name} bonds.[${i}, ${j}]`;
      if (!RADIALS.includes(bond.radial))
        throw invalid(`${place}.radbasename`, RADIALS.join(", "), bond.radial);
      if (bond.innerType !== "density" && bond.innerType !== "distance")
        throw invalid(`${place}.inner_cutoff_type`, "density or distance", bond.innerType);
      if (bond.innerType === "density" && bond.innerCutoff > bond.innerWidth)
        throw invalid(`${place}.rcut_in`, "0 with inner_cutoff_type density", bond.innerCutoff);
    }
}

/** Where type distance has an inner cutoff at 0, the repulsion has no room. */
const hasCore = (b: AceBond): boolean => b.prehc !== 0 && (b.innerType === "density" || b.innerCutoff > 0);

const isLinear = ({ parameters }: AceFile["embeddings"][number]): boolean =>
  parameters.length === 2 && parameters[1] === 1;

function bondOptions(b: AceBond): Record<string, unknown> {
  const inner = b.innerType === "distance" && b.innerCutoff > 0;
  return {
    cutoff: b.cutoff,
    radial: b.radial,
    lambda: b.lambda,
    smoothing: b.dcut,
    ...(inner ? { inner: { radius: b.innerCutoff, width: b.innerWidth } } : {}),
    ...(hasCore(b) ? { core: { strength: Math.abs(b.prehc), exponent: Math.abs(b.lambdahc) } } : {}),
    coefficients: b.coefficients,
  };
}

function embeddingOptions({ embeddings }: AceFile, core: boolean): Record<string, unknown> {
  const [{ type, parameters, coreCutoff, coreWidth }] = embeddings;
  const densities = Array.from({ length: parameters.length / 2 }, (_, p) => ({
    weight: parameters[2 * p],
    exponent: parameters[2 * p + 1],
  }));
  return { name: "embedding", type, densities, core, ...(core ? { coreCutoff, coreWidth } : {}) };
}

/** Products of one element as the descriptor lists them, with the coefficients of their invariants. */
class Blocks {
  readonly blocks: { neighbours: string[]; n: number[]; l: number[] }[] = [];
  /** Of each density: one number per invariant, product after product. */
  readonly weights: number[][];
  readonly #starts: number[] = [];
  readonly #index = new Map<string, number>();

  constructor({ elements, functions, embeddings }: AceFile, e: number) {
    this.weights = Array.from({ length: embeddings[e].parameters.length / 2 }, () => []);
    for (const f of functions[e]) this.#add(f, elements);
  }

  #add(f: AceFunction, elements: readonly string[]): void {
    const order = [...f.ls.keys()].sort(
      (a, b) => f.ls[a] - f.ls[b] || f.ns[a] - f.ns[b] || f.mus[a] - f.mus[b],
    );
    const sorted = (list: readonly number[]) => order.map((k) => list[k]);
    const [mus, ns, ls] = [f.mus, f.ns, f.ls].map(sorted);
    const key = [mus, ns, ls].join(";");
    let c = 0;
    const classes = ls.map((l, k) =>
      k > 0 && l === ls[k - 1] && ns[k] === ns[k - 1] && mus[k] === mus[k - 1] ? c : k === 0 ? 0 : ++c,
    );
    const factors: Factors = { l: ls, classes };
    const found = this.weights.map((_, p) =>
      project(
        factors,
        f.ms.map((m, k) => ({ m: sorted(m), c: f.c[k][p] })),
        f.place,
      ),
    );
    let at = this.#index.get(key);
    if (at === undefined) {
      this.#index.set(key, (at = this.blocks.length));
      this.#starts.push(this.weights[0].length);
      this.blocks.push({ neighbours: mus.map((s) => elements[s]), n: ns, l: ls });
      for (const [p, values] of found.entries()) this.weights[p].push(...values.map(() => 0));
    }
    const start = this.#starts[at];
    for (const [p, values] of found.entries()) values.forEach((x, k) => (this.weights[p][start + k] += x));
  }
}

/** Coordinates over our invariants; a polynomial that is no invariant is an error. */
function project(factors: Factors, terms: readonly Monomial[], place: string): number[] {
  const { values, rest } = coordinates(factors, terms);
  const size = Math.sqrt(terms.reduce((sum, { c }) => sum + c * c, 0));
  if (values.length > 0 && rest <= 1e-8 * size) return values;
  throw invalid(`${place}.ctildes`, "coefficients that no rotation changes", `${rest} beside ${size}`);
}

function tensorsOf(
  { weights }: Blocks,
  { embeddings }: AceFile,
  source: number,
  e: number,
  linear: boolean,
  core: boolean,
): Record<string, Float64Array> {
  const { parameters, coreCutoff, coreWidth } = embeddings[source];
  if (linear)
    return { [`${e}.coefficients`]: Float64Array.of(0, ...weights[0].map((w) => parameters[0] * w)) };
  const D = weights.length;
  const K = weights[0].length;
  return {
    [`${e}.bias`]: Float64Array.of(0),
    [`${e}.weights`]: Float64Array.from({ length: K * D }, (_, k) => weights[k % D][Math.floor(k / D)]),
    [`${e}.scale`]: new Float64Array(K).fill(1),
    [`${e}.functions`]: Float64Array.from(parameters),
    ...(core ? { [`${e}.core`]: Float64Array.of(coreCutoff, coreWidth) } : {}),
  };
}
