import { pullback, type MolecularDescriptor } from "../../descriptors/molecular/descriptor.ts";
import { inverseDistances } from "../../descriptors/molecular/inverse-distances.ts";
import type { Device } from "../../device/device.ts";
import { pairPlaces, type Permutation } from "./group.ts";
import { Predictor, reservePoints, writePoints, writeWeight, type PointsAddress } from "./predictor.ts";
import { WeightSlopes } from "./weight-slopes.ts";

/** The mean of features over geometries and permutations: no permutation changes it. */
export function symmetricMean(features: Float64Array, places: Int32Array, D: number): Float64Array {
  const mean = new Float64Array(D);
  const M = features.length / D;
  for (let j = 0; j < M; j++) for (let d = 0; d < D; d++) mean[d] += features[j * D + d] / M;
  const out = new Float64Array(D);
  for (let k = 0; k < places.length; k++) out[k % D] += mean[places[k]] / (places.length / D);
  return out;
}

/** z = (x − mean)/σ of features [M, D]. */
export const scaled = (features: Float64Array, mean: Float64Array, length: number): Float64Array =>
  features.map((x, k) => (x - mean[k % mean.length]) / length);

/** Energies and gradients of one molecule: E = c + Σ_j Σ_P ∂k(P x, x_j)/∂x_j·β_j. */
export class GradientDomain {
  readonly descriptor: MolecularDescriptor;
  readonly #device: Device;
  /** Inverse distances of the training geometries, [M, D], 1/Å. */
  readonly #features: Float64Array;
  readonly #mean: Float64Array;
  readonly #points: PointsAddress;
  readonly #predictor: Predictor;
  readonly #z: Float64Array;
  readonly #slopes: Float64Array;
  readonly #energy = new Float64Array(1);
  #weightSlopes: WeightSlopes | undefined;
  #length = 0;
  #constant = 0;

  constructor(
    numbers: Uint8Array,
    permutations: readonly Permutation[],
    features: Float64Array,
    device: Device,
  ) {
    this.descriptor = inverseDistances.build(inverseDistances.options.parse({}), numbers, device);
    const D = this.descriptor.size;
    const places = pairPlaces(permutations, numbers.length);
    this.#device = device;
    this.#features = features;
    this.#mean = symmetricMean(features, places, D);
    this.#points = reservePoints(device, { points: features.length / D, features: D, places });
    this.#predictor = new Predictor(device, this.#points, 1);
    this.#z = new Float64Array(D);
    this.#slopes = new Float64Array(D);
  }

  /** Length σ (1/Å), constant of integration (eV) and weights β = ∂x/∂R·α of the geometries, [M, D], eV/Å. */
  set(length: number, constant: number, weights: Float64Array): void {
    if (length !== this.#length)
      writePoints(this.#device, this.#points, scaled(this.#features, this.#mean, length));
    this.#length = length;
    this.#constant = constant;
    const D = this.descriptor.size;
    const b = new Float64Array(D);
    for (let j = 0; j < this.#points.points; j++) {
      // dz = dx/σ, so that weights of z are σ⁻¹ times those of x.
      for (let d = 0; d < D; d++) b[d] = weights[j * D + d] / length;
      writeWeight(this.#device, this.#points, j, b);
    }
  }

  /** The energy at positions [n, 3]; where a gradient [n, 3] is given, ADDS ∂E/∂R to it. */
  energy(positions: Float64Array, gradient: Float64Array): number {
    const { features, rows } = this.descriptor.jacobian(positions);
    this.#scale(features);
    this.#predictor.run(1, this.#z, this.#energy, this.#slopes);
    for (let d = 0; d < features.length; d++) this.#slopes[d] /= this.#length;
    pullback(rows, this.#slopes, gradient);
    return this.#constant + this.#energy[0];
  }

  /** ADDS seed ∂E/∂β and the slope of ∂E/∂β along a tangent of the positions [n, 3] to `out` [M, D]. */
  addWeightSlopes(
    positions: Float64Array,
    seed: number,
    tangent: Float64Array | null,
    out: Float64Array,
  ): void {
    const { features, rows } = this.descriptor.jacobian(positions);
    this.#scale(features);
    const along = this.#slopes.fill(0);
    if (tangent)
      for (let d = 0; d < along.length; d++) {
        for (let k = rows.starts[d]; k < rows.starts[d + 1]; k++)
          along[d] += rows.values[k] * tangent[rows.columns[k]];
        along[d] /= this.#length;
      }
    this.#weightSlopes ??= new WeightSlopes(this.#device, this.#points);
    this.#weightSlopes.add(this.#z, seed / this.#length, along, 1 / this.#length, out);
  }

  #scale(features: Float64Array): void {
    for (let d = 0; d < features.length; d++) this.#z[d] = (features[d] - this.#mean[d]) / this.#length;
  }
}
