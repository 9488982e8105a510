/**
 * Real polynomials of complex numbers X_0 … X_{n−1}: feature f is constant_f + Σ c Re(Π factors), a factor being X_k,
 * written k, or its complex conjugate, written ~k. Plain data, as large as its monomials.
 */
export interface Polynomial {
  /** Which of the X have no imaginary part. */
  readonly real: readonly boolean[];
  readonly features: number;
  readonly constants: Float64Array;
  /** Factors of monomial t are factors[firsts[t]] … factors[firsts[t + 1]]. */
  readonly factors: Int32Array;
  readonly firsts: Int32Array;
  /** Monomial t is in features feature[starts[t]] … with these coefficients. */
  readonly starts: Int32Array;
  readonly feature: Int32Array;
  readonly coefficient: Float64Array;
}

/** A factor without a conjugate that means nothing, and the conjugate of any other. */
const conjugate = (factor: number, real: readonly boolean[]): number => (real[factor] ? factor : ~factor);

/** Node of a factor. */
export const nodeOf = (factor: number): number => (factor < 0 ? ~factor : factor);

/** By node, plain before conjugate. */
const order = (a: number, b: number): number => nodeOf(a) - nodeOf(b) || b - a;

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) {
    const c = order(a[i], b[i]);
    if (c !== 0) return c;
  }
  return 0;
}

/** A product and its conjugate have the same real part: the smaller of the two. */
export function canonical(factors: readonly number[], real: readonly boolean[]): number[] {
  const here = factors.map((f) => (f < 0 && real[~f] ? ~f : f)).sort(order);
  const there = here.map((f) => conjugate(f, real)).sort(order);
  return compare(there, here) < 0 ? there : here;
}

/** What the sums of one monomial's contributions cancel to when they cancel. */
const ROUNDING = 1e-13;

/** Collects a polynomial term by term; equal monomials, conjugates and other orders of factors become one. */
export class Monomials {
  readonly #real: readonly boolean[];
  readonly #constants: Float64Array;
  readonly #index = new Map<string | number, number>();
  readonly #factors: number[] = [];
  readonly #firsts: number[] = [0];
  /** Per contribution: monomial, feature, coefficient. */
  readonly #monomial: number[] = [];
  readonly #feature: number[] = [];
  readonly #coefficient: number[] = [];

  /** `real[k]` tells that X_k has no imaginary part. */
  constructor(real: readonly boolean[], features: number) {
    this.#real = real;
    this.#constants = new Float64Array(features);
  }

  /** ADDS coefficient·Re(Π factors) to a feature; no factors: a constant. */
  add(feature: number, coefficient: number, factors: readonly number[]): void {
    if (coefficient === 0) return;
    if (factors.length === 0) {
      this.#constants[feature] += coefficient;
      return;
    }
    this.#monomial.push(this.#find(canonical(factors, this.#real)));
    this.#feature.push(feature);
    this.#coefficient.push(coefficient);
  }

  #find(factors: readonly number[]): number {
    const base = 2 * this.#real.length;
    const digits = factors.map((f) => (f < 0 ? 2 * ~f + 1 : 2 * f));
    // Degree 3 of up to 8192 numbers stays exact; the degree is the leading digit.
    const key =
      digits.length <= 3 && base < 2 ** 14
        ? digits.reduce((k, d) => k * base + d, digits.length)
        : digits.join(" ");
    let t = this.#index.get(key);
    if (t === undefined) {
      this.#index.set(key, (t = this.#firsts.length - 1));
      for (const f of factors) this.#factors.push(f);
      this.#firsts.push(this.#factors.length);
    }
    return t;
  }

  /** The polynomial collected so far. */
  polynomial(): Polynomial {
    const count = this.#firsts.length - 1;
    const order = Array.from(this.#monomial.keys()).sort(
      (a, b) => this.#monomial[a] - this.#monomial[b] || this.#feature[a] - this.#feature[b] || a - b,
    );
    const merged = { monomial: [] as number[], feature: [] as number[], coefficient: [] as number[] };
    for (let i = 0; i < order.length;) {
      const [monomial, feature] = [this.#monomial[order[i]], this.#feature[order[i]]];
      let [total, size] = [0, 0];
      for (; i < order.length; i++) {
        const k = order[i];
        if (this.#monomial[k] !== monomial || this.#feature[k] !== feature) break;
        total += this.#coefficient[k];
        size += Math.abs(this.#coefficient[k]);
      }
      if (Math.abs(total) <= ROUNDING * size) continue;
      merged.monomial.push(monomial);
      merged.feature.push(feature);
      merged.coefficient.push(total);
    }
    return {
      real: this.#real,
      features: this.#constants.length,
      constants: this.#constants.slice(),
      factors: Int32Array.from(this.#factors),
      firsts: Int32Array.from(this.#firsts),
      starts: rowStarts(merged.monomial, count),
      feature: Int32Array.from(merged.feature),
      coefficient: Float64Array.from(merged.coefficient),
    };
  }
}

/** Where each of `count` rows starts in an ascending list of row numbers, [count + 1]. */
function rowStarts(rows: readonly number[], count: number): Int32Array {
  const starts = new Int32Array(count + 1);
  for (const row of rows) starts[row + 1]++;
  for (let t = 0; t < count; t++) starts[t + 1] += starts[t];
  return starts;
}

/** The shape of D combinations of the features of p: every monomial in each of them, coefficients still 0. */
export function combinations(p: Polynomial, D: number): Polynomial {
  const count = p.firsts.length - 1;
  return {
    ...p,
    features: D,
    constants: new Float64Array(D),
    starts: Int32Array.from({ length: count + 1 }, (_, t) => t * D),
    feature: Int32Array.from({ length: count * D }, (_, k) => k % D),
    coefficient: new Float64Array(count * D),
  };
}

/** Fills in Σ_f weights[f·D + d] feature_f of p. */
export function combine(p: Polynomial, weights: Float64Array, out: Polynomial): void {
  const D = out.features;
  const { coefficient, constants } = out;
  coefficient.fill(0);
  constants.fill(0);
  for (let t = 0; t + 1 < p.starts.length; t++)
    for (let k = p.starts[t]; k < p.starts[t + 1]; k++)
      for (let d = 0; d < D; d++) coefficient[t * D + d] += p.coefficient[k] * weights[p.feature[k] * D + d];
  for (let f = 0; f < p.features; f++)
    for (let d = 0; d < D; d++) constants[d] += p.constants[f] * weights[f * D + d];
}
