import type { Device } from "../device/device.ts";
import { NumericalError } from "../error.ts";
import { bidiagonalBytes, bidiagonalising, type Bidiagonal } from "./bidiagonal.ts";
import { finish, type Work } from "./work.ts";

/** A = U Σ Vᵀ as far as least squares need it. */
export interface Singular {
  /** Descending, [n]. */
  readonly values: Float64Array;
  /** Uᵀ z, [n]. */
  readonly y: Float64Array;
  /** Row k is the right singular vector k, [n, n]; null where it was not asked for. */
  readonly vectors: Float64Array | null;
}

/** Rotation (c, s) that maps (f, g) to (r, 0). */
function rotation(f: number, g: number): readonly [c: number, s: number, r: number] {
  if (g === 0) return [1, 0, f];
  const r = Math.sqrt(f * f + g * g);
  return [f / r, g / r, r];
}

/** x_i, x_j ← c x_i + s x_j, c x_j − s x_i for `width` numbers each. */
function rotate(X: Float64Array, i: number, j: number, width: number, c: number, s: number): void {
  for (let k = 0, a = i * width, b = j * width; k < width; k++, a++, b++) {
    const [p, q] = [X[a], X[b]];
    X[a] = c * p + s * q;
    X[b] = c * q - s * p;
  }
}

/** The bidiagonal under work, and what its rotations act on. */
interface Rotated {
  readonly d: Float64Array;
  readonly e: Float64Array;
  readonly y: Float64Array;
  readonly V: Float64Array | null;
}

/** Square of the smaller singular value of the last two columns: the shift of a sweep. */
function shiftOf({ d, e }: Rotated, lo: number, hi: number): number {
  const [a, b, c] = [d[hi - 1], e[hi - 1], d[hi]];
  const above = hi - 1 > lo ? e[hi - 2] : 0;
  // Wilkinson's shift of the last block of BᵀB.
  const [p, q, r] = [a * a + above * above, a * b, b * b + c * c];
  const half = (p - r) / 2;
  const root = Math.sqrt(half * half + q * q);
  return half === 0 && root === 0 ? r : r - (q * q) / (half + (half < 0 ? -root : root));
}

/** One step of Golub and Kahan on columns lo … hi: a bulge is made by the shift and chased to the end. */
function sweep(work: Rotated, lo: number, hi: number, shift: number): void {
  const { d, e, y, V } = work;
  let f = d[lo] - shift / d[lo];
  let g = e[lo];
  for (let k = lo; k < hi; k++) {
    const [c, s, r] = rotation(f, g);
    if (k > lo) e[k - 1] = r;
    f = c * d[k] + s * e[k];
    e[k] = c * e[k] - s * d[k];
    g = s * d[k + 1];
    d[k + 1] *= c;
    if (V) rotate(V, k, k + 1, y.length, c, s);
    const [cl, sl, rl] = rotation(f, g);
    d[k] = rl;
    f = cl * e[k] + sl * d[k + 1];
    d[k + 1] = cl * d[k + 1] - sl * e[k];
    if (k < hi - 1) {
      g = sl * e[k + 1];
      e[k + 1] *= cl;
    }
    rotate(y, k, k + 1, 1, cl, sl);
  }
  e[hi - 1] = f;
}

/** The same without shift: exact where a value is zero (J. Demmel, W. Kahan, DOI 10.1137/0911052). */
function sweepWithoutShift(work: Rotated, lo: number, hi: number): void {
  const { d, e, y, V } = work;
  let [c, cl, sl] = [1, 1, 0];
  for (let k = lo; k < hi; k++) {
    const [cr, sr, r] = rotation(d[k] * c, e[k]);
    c = cr;
    if (k > lo) e[k - 1] = sl * r;
    if (V) rotate(V, k, k + 1, y.length, cr, sr);
    [cl, sl, d[k]] = rotation(cl * r, d[k + 1] * sr);
    rotate(y, k, k + 1, 1, cl, sl);
  }
  const last = d[hi] * c;
  e[hi - 1] = last * sl;
  d[hi] = last * cl;
}

/** Sweeps until nothing stands right of the diagonal. */
function* diagonalise(work: Rotated): Work<void> {
  const { d, e } = work;
  const scale = Math.max(...d.map(Math.abs), ...e.map(Math.abs), 0);
  const least = Number.EPSILON * scale;
  let budget = 60 * d.length;
  for (let hi = d.length - 1; hi > 0;) {
    for (let k = 0; k < hi; k++)
      // Below a quarter of an ulp of the largest value there is nothing but the rounding of the bidiagonal form; where
      // the rank is short, a criterion relative to the tiny values alone would chase that noise for ever.
      if (Math.abs(e[k]) <= Number.EPSILON * (Math.abs(d[k]) + Math.abs(d[k + 1])) + least / 4) e[k] = 0;
    if (e[hi - 1] === 0) {
      hi--;
      continue;
    }
    let lo = hi - 1;
    let smallest = Math.min(Math.abs(d[hi]), Math.abs(d[lo]));
    while (lo > 0 && e[lo - 1] !== 0) smallest = Math.min(smallest, Math.abs(d[--lo]));
    if (smallest <= least) sweepWithoutShift(work, lo, hi);
    else sweep(work, lo, hi, shiftOf(work, lo, hi));
    yield;
    if (budget-- === 0) throw new NumericalError("singular values: no convergence; are all numbers finite?");
  }
}

/** Singular values and Uᵀ z of a bidiagonal form, with right singular vectors where asked for (Golub, Van Loan, §8.6.2). */
export function* singularValues(form: Bidiagonal, vectors: boolean): Work<Singular> {
  const { n, d, e, y, expand } = form;
  const V = vectors ? new Float64Array(n * n) : null;
  if (V)
    for (let k = 0; k < n; k++) {
      const row = V.subarray(k * n, (k + 1) * n);
      row[k] = 1;
      expand(row);
      yield;
    }
  const work: Rotated = { d: d.slice(), e: e.slice(), y: y.slice(), V };
  yield* diagonalise(work);
  const order = Array.from(d.keys()).sort((a, b) => Math.abs(work.d[b]) - Math.abs(work.d[a]) || a - b);
  const sorted = V && new Float64Array(n * n);
  if (V) order.forEach((from, to) => sorted!.set(V.subarray(from * n, (from + 1) * n), to * n));
  return {
    values: Float64Array.from(order, (k) => Math.abs(work.d[k])),
    // A negative value turns the left vector round.
    y: Float64Array.from(order, (k) => (work.d[k] < 0 ? -work.y[k] : work.y[k])),
    vectors: sorted,
  };
}

/** The same of a row-major A [n, n], whose copy stays in the device's memory. */
export function singular(
  device: Device,
  A: Float64Array,
  z: Float64Array,
  n: number,
  vectors: boolean,
): Singular {
  const { memory } = device;
  const [at, room] = [memory.alloc(8 * n * n), memory.alloc(bidiagonalBytes(n))];
  memory.f64(at, n * n).set(A);
  return finish(singularValues(finish(bidiagonalising(device, { at, stride: n, n, room }, z)), vectors));
}
