import type { Device } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { symbolOf } from "../../structure/elements.ts";
import { pairKey, type PairStatistics } from "../../structure/statistics.ts";
import { densityDescriptor, type DensityBlock, type DensityCentre } from "../density/density.ts";
import { Monomials } from "../density/monomials.ts";
import type { Descriptor, DescriptorMethod } from "../descriptor.ts";
import { reach } from "../reach.ts";
import { productsOf, type Product } from "./basis.ts";
import { bondsOf, type Bond } from "./bonds.ts";
import { columnsOf, keyOf, type Columns, type Need } from "./columns.ts";
import { options, type AceOptions, type AceOrder } from "./options.ts";
import { radials } from "./radial.ts";

/** Atomic cluster expansion, Drautz 2019: DOI 10.1103/PhysRevB.99.014104. */
export const ace: DescriptorMethod<AceOptions> = {
  name: "ace",
  summary: "Invariant products of neighbour densities, to any body order (ACE, Drautz 2019)",
  options,
  resolve,
  build,
};

/**
 * On ethanol (rMD17, 600 frames to train on, ridge) angular momenta help more than radial functions: with equal degree,
 * three factors of n ≤ 2, l ≤ 6 leave 18 meV/Å, of n ≤ 6, l ≤ 5 more functions leave 21.
 */
const SIZES: Readonly<Record<"small" | "medium" | "large", readonly AceOrder[]>> = {
  small: [
    { n: 8, l: 0 },
    { n: 5, l: 4, degree: 6 },
    { n: 2, l: 4, degree: 4 },
  ],
  medium: [
    { n: 10, l: 0 },
    { n: 6, l: 5, degree: 8 },
    { n: 2, l: 5, degree: 6 },
    { n: 2, l: 2, degree: 2 },
  ],
  large: [
    { n: 14, l: 0 },
    { n: 8, l: 6, degree: 12 },
    { n: 3, l: 6, degree: 8 },
    { n: 2, l: 3, degree: 4 },
  ],
};

function resolve(given: AceOptions, statistics: PairStatistics): AceOptions {
  const { size = "medium", ...rest } = given;
  const cutoff = given.cutoff === "auto" ? Math.min(5, reach(statistics).radial) : given.cutoff;
  const orders = given.orders === "auto" ? [...SIZES[size]] : given.orders;
  const neighbours = given.functions ? undefined : (given.neighbours ?? occurring(statistics, cutoff));
  return { ...rest, cutoff, orders, ...(neighbours ? { neighbours } : {}) };
}

/** The elements that come within the cutoff of each, where the data tell; nothing where all do. */
function occurring(
  { elements, cutoff: seen, shortest }: PairStatistics,
  cutoff: number,
): AceOptions["neighbours"] {
  if (cutoff > seen) return undefined;
  const found = elements.map((a) => elements.filter((b) => shortest[pairKey(a, b)] < cutoff));
  if (found.every((list) => list.length === elements.length)) return undefined;
  return Object.fromEntries(elements.map((a, e) => [symbolOf(a), found[e].map(symbolOf)]));
}

function build(given: AceOptions, elements: readonly number[], device: Device): Descriptor {
  const bonds = bondsOf(given, elements);
  const core = bonds.flat().some((bond) => bond.core !== null && bond.core.strength > 0);
  const shared = new Map<string, Columns>();
  const centres = elements.map((_, e) => {
    const products = productsOf(given, elements, e);
    checkCoefficients(products, bonds[e], symbolOf(elements[e]), elements);
    return centreOf(products, bonds[e], core, elements, shared);
  });
  const smoothness = Math.min(...bonds.flat().map((b) => radials[b.radial].smoothness({ ...b, count: 0 })));
  return densityDescriptor({ elements, smoothness }, centres, device);
}

/** Radial coefficients, where a bond has them, must reach as far as the products. */
function checkCoefficients(
  products: readonly Product[],
  bonds: readonly Bond[],
  centre: string,
  elements: readonly number[],
): void {
  for (const { channels } of products)
    for (const { s, n, l } of channels) {
      const { coefficients } = bonds[s];
      const known =
        channels.length === 1
          ? n <= (coefficients?.[0]?.[0]?.length ?? n)
          : !coefficients || coefficients[n - 1]?.[l];
      const place = `ace.bonds.${centre}-${symbolOf(elements[s])}.coefficients`;
      if (!known) throw invalid(place, `an entry for n = ${n}, l = ${l}`, "none");
    }
}

