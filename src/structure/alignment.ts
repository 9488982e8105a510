import { symmetricEigen } from "../math/symmetric-eigen.ts";
import { nearestImage } from "./nearest-image.ts";
import type { Structure } from "./structure.ts";

/** Mean position, [3]. */
function centroid(positions: Float64Array): Float64Array {
  const mean = new Float64Array(3);
  for (let i = 0; i < positions.length; i++) mean[i % 3] += (3 * positions[i]) / positions.length;
  return mean;
}

/**
 * The positions [n, 3] moved and turned as one body so that Σ |r_i − reference_i|² is least: the unit quaternion is the
 * eigenvector of the largest eigenvalue of a symmetric 4×4 matrix (B. K. P. Horn, J. Opt. Soc. Am. A 4, 629 (1987),
 * DOI 10.1364/JOSAA.4.000629). No reflection.
 */
export function superimposed(positions: Float64Array, reference: Float64Array): Float64Array {
  const [a, b] = [centroid(positions), centroid(reference)];
  const S = new Float64Array(9);
  for (let i = 0; i < positions.length; i += 3)
    for (let p = 0; p < 3; p++)
      for (let q = 0; q < 3; q++) S[3 * p + q] += (positions[i + p] - a[p]) * (reference[i + q] - b[q]);
  const [xx, xy, xz, yx, yy, yz, zx, zy, zz] = S;
  const K = Float64Array.from(
    [
      [xx + yy + zz, yz - zy, zx - xz, xy - yx],
      [yz - zy, xx - yy - zz, xy + yx, zx + xz],
      [zx - xz, xy + yx, yy - xx - zz, yz + zy],
      [xy - yx, zx + xz, yz + zy, zz - xx - yy],
    ].flat(),
  );
  const [w, x, y, z] = symmetricEigen(K, 4).vectors;
  const R = [
    [w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)],
    [2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x)],
    [2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z],
  ];
  return positions.map((_, k) => {
    const i = k - (k % 3);
    const row = R[k % 3];
    return b[k % 3] + [0, 1, 2].reduce((sum, q) => sum + row[q] * (positions[i + q] - a[q]), 0);
  });
}

/** The positions with every atom in that periodic image that is nearest to its place in `reference`. */
export function unwrapped(structure: Structure, reference: Float64Array): Float64Array {
  const moves = structure.positions.map((x, i) => x - reference[i]);
  const shorten = nearestImage(structure);
  for (let i = 0; i < moves.length; i += 3) shorten(moves, i);
  return moves.map((move, i) => reference[i] + move);
}
