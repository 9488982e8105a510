import type { Device } from "../device/device.ts";

/** Columns that are finished at a time; what lies left of them is one matrix product. */
const BLOCK = 32;

/** Factor of the diagonal block [k, k+w) and, row by row, of everything below it; false where a pivot is not positive. */
function finish(A: Float64Array, n: number, k: number, w: number): boolean {
  for (let i = k; i < n; i++)
    for (let j = k; j < Math.min(k + w, i + 1); j++) {
      let sum = A[i * n + j];
      for (let l = k; l < j; l++) sum -= A[i * n + l] * A[j * n + l];
      if (j < i) A[i * n + j] = sum / A[j * n + j];
      else if (sum > 0) A[i * n + i] = Math.sqrt(sum);
      else return false;
    }
  return true;
}

/** Factorises symmetric positive definite matrices of up to `most` rows, in blocks on the matrix product. */
export class Cholesky {
  readonly #device: Device;
  /** −L of the rows of the present block, [BLOCK, most]. */
  readonly #panel: number;

  constructor(device: Device, most: number) {
    this.#device = device;
    this.#panel = device.memory.alloc(8 * BLOCK * most);
  }

  /**
   * A = L Lᵀ: L overwrites the lower triangle of the row-major A [n, n] at byte address `a`; what lies above the
   * diagonal is not read, and of no meaning afterwards. False where A is not positive definite; A is then half done
   * (G. H. Golub, C. F. Van Loan, Matrix Computations, 4th ed., §4.2.6).
   */
  factor(n: number, a: number): boolean {
    const { memory, gemm } = this.#device;
    const A = memory.f64(a, n * n);
    const panel = memory.f64(this.#panel, BLOCK * n);
    for (let k = 0; k < n; k += BLOCK) {
      const w = Math.min(BLOCK, n - k);
      for (let r = 0; r < w; r++) for (let l = 0; l < k; l++) panel[r * k + l] = -A[(k + r) * n + l];
      const [rows, to] = [a + 8 * k * n, a + 8 * (k * n + k)];
      if (k > 0) gemm.f64(n - k, w, k, rows, n, this.#panel, k, to, n, { transB: true, add: true });
      if (!finish(A, n, k, w)) return false;
    }
    return true;
  }
}

/** x ← (L Lᵀ)⁻¹ x for the factor in the lower triangle of L [n, n]. */
export function solveCholesky(L: Float64Array, n: number, x: Float64Array): void {
  for (let i = 0; i < n; i++) {
    let sum = x[i];
    for (let j = 0; j < i; j++) sum -= L[i * n + j] * x[j];
    x[i] = sum / L[i * n + i];
  }
  for (let i = n - 1; i >= 0; i--) {
    x[i] /= L[i * n + i];
    for (let j = 0; j < i; j++) x[j] -= L[i * n + j] * x[i];
  }
}

/** L⁻¹, lower triangular [n, n], written to `out`, whose upper triangle becomes zero (Golub, Van Loan, §3.1). */
export function invertLower(L: Float64Array, n: number, out: Float64Array): void {
  out.fill(0, 0, n * n);
  for (let i = 0; i < n; i++) {
    // Row i of L⁻¹ = (e_i − Σ_{k<i} L_ik row k) / L_ii.
    out[i * n + i] = 1;
    for (let k = 0; k < i; k++) {
      const l = L[i * n + k];
      for (let j = 0; j <= k; j++) out[i * n + j] -= l * out[k * n + j];
    }
    for (let j = 0; j <= i; j++) out[i * n + j] /= L[i * n + i];
  }
}
