import type { Device } from "../device/device.ts";
import { invertUpper } from "./triangular.ts";
import type { Work } from "./work.ts";

/** Rows that are finished at a time. */
const BLOCK = 64;

/** Bytes of room that an inverse takes. */
export const inverseBytes = (n: number): number => 8 * BLOCK * (n + BLOCK);

/**
 * R⁻¹ of an upper triangle R, both [n, n] at byte addresses in rows of `stride` numbers: blocks of rows from the last one
 * up, X_i = −R_ii⁻¹ Σ_{k>i} R_ik X_k, on the matrix product (G. H. Golub, C. F. Van Loan, Matrix Computations, 4th ed.,
 * §3.1.8). What lies below the diagonal of R is not read, that of X is zero; `room` has `inverseBytes`.
 */
export function* invertUpperInBlocks(
  { memory, gemm }: Device,
  { from, to, room, stride, n }: { from: number; to: number; room: number; stride: number; n: number },
): Work<void> {
  const at = (start: number, i: number, j: number) => start + 8 * (i * stride + j);
  const corner = room + 8 * BLOCK * n;
  for (let i = n - 1 - ((n - 1) % BLOCK); i >= 0; i -= BLOCK) {
    const w = Math.min(BLOCK, n - i);
    const rest = n - i - w;
    const R = memory.f64(at(from, i, i), (w - 1) * stride + w);
    const X = invertUpper(R, stride, w);
    for (let r = 0; r < w; r++) {
      const row = memory.f64(at(to, i + r, 0), n).fill(0);
      row.set(X.subarray(r * w, (r + 1) * w), i);
    }
    if (rest > 0) {
      gemm.f64(w, rest, rest, at(from, i, i + w), stride, at(to, i + w, i + w), stride, room, rest);
      const minus = memory.f64(corner, w * w);
      for (let k = 0; k < w * w; k++) minus[k] = -X[k];
      gemm.f64(w, rest, w, corner, w, room, rest, at(to, i, i + w), stride);
    }
    yield;
  }
}
