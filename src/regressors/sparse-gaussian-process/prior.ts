import type { Device } from "../../device/device.ts";
import { NumericalError } from "../../error.ts";
import { Cholesky } from "../../math/cholesky.ts";

/** A block of parameters whose covariance K^(−1) is given by K [count, count]. */
export interface PriorBlock {
  /** Null: nothing is known of them. */
  readonly covariance: Float64Array | null;
  readonly count: number;
}

/** How often the jitter is raised tenfold before a matrix is given up. */
const TRIES = 8;

/**
 * R = Lᵀ [P, P] with L Lᵀ = K + jitter·mean(diagonal)·1 of each block: |R α|² = αᵀ K α is the prior of a Gaussian process
 * on its coefficients (L. Foster et al., J. Mach. Learn. Res. 10, 857 (2009)). Where K is singular to rounding the
 * jitter is raised until it is not.
 */
export function priorOf(blocks: readonly PriorBlock[], jitter: number, device: Device): Float64Array {
  const P = blocks.reduce((sum, { count }) => sum + count, 0);
  const most = Math.max(1, ...blocks.map(({ count }) => count));
  const address = device.memory.alloc(8 * most * most);
  const cholesky = new Cholesky(device, most);
  const R = new Float64Array(P * P);
  let first = 0;
  for (const { covariance, count: n } of blocks) {
    if (!covariance) {
      first += n;
      continue;
    }
    const A = device.memory.f64(address, n * n);
    let mean = 0;
    for (let i = 0; i < n; i++) mean += covariance[i * n + i] / n;
    let [tries, added] = [0, jitter];
    for (; tries < TRIES; tries++, added = Math.max(1e-14, 10 * added)) {
      A.set(covariance);
      for (let i = 0; i < n; i++) A[i * n + i] += added * mean;
      if (cholesky.factor(n, address)) break;
    }
    if (tries === TRIES)
      throw new NumericalError("the kernel between representative points is not positive definite");
    for (let i = 0; i < n; i++) for (let j = i; j < n; j++) R[(first + i) * P + first + j] = A[j * n + i];
    first += n;
  }
  return R;
}
