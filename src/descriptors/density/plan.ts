import type { Polynomial } from "./monomials.ts";

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
  readonly #singles: Signed[] = [];

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
  of(factors: Int32Array): Signed {
    if (factors.length === 0) return this.#single(ONE, false);
    if (factors.length === 1) {
      const [f] = factors;
      return f < 0 ? this.#single(~f + 1, true) : this.#single(f + 1, false);
    }
    const half = Math.ceil(factors.length / 2);
    const a = this.of(factors.subarray(0, half));
    const b = this.of(factors.subarray(half));
    return { node: this.#pair(a.node, b.node, a.conj === b.conj ? 1 : -1), conj: a.conj };
  }

  /** The same object every time: large polynomials have millions of factors. */
  #single(node: number, conj: boolean): Signed {
    return (this.#singles[2 * node + Number(conj)] ??= { node, conj });
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

/** The three parts of a monomial, of which two become a pair. */
function partsOf(p: Polynomial, t: number, products: Products): Signed[] {
  const [first, last] = [p.firsts[t], p.firsts[t + 1]];
  const one = first + Math.ceil((last - first) / 3);
  const two = one + Math.ceil((last - one) / 2);
  return [
    products.of(p.factors.subarray(first, one)),
    products.of(p.factors.subarray(one, two)),
    products.of(p.factors.subarray(two, last)),
  ];
}

/** Monomials of one feature that are Re(X_b X_c^(*) X_a^(*)) with the same b and c; a conjugate a is written ~a. */
interface Group extends Product {
  readonly feature: number;
  readonly a: number[];
  readonly source: number[];
}

/** Every pair with all monomials that it could be taken out of. */
class Groups {
  readonly #products: Products;
  readonly #groups = new Map<number, Group>();

  /** `products` is complete. */
  constructor(products: Products) {
    this.#products = products;
  }

  get list(): Group[] {
    return [...this.#groups.values()];
  }

  /** One way of writing a monomial: b plain, by an overall conjugate; c plain where b is real. */
  add(feature: number, source: number, b: Signed, c: Signed, a: Signed): void {
    if (c.node < b.node) [b, c] = [c, b];
    const products = this.#products;
    const flip = products.isReal(b.node) ? c.conj : b.conj;
    const sign = !products.isReal(c.node) && c.conj !== flip ? -1 : 1;
    const turned = !products.isReal(a.node) && a.conj !== flip;
    const group = this.#find(feature, b.node, c.node, sign);
    // A monomial with equal factors offers the same pair again.
    if (group.source.at(-1) === source) return;
    group.source.push(source);
    group.a.push(turned ? ~a.node : a.node);
  }

  #find(feature: number, b: number, c: number, sign: number): Group {
    const { count } = this.#products;
    const key = ((feature * count + b) * count + c) * 2 + (sign < 0 ? 1 : 0);
    let group = this.#groups.get(key);
    if (!group) this.#groups.set(key, (group = { b, c, sign, feature, a: [], source: [] }));
    return group;
  }
}

/** Chooses for every monomial one of its pairs, such that products are few and sums long. */
export function makePlan(p: Polynomial): Plan {
  const products = new Products(p.real);
  const parts = Array.from({ length: p.firsts.length - 1 }, (_, t) => partsOf(p, t, products));
  const groups = new Groups(products);
  for (const [t, [u, v, w]] of parts.entries()) {
    for (let k = p.starts[t]; k < p.starts[t + 1]; k++) {
      groups.add(p.feature[k], k, v, w, u);
      groups.add(p.feature[k], k, u, w, v);
      groups.add(p.feature[k], k, u, v, w);
    }
  }
  return layOut(p, cover(groups.list, p.feature.length), products);
}

/** The pair that covers most of what is left, again and again. */
function cover(groups: readonly Group[], entries: number): Group[] {
  const taken = new Uint8Array(entries);
  const bySize: Group[][] = [];
  const file = (group: Group) => (bySize[group.source.length] ??= []).push(group);
  for (const group of groups) file(group);
  const chosen: Group[] = [];
  for (let size = bySize.length - 1; size > 0; size--)
    for (const group of bySize[size] ?? []) {
      const left = group.source.flatMap((k, n) => (taken[k] === 0 ? [n] : []));
      if (left.length === size) {
        for (const k of group.source) taken[k] = 1;
        chosen.push(group);
      } else if (left.length > 0) {
        // Others took some: its turn comes among the smaller ones.
        file({ ...group, a: left.map((n) => group.a[n]), source: left.map((n) => group.source[n]) });
      }
    }
  return chosen.sort((x, y) => x.feature - y.feature || x.b - y.b || x.c - y.c || y.sign - x.sign);
}

function layOut(p: Polynomial, groups: readonly Group[], products: Products): Plan {
  const total = groups.reduce((n, { a }) => n + a.length, 0);
  const node = new Int32Array(total);
  const sign = new Int8Array(total);
  const source = new Int32Array(total);
  const ranges = new Int32Array(p.features + 1);
  let n = 0;
  const segments = groups.map(({ b, c, sign: s, feature, a, source: from }) => {
    const first = n;
    for (const [m, x] of a.entries()) {
      node[n] = x < 0 ? ~x : x;
      sign[n] = x < 0 ? -1 : 1;
      source[n++] = from[m];
    }
    ranges[feature + 1]++;
    return { b, c, sign: s, feature, first, last: n };
  });
  for (let f = 0; f < p.features; f++) ranges[f + 1] += ranges[f];
  return { nodes: products.count, products: products.list, segments, ranges, node, sign, source };
}

/** Which of the first `own` nodes after ONE each feature depends on, counted from 0: [starts, nodes], ascending. */
export function supportOf(
  { nodes, products, segments, ranges, node }: Plan,
  own: number,
): { readonly starts: Int32Array; readonly nodes: Int32Array } {
  const inner: number[][] = Array.from({ length: own + 1 }, (_, k) => (k === ONE ? [] : [k - 1]));
  for (const { b, c } of products) inner.push([...new Set([...inner[b], ...inner[c]])]);
  const found: number[] = [];
  const starts = new Int32Array(ranges.length);
  const marked = new Uint8Array(nodes);
  for (let f = 0; f + 1 < ranges.length; f++) {
    marked.fill(0);
    for (let s = ranges[f]; s < ranges[f + 1]; s++) {
      const { b, c, first, last } = segments[s];
      marked[b] = marked[c] = 1;
      for (let e = first; e < last; e++) marked[node[e]] = 1;
    }
    const used = new Set<number>();
    for (let k = 0; k < nodes; k++) if (marked[k]) for (const x of inner[k]) used.add(x);
    for (const x of [...used].sort((a, b) => a - b)) found.push(x);
    starts[f + 1] = found.length;
  }
  return { starts, nodes: Int32Array.from(found) };
}

/** Of each feature: products first … last, counted from 0, hold all that it depends on; [features, 2]. */
export function productSpans({ nodes, products, segments, ranges, node }: Plan): Int32Array {
  const own = nodes - products.length;
  const lowest = Int32Array.from(products.keys());
  for (const [k, { b, c }] of products.entries())
    for (const part of [b, c]) if (part >= own) lowest[k] = Math.min(lowest[k], lowest[part - own]);
  const spans = new Int32Array(2 * (ranges.length - 1));
  for (let f = 0; f + 1 < ranges.length; f++) {
    let [first, last] = [products.length, 0];
    const see = (n: number) => {
      if (n < own) return;
      first = Math.min(first, lowest[n - own]);
      last = Math.max(last, n - own + 1);
    };
    for (let s = ranges[f]; s < ranges[f + 1]; s++) {
      see(segments[s].b);
      see(segments[s].c);
      for (let e = segments[s].first; e < segments[s].last; e++) see(node[e]);
    }
    spans.set([Math.min(first, last), last], 2 * f);
  }
  return spans;
}
