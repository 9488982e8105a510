import type { Device } from "../../device/device.ts";
import { NumericalError } from "../../error.ts";
import { Cholesky } from "../../math/cholesky.ts";
import { invertUpper } from "../../math/triangular.ts";

/** Columns of a design matrix that are tried, and what makes their prior |c|². */
export interface Whitening {
  readonly columns: Int32Array;
  /** Byte address of R⁻¹ [Q, Q], RᵀR the prior's matrix of these columns. */
  readonly inverse: number;
}

/**
 * Every so many of the columns, `most` at most, with the prior R [P, P] of all; null where one has no prior. Fewer
 * columns are a process on fewer points, of which the others are not thought.
 */
export function whitening(R: Float64Array, P: number, most: number, device: Device): Whitening | null {
  for (let k = 0; k < P; k++) if (!(R[k * P + k] > 0)) return null;
  const Q = Math.min(P, most);
  const columns = Int32Array.from({ length: Q }, (_, i) => Math.floor((i * P) / Q));
  const own = Q === P ? R : rootOf(R, P, columns, device);
  const inverse = device.memory.alloc(8 * Q * Q);
  device.memory.f64(inverse, Q * Q).set(invertUpper(own, Q, Q));
  return { columns, inverse };
}

/** The root of the matrix RᵀR restricted to some columns. */
function rootOf(R: Float64Array, P: number, columns: Int32Array, device: Device): Float64Array {
  const Q = columns.length;
  const address = device.memory.alloc(8 * Q * Q);
  const K = device.memory.f64(address, Q * Q);
  for (let a = 0; a < Q; a++)
    for (let b = 0; b <= a; b++) {
      const [i, j] = [columns[a], columns[b]];
      let sum = 0;
      for (let k = 0; k <= j; k++) sum += R[k * P + i] * R[k * P + j];
      K[a * Q + b] = sum;
    }
  if (!new Cholesky(device, Q).factor(Q, address))
    throw new NumericalError("the prior of some coefficients is not positive definite");
  return Float64Array.from({ length: Q * Q }, (_, at) => {
    const [i, j] = [Math.floor(at / Q), at % Q];
    return j < i ? 0 : K[j * Q + i];
  });
}
