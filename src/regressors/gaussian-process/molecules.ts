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

/** Features and Jacobians of molecules at `positions` [N, 3n], of which some have values and some slopes. */
export function moleculePoints(
  descriptor: MolecularDescriptor,
  positions: Float64Array,
  energies: Int32Array,
  gradients: Int32Array,
): RawPoints {
  const [D, M, width] = [descriptor.size, descriptor.active.length, 3 * descriptor.numbers.length];
  const N = positions.length / width;
  const x = new Float64Array(N * D);
  const slopes = new Float64Array(gradients.length * M * D);
  for (let i = 0; i < N; i++)
    x.set(descriptor.forward(positions.subarray(i * width, (i + 1) * width)), i * D);
  gradients.forEach((i, g) => {
    const own = positions.subarray(i * width, (i + 1) * width);
    denseSlopes(descriptor, own, slopes.subarray(g * M * D, (g + 1) * M * D));
  });
  return { x, slopes, features: D, coordinates: M, energies, gradients };
}
