import type { Polynomial } from "./monomials.ts";
import { canonical } from "./monomials.ts";

/** Node 0 is the number 1, then the X of the polynomial, then products. */
export const ONE = 0;

/** A product of two nodes: X_node = X_b · X_c, or X_b · X_c* where `sign` is −1. */
export interface Product {
  readonly b: number;
  readonly c: number;
  readonly sign: number;
}

/**
 * Part of a feature: Re(X_b X_c^(*) Σ_k c_k X_ak^(*)) over entries first … last of the plan. Equal pairs b, c of one
 * feature are one segment.
 */
export interface Segment extends Product {
  readonly feature: number;
  readonly first: number;
  readonly last: number;
}

/** How a polynomial is evaluated: products, then segments sorted by feature. The coefficients are filled in later. */
export interface Plan {
  readonly nodes: number;
  readonly products: readonly Product[];
  readonly segments: readonly Segment[];
  /** Segments of feature f are ranges[f] … ranges[f + 1], [features + 1]. */
  readonly ranges: Int32Array;
  /** Of each entry: its node, +1 plain or −1 conjugate, and its place in the polynomial's coefficients. */
  readonly node: Int32Array;
  readonly sign: Int8Array;
  readonly source: Int32Array;
}

/** A node or its conjugate. */
interface Signed {
  readonly node: number;
  readonly conj: boolean;
}

/** Products of X, each made once. */
class Products {
  readonly list: Product[] = [];
  readonly #real: boolean[];
  readonly #index = new Map<string, number>();

  constructor(real: readonly boolean[]) {
    this.#real = [true, ...real];
  }

  get count(): number {
    return this.#real.length;
  }

  isReal(node: number): boolean {
    return this.#real[node];
  }

  /** The node of a product of factors, in halves. */
  of(factors: readonly number[], real: readonly boolean[]): Signed {
    if (factors.length === 0) return { node: ONE, conj: false };
    if (factors.length === 1) {
      const [f] = factors;
      return f < 0 ? { node: ~f + 1, conj: true } : { node: f + 1, conj: false };
    }
    const half = Math.ceil(factors.length / 2);
    const a = this.of(factors.slice(0, half), real);
    const b = this.of(factors.slice(half), real);
    return { node: this.#pair(a.node, b.node, a.conj === b.conj ? 1 : -1), conj: a.conj };
  }

  #pair(b: number, c: number, sign: number): number {
    const key = `${b} ${c} ${sign}`;
    let node = this.#index.get(key);
    if (node === undefined) {
      this.#index.set(key, (node = this.#real.length));
      this.#real.push(this.#real[b] && this.#real[c]);
      this.list.push({ b, c, sign });
    }
    return node;
  }
}

/** One way of writing a monomial: Re(X_b X_c^(*) X_a^(*)). */
interface Form extends Product {
  readonly a: Signed;
}

/** b plain by an overall conjugate; c plain where b is real. */
function form(b: Signed, c: Signed, a: Signed, products: Products): Form {
  if (c.node < b.node) [b, c] = [c, b];
  const flip = products.isReal(b.node) ? c.conj : b.conj;
  const cConj = !products.isReal(c.node) && c.conj !== flip;
  const aConj = !products.isReal(a.node) && a.conj !== flip;
  return { b: b.node, c: c.node, sign: cConj ? -1 : 1, a: { node: a.node, conj: aConj } };
}

/** The three ways of choosing the pair. */
function forms(factors: readonly number[], real: readonly boolean[], products: Products): Form[] {
  const third = Math.ceil(factors.length / 3);
  const rest = Math.ceil((factors.length - third) / 2);
  const parts = [factors.slice(0, third), factors.slice(third, third + rest), factors.slice(third + rest)];
  const [u, v, w] = parts.map((f) => products.of(f, real));
  return [form(v, w, u, products), form(u, w, v, products), form(u, v, w, products)];
}

/**
 * Chooses for every monomial the pair whose product is shared by most others of its feature (a greedy cover), so that
 * products are few and sums long.
 */
export function makePlan(p: Polynomial): Plan {
  const products = new Products(p.real);
  const count = p.firsts.length - 1;
  const choices: Form[][] = [];
  for (let t = 0; t < count; t++) {
    const factors = canonical(Array.from(p.factors.subarray(p.firsts[t], p.firsts[t + 1])), p.real);
    choices.push(forms(factors, p.real, products));
  }
  const key = (feature: number, { b, c, sign }: Product) =>
    ((feature * products.count + b) * products.count + c) * 2 + (sign < 0 ? 1 : 0);
  const groups = cover(p, choices, key);
  return layOut(p, groups, products);
}

/** A pair of one feature with the monomials (entries of the polynomial) that use it. */
interface Group extends Product {
  readonly feature: number;
  readonly entries: { readonly a: Signed; readonly source: number }[];
}

function cover(
  p: Polynomial,
  choices: readonly Form[][],
  key: (feature: number, pair: Product) => number,
): Group[] {
  const uses = new Map<number, number>();
  const each = (see: (t: number, k: number, feature: number) => void) => {
    for (let t = 0; t < choices.length; t++)
      for (let k = p.starts[t]; k < p.starts[t + 1]; k++) see(t, k, p.feature[k]);
  };
  each((t, _, f) => {
    for (const pair of new Set(choices[t].map((c) => key(f, c)))) uses.set(pair, (uses.get(pair) ?? 0) + 1);
  });
  const groups = new Map<number, Group>();
  each((t, k, f) => {
    const best = choices[t].reduce((a, b) => (uses.get(key(f, b))! > uses.get(key(f, a))! ? b : a));
    const id = key(f, best);
    let group = groups.get(id);
    if (!group) groups.set(id, (group = { b: best.b, c: best.c, sign: best.sign, feature: f, entries: [] }));
    group.entries.push({ a: best.a, source: k });
  });
  return [...groups.values()].sort(
    (a, b) => a.feature - b.feature || a.b - b.b || a.c - b.c || b.sign - a.sign,
  );
}

function layOut(p: Polynomial, groups: readonly Group[], products: Products): Plan {
  const total = groups.reduce((n, { entries }) => n + entries.length, 0);
  const node = new Int32Array(total);
  const sign = new Int8Array(total);
  const source = new Int32Array(total);
  const ranges = new Int32Array(p.features + 1);
  let n = 0;
  const segments = groups.map(({ b, c, sign: s, feature, entries }) => {
    const first = n;
    for (const { a, source: k } of entries) {
      node[n] = a.node;
      sign[n] = a.conj ? -1 : 1;
      source[n++] = k;
    }
    ranges[feature + 1]++;
    return { b, c, sign: s, feature, first, last: n };
  });
  for (let f = 0; f < p.features; f++) ranges[f + 1] += ranges[f];
  return { nodes: products.count, products: products.list, segments, ranges, node, sign, source };
}
