import { finish, type Work } from "./work.ts";

/**
 * A = U₁ B V₁ᵀ of a square A by Householder reflections, B upper bidiagonal, with U₁ᵀ z of one right-hand side: enough
 * to solve |A x − z|² + λ|x|² for any λ in n operations, and where singular values start from
 * (G. H. Golub, C. F. Van Loan, Matrix Computations, 4th ed., §5.4.8 and §8.6.1).
 */
export interface Bidiagonal {
  readonly n: number;
  /** Diagonal [n] and what stands right of it [n − 1]. */
  readonly d: Float64Array;
  readonly e: Float64Array;
  /** U₁ᵀ z, [n]. */
  readonly y: Float64Array;
  /** x ← V₁ x. */
  readonly expand: (x: Float64Array) => void;
}

/** Householder vector v with (I − τ v vᵀ) x = β e₁, v₁ = 1; x [from …] is overwritten with v. */
function reflector(x: Float64Array, from: number): { tau: number; beta: number } {
  let norm2 = 0;
  for (let k = from + 1; k < x.length; k++) norm2 += x[k] * x[k];
  const alpha = x[from];
  if (norm2 === 0) return { tau: 0, beta: alpha };
  const norm = Math.sqrt(alpha * alpha + norm2);
  const beta = alpha > 0 ? -norm : norm;
  for (let k = from + 1; k < x.length; k++) x[k] /= alpha - beta;
  x[from] = 1;
  return { tau: (beta - alpha) / beta, beta };
}

/** Of a row-major A [n, n], which is overwritten, and z [n]. */
export const bidiagonalise = (A: Float64Array, z: Float64Array, n: number): Bidiagonal =>
  finish(bidiagonalising(A, z, n));

/** The same, column by column. */
export function* bidiagonalising(A: Float64Array, z: Float64Array, n: number): Work<Bidiagonal> {
  const d = new Float64Array(n);
  const e = new Float64Array(Math.max(0, n - 1));
  const y = z.slice();
  const right: { v: Float64Array; tau: number }[] = [];
  const column = new Float64Array(n);
  const w = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    for (let i = k; i < n; i++) column[i] = A[i * n + k];
    const left = reflector(column, k);
    d[k] = left.beta;
    w.fill(0, k + 1);
    let wy = 0;
    for (let i = k; i < n && left.tau !== 0; i++) {
      const v = column[i];
      wy += v * y[i];
      for (let j = k + 1, at = i * n + j; j < n; j++) w[j] += v * A[at++];
    }
    if (left.tau !== 0) for (let i = k; i < n; i++) y[i] -= left.tau * wy * column[i];
    if (k === n - 1) break;
    const v = new Float64Array(n);
    for (let j = k + 1; j < n; j++) v[j] = A[k * n + j] - left.tau * w[j];
    const { tau, beta } = reflector(v, k + 1);
    e[k] = beta;
    right.push({ v, tau });
    // Both reflections in one pass over the rows below.
    for (let i = k + 1; i < n; i++) {
      const l = left.tau * column[i];
      let sum = 0;
      for (let j = k + 1, at = i * n + j; j < n; j++, at++) sum += (A[at] -= l * w[j]) * v[j];
      sum *= tau;
      if (sum !== 0) for (let j = k + 1, at = i * n + j; j < n; j++) A[at++] -= sum * v[j];
    }
    yield;
  }
  const expand = (x: Float64Array) => {
    for (let k = right.length - 1; k >= 0; k--) {
      const { v, tau } = right[k];
      let sum = 0;
      for (let j = k + 1; j < n; j++) sum += v[j] * x[j];
      for (let j = k + 1; j < n; j++) x[j] -= tau * sum * v[j];
    }
  };
  return { n, d, e, y, expand };
}

/**
 * The x that minimises |A x − z|² + λ|x|², λ > 0: plane rotations bring (B; √λ I) to triangular form
 * (L. Eldén, DOI 10.1007/BF01932285).
 */
export function ridge({ n, d, e, y, expand }: Bidiagonal, lambda: number): Float64Array {
  const x = y.slice();
  const [diagonal, above] = [d.slice(), e.slice()];
  let [extra, rhs] = [Math.sqrt(lambda), 0];
  for (let k = 0; k < n; k++) {
    // The penalty row k has `extra` in column k: rotated into row k it leaves a number in column k + 1.
    const r = Math.sqrt(diagonal[k] ** 2 + extra ** 2);
    const [c, s] = [diagonal[k] / r, extra / r];
    diagonal[k] = r;
    [x[k], rhs] = [c * x[k] + s * rhs, c * rhs - s * x[k]];
    if (k === n - 1) break;
    const fill = -s * above[k];
    above[k] *= c;
    // That number and √λ of row k + 1 stand in one column: one rotation joins them; row k + 1 has no right-hand side.
    extra = Math.sqrt(lambda + fill * fill);
    rhs *= fill / extra;
  }
  for (let k = n - 1; k >= 0; k--) x[k] = (x[k] - (k < n - 1 ? above[k] * x[k + 1] : 0)) / diagonal[k];
  expand(x);
  return x;
}
