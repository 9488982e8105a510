import { clebschGordan } from "./clebsch-gordan.ts";

/** c Re Π_k A_{l_k m_k}: one m per factor, of complex harmonics; within a class of equal factors m rises. */
export interface Monomial {
  readonly m: readonly number[];
  readonly c: number;
}

/**
 * A polynomial in the A_lm that rotations and reflections leave alone, where A_l,−m = (−1)^m A_lm*. Each product
 * stands beside its conjugate.
 */
export interface Invariant {
  /** Intermediate angular momenta L₂, L₃, … of the coupling ((l₁ l₂)L₂ l₃)L₃ … it was made from. */
  readonly L: readonly number[];
  readonly terms: readonly Monomial[];
}

/** Factors of a product: their l, and a class that equal factors share; equal factors stand together. */
export interface Factors {
  readonly l: readonly number[];
  readonly classes: readonly number[];
}

/** Length of the run of equal classes that factor k starts. */
const runs = (classes: readonly number[]): [start: number, length: number][] => {
  const found: [number, number][] = [];
  for (const [k, c] of classes.entries())
    if (k > 0 && classes[k - 1] === c) found[found.length - 1][1]++;
    else found.push([k, 1]);
  return found;
};

const zeros = (n: number): number[] => Array.from({ length: n }, () => 0);

/** How often each Σm = −M … M comes among the multisets of n values m = −l … l: [2nl + 1]. */
function weights(l: number, n: number): number[] {
  // table[k][s]: multisets of k of the values so far with sum s − kl.
  const table = Array.from({ length: n + 1 }, (_, k) => zeros(2 * k * l + 1));
  table[0][0] = 1;
  for (let m = 0; m <= 2 * l; m++)
    for (let k = 1; k <= n; k++)
      for (let s = m; s < table[k].length; s++) table[k][s] += table[k - 1][s - m] ?? 0;
  return table[n];
}

/**
 * The number of invariants of rotation and reflection in the product of factors that may be exchanged within a class:
 * the products with Σm = 0 less those with Σm = 1, and none for an odd Σl; DOI 10.1016/j.jcp.2022.110946.
 */
export function countInvariants({ l, classes }: Factors): number {
  const total = l.reduce((sum, x) => sum + x, 0);
  if (total % 2 === 1) return 0;
  let all = [1];
  for (const [start, length] of runs(classes)) {
    const own = weights(l[start], length);
    const next = zeros(all.length + own.length - 1);
    all.forEach((a, i) => own.forEach((b, j) => (next[i + j] += a * b)));
    all = next;
  }
  return all[total] - (all[total + 1] ?? 0);
}

/** Σ_m c Π A of one coupling, by the m of its factors as digits of a number. */
type Tensor = Map<number, number>;

/** A coupling of the first factors: its intermediate momenta and one tensor for each M = −L … L. */
interface Partial {
  readonly L: readonly number[];
  readonly tensors: readonly Tensor[];
}

const BASE = 64;

const coefficients = new Map<string, readonly Coefficient[]>();

/** ⟨l₁m₁ l₂m₂|L M⟩ that is not 0. */
interface Coefficient {
  readonly m1: number;
  readonly m2: number;
  readonly c: number;
}

function coefficientsOf(l1: number, l2: number, L: number): readonly Coefficient[] {
  const key = `${l1} ${l2} ${L}`;
  let table = coefficients.get(key);
  if (!table) coefficients.set(key, (table = tabulate(l1, l2, L)));
  return table;
}

function tabulate(l1: number, l2: number, L: number): Coefficient[] {
  const table: Coefficient[] = [];
  for (let m1 = -l1; m1 <= l1; m1++)
    for (let m2 = Math.max(-l2, -L - m1); m2 <= Math.min(l2, L - m1); m2++) {
      const c = clebschGordan(2 * l1, 2 * m1, 2 * l2, 2 * m2, 2 * L, 2 * (m1 + m2));
      if (c !== 0) table.push({ m1, m2, c });
    }
  return table;
}

/** Couples one more factor to a partial coupling. */
function couple(partial: Partial, l: number, to: number): Partial {
  const from = partial.L.at(-1)!;
  const tensors = Array.from({ length: 2 * to + 1 }, (): Tensor => new Map());
  for (const { m1, m2, c } of coefficientsOf(from, l, to))
    for (const [key, value] of partial.tensors[from + m1])
      // Each m of the new factor continues the digits of the others: no two are equal.
      tensors[to + m1 + m2].set(key * BASE + m2 + l, c * value);
  return { L: [...partial.L, to], tensors };
}

/** All couplings of the factors to L = 0, lowest momenta first, made as they are asked for. */
function* couplings(l: readonly number[]): Generator<Partial> {
  // Momentum that the factors after k can still take away.
  const left = l.map((_, k) => l.slice(k + 1).reduce((sum, x) => sum + x, 0));
  const first: Partial = {
    L: [l[0]],
    tensors: Array.from({ length: 2 * l[0] + 1 }, (_, m) => new Map([[m, 1]])),
  };
  function* rest(partial: Partial, k: number): Generator<Partial> {
    if (k === l.length) {
      if (partial.L.at(-1) === 0) yield partial;
      return;
    }
    const from = partial.L.at(-1)!;
    for (let L = Math.abs(from - l[k]); L <= Math.min(from + l[k], left[k]); L++)
      yield* rest(couple(partial, l[k], L), k + 1);
  }
  yield* rest(first, 1);
}

/** The m of the factors, sorted within classes. */
function unpack(key: number, { l }: Factors, groups: readonly (readonly [number, number])[]): number[] {
  const m = zeros(l.length);
  for (let k = l.length - 1, rest = key; k >= 0; k--, rest = Math.floor(rest / BASE))
    m[k] = (rest % BASE) - l[k];
  for (const [start, length] of groups)
    if (length > 1) {
      const part = m.slice(start, start + length).toSorted((a, b) => a - b);
      for (let k = 0; k < length; k++) m[start + k] = part[k];
    }
  return m;
}

