// Upper triangular R [n, n] in rows of `stride` numbers; what lies below the diagonal is not read.
// G. H. Golub, C. F. Van Loan, Matrix Computations, 4th ed., §3.1.

/** x ← R⁻¹ x. */
export function solveUpper(R: Float64Array, stride: number, n: number, x: Float64Array): void {
  for (let i = n - 1; i >= 0; i--) {
    let sum = x[i];
    for (let k = i + 1, at = i * stride + k; k < n; k++) sum -= R[at++] * x[k];
    x[i] = sum / R[i * stride + i];
  }
}

/** x ← R⁻ᵀ x. */
export function solveUpperTransposed(R: Float64Array, stride: number, n: number, x: Float64Array): void {
  for (let i = 0; i < n; i++) {
    x[i] /= R[i * stride + i];
    const v = x[i];
    for (let k = i + 1, at = i * stride + k; k < n; k++) x[k] -= v * R[at++];
  }
}

/** R⁻¹, upper triangular [n, n]. */
export function invertUpper(R: Float64Array, stride: number, n: number): Float64Array {
  const X = new Float64Array(n * n);
  for (let i = n - 1; i >= 0; i--) {
    // Row i of R⁻¹ = (e_i − Σ_{k>i} R_ik row k) / R_ii.
    const row = i * n;
    X[row + i] = 1;
    for (let k = i + 1; k < n; k++) {
      const r = R[i * stride + k];
      if (r === 0) continue;
      for (let j = k; j < n; j++) X[row + j] -= r * X[k * n + j];
    }
    const pivot = R[i * stride + i];
    for (let j = i; j < n; j++) X[row + j] /= pivot;
  }
  return X;
}
