import type { Device, Kernel } from "../../device/device.ts";
import { predictionSpec } from "./kernel.ts";

/** Training points of a gradient-domain model, in scaled features. */
export interface PointSet {
  /** Points M and features D. */
  readonly points: number;
  readonly features: number;
  /** Where each feature comes from in a permuted copy, [permutations, D]. */
  readonly places: Int32Array;
}

/** Byte addresses of what all threads read, for M points rounded up to an even number. */
export interface PointsAddress extends PointSet {
  /** Above −2 zᵀ and below bᵀ: the columns of [D, 2M] are −2 z of every point, then b of every point. */
  readonly columns: number;
  /** −z of every point, then b of every point, [2M, D]. */
  readonly rows: number;
  /** |z|² of every point, then −z·b of every point, [2M]. */
  readonly own: number;
}

const even = (n: number): number => n + (n & 1);

/** Bytes of the points. */
export const pointsBytes = (points: number, features: number): number =>
  8 * 2 * even(points) * (2 * features + 1);

/** Room for the points of a model. */
export function reservePoints({ memory }: Device, set: PointSet): PointsAddress {
  const [M, D] = [even(set.points), set.features];
  return {
    ...set,
    columns: memory.alloc(8 * D * 2 * M),
    rows: memory.alloc(8 * 2 * M * D),
    own: memory.alloc(8 * 2 * M),
  };
}

/** Writes points z [M, D]; features are taken from a mean that no permutation changes, so that distances keep their digits. */
export function writePoints({ memory }: Device, to: PointsAddress, z: Float64Array): void {
  const [M, D] = [even(to.points), to.features];
  const columns = memory.f64(to.columns, D * 2 * M);
  const rows = memory.f64(to.rows, 2 * M * D);
  const own = memory.f64(to.own, 2 * M);
  for (let j = 0; j < to.points; j++) {
    let square = 0;
    for (let d = 0; d < D; d++) {
      const x = z[j * D + d];
      columns[d * 2 * M + j] = -2 * x;
      rows[j * D + d] = -x;
      square += x * x;
    }
    own[j] = square;
  }
}

/** Writes the weight b [D] of point j, after `writePoints`; threads may write different points at once. */
export function writeWeight({ memory }: Device, to: PointsAddress, j: number, b: Float64Array): void {
  const [M, D] = [even(to.points), to.features];
  const columns = memory.f64(to.columns, D * 2 * M);
  const point = memory.f64(to.rows + 8 * j * D, D);
  let dot = 0;
  for (let d = 0; d < D; d++) {
    columns[d * 2 * M + M + j] = b[d];
    dot += b[d] * point[d];
  }
  memory.f64(to.rows + 8 * (M + j) * D, D).set(b);
  memory.f64(to.own, 2 * M)[M + j] = dot;
}

/**
 * E(z) = Σ_j Σ_P ∂k(P z, z_j)/∂z_j · b_j and ∂E/∂z for several z at once: two matrix products with all points, between
 * them the generated derivatives of the kernel.
 */
export class Predictor {
  readonly #device: Device;
  readonly #points: PointsAddress;
  readonly #kernel: Kernel;
  readonly #queries: number;
  /** Permuted queries, [rows, D]; products, [rows, 2M]; gradients, [rows, D]; |z|² and two sums. */
  readonly #z: number;
  readonly #products: number;
  readonly #gradients: number;
  readonly #scalars: number;

  /** For up to `queries` z at a time. */
  constructor(device: Device, points: PointsAddress, queries: number) {
    const [M, D] = [even(points.points), points.features];
    const rows = (queries * points.places.length) / D;
    this.#device = device;
    this.#points = points;
    this.#queries = queries;
    this.#kernel = device.compile(predictionSpec);
    this.#z = device.memory.alloc(8 * rows * D);
    this.#products = device.memory.alloc(8 * rows * 2 * M);
    this.#gradients = device.memory.alloc(8 * rows * D);
    this.#scalars = device.memory.alloc(8 * 3);
  }

  /** Bytes that a thread needs for so many z at a time. */
  static bytes({ points, features, places }: PointSet, queries: number): number {
    return 8 * queries * (places.length / features) * (2 * even(points) + 2 * features);
  }

  /** Overwrites energies [count] and gradients ∂E/∂z [count, D] for z [count, D]. */
  run(count: number, z: Float64Array, energies: Float64Array, gradients: Float64Array): void {
    const { memory, gemm } = this.#device;
    const { points, features: D, places, columns, rows: weights, own: fixed } = this.#points;
    const M = even(points);
    const P = places.length / D;
    if (count > this.#queries) throw new RangeError(`${count} geometries, reserved for ${this.#queries}`);
    const rows = count * P;
    const Z = memory.f64(this.#z, rows * D);
    for (let q = 0, at = 0; q < count; q++)
      for (let k = 0; k < places.length; k++, at++) Z[at] = z[q * D + places[k]];
    const products = memory.f64(this.#products, rows * 2 * M);
    const own = memory.f64(fixed, 2 * M);
    for (let r = 0; r < rows; r++) products.set(own, r * 2 * M);
    gemm.f64(rows, 2 * M, D, this.#z, D, columns, 2 * M, this.#products, 2 * M, { add: true });
    const G = memory.f64(this.#gradients, rows * D);
    const scalars = memory.f64(this.#scalars, 3);
    for (let q = 0; q < count; q++) {
      scalars[0] = 0;
      for (let d = 0; d < D; d++) scalars[0] += z[q * D + d] * z[q * D + d];
      energies[q] = 0;
      for (let p = 0; p < P; p++) {
        const r = q * P + p;
        const row = this.#products + 8 * r * 2 * M;
        scalars.fill(0, 1);
        this.#kernel.run(M, row, 8 * M, this.#scalars, row, this.#scalars + 8);
        energies[q] += scalars[1];
        for (let d = 0; d < D; d++) G[r * D + d] = scalars[2] * Z[r * D + d];
      }
    }
    gemm.f64(rows, D, 2 * M, this.#products, 2 * M, weights, D, this.#gradients, D, { add: true });
    gradients.fill(0, 0, count * D);
    for (let q = 0, at = 0; q < count; q++)
      for (let k = 0; k < places.length; k++, at++) gradients[q * D + places[k]] += G[at];
  }
}
