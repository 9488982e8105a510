import { inverseDistances } from "../../descriptors/molecular/inverse-distances.ts";
import type { Device } from "../../device/device.ts";
import { internalDirections, rigidRank } from "./internal.ts";

/** A geometry with its forces, Å and eV/Å; energy in eV where it is known. */
export interface Labelled {
  readonly positions: Float64Array;
  readonly forces: Float64Array;
  readonly energy?: number;
}

/** Training geometries as the equations see them. */
export interface Geometries {
  readonly count: number;
  /** Features D and directions m = 3n − 6. */
  readonly size: number;
  readonly directions: number;
  /** Inverse distances x, [M, D]. */
  readonly features: Float64Array;
  /** ∂x/∂R along directions in which the molecule neither moves nor turns, [M, D, m]. */
  readonly slopes: Float64Array;
  /** −F along these directions, [M, m]. */
  readonly gradients: Float64Array;
}

/**
 * Forces of a molecule have no part along its translations and rotations, and ∂x/∂R neither: without these the equations
 * are the same and (3n − 6)/3n as many.
 */
export function describe(numbers: Uint8Array, labelled: readonly Labelled[], device: Device): Geometries {
  const descriptor = inverseDistances.build(inverseDistances.options.parse({}), numbers, device);
  const [D, w, M] = [descriptor.size, 3 * numbers.length, labelled.length];
  const m = w - labelled.reduce((least, { positions }) => Math.min(least, rigidRank(positions)), 6);
  const features = new Float64Array(M * D);
  const slopes = new Float64Array(M * D * m);
  const gradients = new Float64Array(M * m);
  for (const [j, { positions, forces }] of labelled.entries()) {
    const basis = internalDirections(positions, m);
    const found = descriptor.jacobian(positions);
    features.set(found.features, j * D);
    const { starts, columns, values } = found.rows;
    for (let a = 0; a < m; a++) {
      for (let k = 0; k < w; k++) gradients[j * m + a] -= basis[a * w + k] * forces[k];
      for (let d = 0; d < D; d++) {
        let sum = 0;
        for (let k = starts[d]; k < starts[d + 1]; k++) sum += values[k] * basis[a * w + columns[k]];
        slopes[(j * D + d) * m + a] = sum;
      }
    }
  }
  return { count: M, size: D, directions: m, features, slopes, gradients };
}
