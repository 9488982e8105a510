import type { MolecularDescriptor } from "../../descriptors/molecular/descriptor.ts";
import type { RawPoints } from "./points.ts";

/** ∂x/∂R of one molecule, dense, rows of the active coordinates, [M, D]. */
export function denseSlopes(
  descriptor: MolecularDescriptor,
  positions: Float64Array,
  to: Float64Array,
): { readonly features: Float64Array } {
  const D = descriptor.size;
  const { features, rows } = descriptor.jacobian(positions);
  const place = new Int32Array(positions.length).fill(-1);
  descriptor.active.forEach((c, k) => (place[c] = k));
  to.fill(0);
  for (let t = 0; t < D; t++)
    for (let k = rows.starts[t]; k < rows.starts[t + 1]; k++) {
      const row = place[rows.columns[k]];
      if (row >= 0) to[row * D + t] += rows.values[k];
    }
  return { features };
}

/**
 * Features and Jacobians of molecules at `positions` [N, 3n], of which some have values and some slopes: along all
 * active coordinates, or those of `coordinates` [gradients, M].
 */
export function moleculePoints(
  descriptor: MolecularDescriptor,
  positions: Float64Array,
  energies: Int32Array,
  gradients: Int32Array,
  coordinates: Int32Array | null = null,
): RawPoints {
  const { size: D, active } = descriptor;
  const width = 3 * descriptor.numbers.length;
  const N = positions.length / width;
  const M = coordinates ? coordinates.length / Math.max(1, gradients.length) : active.length;
  const x = new Float64Array(N * D);
  const slopes = new Float64Array(gradients.length * M * D);
  const all = new Float64Array(active.length * D);
  const place = new Int32Array(width).fill(-1);
  active.forEach((c, k) => (place[c] = k));
  for (let i = 0; i < N; i++)
    x.set(descriptor.forward(positions.subarray(i * width, (i + 1) * width)), i * D);
  gradients.forEach((i, g) => {
    denseSlopes(descriptor, positions.subarray(i * width, (i + 1) * width), all);
    for (let c = 0; c < M; c++) {
      const row = coordinates ? place[coordinates[g * M + c]] : c;
      slopes.set(all.subarray(row * D, (row + 1) * D), (g * M + c) * D);
    }
  });
  return { x, slopes, features: D, coordinates: M, energies, gradients };
}