function needOf(products: readonly Product[], s: number, core: boolean): Need {
  const single = new Set<number>();
  const shared = new Map<string, readonly [number, number]>();
  for (const { channels } of products)
    for (const channel of channels) {
      if (channel.s !== s) continue;
      if (channels.length === 1) single.add(channel.n);
      else shared.set(keyOf(channel.n, channel.l), [channel.n, channel.l]);
    }
  const sorted = [...shared.values()].sort(([a, b], [c, d]) => a - c || b - d);
  return { single: [...single].sort((a, b) => a - b), shared: sorted, core };
}

/** Nodes of the polynomial by neighbour: what its columns are as complex numbers. */
class Nodes {
  readonly list: [re: number, im: number][] = [];
  readonly #index = new Map<string, number>();

  /** Column of a real number. */
  real(column: number): number {
    return this.#node(column, -1);
  }

  #node(re: number, im: number): number {
    const key = `${re} ${im}`;
    const known = this.#index.get(key);
    if (known !== undefined) return known;
    this.#index.set(key, this.list.length);
    return this.list.push([re, im]) - 1;
  }

  /** A_lm of a density whose m = 0 stands in `column`, |m| = m. */
  harmonic(column: number, m: number): number {
    return m === 0 ? this.#node(column, -1) : this.#node(column + 2 * m - 1, column + 2 * m);
  }
}

function centreOf(
  products: readonly Product[],
  bonds: readonly Bond[],
  core: boolean,
  elements: readonly number[],
  known: Map<string, Columns>,
): DensityCentre {
  let first = 0;
  const columns: (Columns & { readonly first: number })[] = [];
  const blocks: DensityBlock[] = bonds.flatMap((bond, s) => {
    const need = needOf(products, s, core);
    const key = JSON.stringify([bond, need]);
    const made = known.get(key) ?? columnsOf(bond, need);
    known.set(key, made);
    columns.push({ ...made, first });
    const count = made.functions.functions.length;
    const block = { neighbour: s, functions: made.functions, parameters: [], first, cutoff: bond.cutoff };
    first += count;
    return count > 0 ? [block] : [];
  });
  const nodes = new Nodes();
  const terms = products.flatMap((product) => termsOf(product, columns, nodes));
  const cores = core ? columns.map((c) => nodes.real(c.first + c.core!)) : [];
  const monomials = new Monomials(
    nodes.list.map(([, im]) => im < 0),
    terms.length + (core ? 1 : 0),
  );
  for (const [f, list] of terms.entries()) for (const { c, factors } of list) monomials.add(f, c, factors);
  for (const node of cores) monomials.add(terms.length, 1, [node]);
  return {
    start: new Float64Array(first),
    blocks,
    nodes: nodes.list,
    polynomial: monomials.polynomial(),
    labels: [...products.flatMap((product) => labelsOf(product, elements)), ...(core ? ["core"] : [])],
  };
}

interface Term {
  readonly c: number;
  readonly factors: readonly number[];
}

/** Of each invariant of a product: coefficients and nodes, ~node where a complex conjugate enters. */
function termsOf(
  { channels, invariants }: Product,
  columns: readonly (Columns & { readonly first: number })[],
  nodes: Nodes,
): Term[][] {
  const starts = channels.map(({ s, n, l }) => {
    const own = columns[s];
    return own.first + (channels.length === 1 ? own.single.get(n)! : own.shared.get(keyOf(n, l))!);
  });
  return invariants.map(({ terms }) =>
    terms.map(({ m, c }) => {
      // A_l,−m = (−1)^m A_lm*.
      const odd = m.reduce((sum, mk) => sum + (mk < 0 ? -mk : 0), 0) % 2 === 1;
      const factors = m.map((mk, k) => {
        const node = nodes.harmonic(starts[k], Math.abs(mk));
        return mk < 0 ? ~node : node;
      });
      return { c: odd ? -c : c, factors };
    }),
  );
}

/** "ACE C H n=1,2 l=1,1", with the intermediate momenta where there are several functions. */
function labelsOf({ channels, invariants }: Product, elements: readonly number[]): string[] {
  const name = `ACE ${channels.map(({ s }) => symbolOf(elements[s])).join(" ")}`;
  const numbers = `n=${channels.map(({ n }) => n).join()} l=${channels.map(({ l }) => l).join()}`;
  return invariants.map(({ L }) => `${name} ${numbers}${L.length > 0 ? ` L=${L.join()}` : ""}`);
}