const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));

/** In how many ways the m can be dealt to the factors. */
function arrangements(m: readonly number[], groups: readonly (readonly [number, number])[]): number {
  let ways = 1;
  for (const [start, length] of groups) {
    ways *= factorial(length);
    for (const [, n] of runs(m.slice(start, start + length))) ways /= factorial(n);
  }
  return ways;
}

/** A coupling as a vector over monomials, scaled so that its square sum is the norm of the symmetric tensor. */
class Space {
  readonly #factors: Factors;
  readonly #groups: readonly (readonly [number, number])[];
  readonly #index = new Map<string, number>();
  readonly monomials: { m: readonly number[]; root: number }[] = [];

  constructor(factors: Factors) {
    this.#factors = factors;
    this.#groups = runs(factors.classes);
  }

  vector(tensor: Tensor): number[] {
    const v = new Map<number, number>();
    for (const [key, c] of tensor) {
      const at = this.#place(key);
      v.set(at, (v.get(at) ?? 0) + c);
    }
    return this.monomials.map(({ root }, at) => (v.get(at) ?? 0) / root);
  }

  #place(key: number): number {
    const m = unpack(key, this.#factors, this.#groups);
    const name = m.join();
    let at = this.#index.get(name);
    if (at === undefined) {
      this.#index.set(name, (at = this.monomials.length));
      this.monomials.push({ m, root: Math.sqrt(arrangements(m, this.#groups)) });
    }
    return at;
  }
}

const dot = (a: readonly number[], b: readonly number[]): number => {
  let s = 0;
  for (let k = 0; k < Math.min(a.length, b.length); k++) s += a[k] * b[k];
  return s;
};

/** v less its parts along the basis, twice for the sake of rounding. */
function project(v: number[], basis: readonly (readonly number[])[]): void {
  for (let pass = 0; pass < 2; pass++)
    for (const b of basis) {
      const s = dot(v, b);
      for (let k = 0; k < b.length; k++) v[k] = (v[k] ?? 0) - s * b[k];
    }
}

const cache = new Map<string, readonly Invariant[]>();

/**
 * A complete, independent set of invariants of the factors: couplings to L = 0, symmetrised over the exchange of equal
 * factors, each orthogonal to those before and of norm 1 as a symmetric tensor, until there are as many as
 * `countInvariants` says. G. Dusson et al., DOI 10.1016/j.jcp.2022.110946.
 */
export function invariants(factors: Factors): readonly Invariant[] {
  const key = `${factors.l.join()};${runs(factors.classes)
    .map(([, n]) => n)
    .join()}`;
  let found = cache.get(key);
  if (!found) cache.set(key, (found = reduce(factors)));
  return found;
}

function reduce(factors: Factors): Invariant[] {
  const count = countInvariants(factors);
  const space = new Space(factors);
  const basis: number[][] = [];
  const momenta: (readonly number[])[] = [];
  if (count > 0)
    for (const { L, tensors } of couplings(factors.l)) {
      const v = space.vector(tensors[0]);
      const before = Math.sqrt(dot(v, v));
      project(v, basis);
      const norm = Math.sqrt(dot(v, v));
      if (norm < 1e-6 * Math.max(before, 1e-6)) continue;
      basis.push(v.map((x) => x / norm));
      momenta.push(L.slice(1, -2));
      if (basis.length === count) break;
    }
  if (basis.length !== count)
    throw new Error(`${basis.length} invariants of ${factors.l.join()}, not ${count}`);
  return basis.map((v, k) => ({ L: momenta[k], terms: termsOf(v, space) }));
}

/** Coefficients of monomials: a scaled entry x stands for a coefficient x √ways, since its norm is c²/ways. */
function termsOf(v: readonly number[], { monomials }: Space): Monomial[] {
  return v.flatMap((x, k) => (Math.abs(x) < 1e-13 ? [] : [{ m: monomials[k].m, c: x * monomials[k].root }]));
}

/** A polynomial Σ c Re Π A_{l_k m_k} of factors, in any order of the m within a class, not sorted. */
export type Terms = readonly Monomial[];

/**
 * Coordinates of an invariant polynomial over `invariants(factors)`, and the norm of what is not among them (0 for an
 * invariant); products that stand for themselves and their conjugate count as well as such that stand for one.
 */
export function coordinates(
  factors: Factors,
  terms: Terms,
): { readonly values: number[]; readonly rest: number } {
  const groups = runs(factors.classes);
  const sorted = (m: readonly number[], sign: number) => {
    const all = m.map((x) => (x === 0 ? 0 : sign * x));
    return groups.flatMap(([start, n]) => all.slice(start, start + n).toSorted((a, b) => a - b));
  };
  const sums = new Map<string, number>();
  for (const { m, c } of terms)
    for (const sign of [1, -1]) {
      const key = sorted(m, sign).join();
      sums.set(key, (sums.get(key) ?? 0) + c / 2);
    }
  const waysOf = (m: readonly number[]) => arrangements(m, groups);
  const left = new Map(sums);
  const values = invariants(factors).map((invariant) => {
    const value = invariant.terms.reduce((s, { m, c }) => s + (c * (sums.get(m.join()) ?? 0)) / waysOf(m), 0);
    for (const { m, c } of invariant.terms) left.set(m.join(), (left.get(m.join()) ?? 0) - value * c);
    return value;
  });
  let square = 0;
  for (const [key, c] of left) square += (c * c) / waysOf(key.split(",").map(Number));
  return { values, rest: Math.sqrt(square) };
}
