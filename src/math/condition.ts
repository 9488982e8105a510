import { solveUpper, solveUpperTransposed } from "./triangular.ts";
import type { Work } from "./work.ts";

/** Steps of an iteration, and the relative change at which it has settled. */
const STEPS = 300;
const SETTLED = 1e-6;

/** Root of the largest eigenvalue of the map x ← M x for symmetric positive M, by powers of it. */
function* largest(n: number, apply: (x: Float64Array) => void): Work<number> {
  const x = Float64Array.from({ length: n }, (_, k) => 1 + (k % 7) / 8);
  let before = 0;
  for (let step = 0; step < STEPS; step++) {
    const norm = Math.sqrt(x.reduce((sum, v) => sum + v * v, 0));
    if (norm === 0 || !Number.isFinite(norm)) return norm;
    for (let k = 0; k < n; k++) x[k] /= norm;
    apply(x);
    yield;
    const value = Math.sqrt(x.reduce((sum, v) => sum + v * v, 0));
    if (Math.abs(value - before) <= SETTLED * value) return Math.sqrt(value);
    before = value;
  }
  return Math.sqrt(before);
}

/**
 * σ_max/σ_min of an upper triangular R [n, n] in rows of `stride` numbers, by power and inverse iteration: a lower
 * bound that has settled to a few digits in all but contrived cases. Infinity where R is singular. Gives
 * way now and then.
 */
export function* conditioning(R: Float64Array, stride: number, n: number): Work<number> {
  if (n === 0) return 1;
  for (let k = 0; k < n; k++) if (R[k * stride + k] === 0) return Infinity;
  const y = new Float64Array(n);
  const high = yield* largest(n, (x) => {
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let k = i, at = i * stride + i; k < n; k++) sum += R[at++] * x[k];
      y[i] = sum;
    }
    x.fill(0);
    for (let i = 0; i < n; i++) for (let k = i, at = i * stride + i; k < n; k++) x[k] += R[at++] * y[i];
  });
  const low = yield* largest(n, (x) => {
    solveUpperTransposed(R, stride, n, x);
    solveUpper(R, stride, n, x);
  });
  return Number.isFinite(low) ? high * low : Infinity;
}
