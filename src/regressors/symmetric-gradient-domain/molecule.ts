import { inverseDistances } from "../../descriptors/molecular/inverse-distances.ts";
import { pullback, type MolecularDescriptor } from "../../descriptors/molecular/descriptor.ts";
import type { Device } from "../../device/device.ts";
import { pairPlaces, type Permutation } from "./group.ts";
import { Predictor, reservePoints, writePoints, writeWeight, type PointsAddress } from "./predictor.ts";

/** What a model of one molecule is made of; energies in eV, lengths in Å. */
export interface GradientDomainData {
  readonly numbers: Uint8Array;
  /** Length σ of the kernel, 1/Å. */
  readonly length: number;
  /** A group of permutations of atoms. */
  readonly permutations: readonly Permutation[];
  /** Inverse distances of the training geometries, [M, D], 1/Å. */
  readonly features: Float64Array;
  /** Their weights ∂x/∂R·α, [M, D], eV/Å. */
  readonly weights: Float64Array;
  /** Constant of integration, eV. */
  readonly constant: number;
}

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
  readonly #descriptor: MolecularDescriptor;
  readonly #mean: Float64Array;
  readonly #length: number;
  readonly #constant: number;
  readonly #predictor: Predictor;
  readonly #z: Float64Array;
  readonly #slopes: Float64Array;
  readonly #energy = new Float64Array(1);

  constructor(
    { numbers, length, permutations, features, weights, constant }: GradientDomainData,
    device: Device,
  ) {
    const descriptor = inverseDistances.build(inverseDistances.options.parse({}), numbers, device);
    const D = descriptor.size;
    const places = pairPlaces(permutations, numbers.length);
    const points: PointsAddress = reservePoints(device, { points: features.length / D, features: D, places });
    this.#mean = symmetricMean(features, places, D);
    this.#length = length;
    this.#constant = constant;
    this.#descriptor = descriptor;
    writePoints(device, points, scaled(features, this.#mean, length));
    // dz = dx/σ, so that weights of z are σ⁻¹ times those of x.
    for (let j = 0; j < points.points; j++)
      writeWeight(
        device,
        points,
        j,
        weights.subarray(j * D, (j + 1) * D).map((b) => b / length),
      );
    this.#predictor = new Predictor(device, points, 1);
    this.#z = new Float64Array(D);
    this.#slopes = new Float64Array(D);
  }

  /** The energy at positions [n, 3], and ADDS ∂E/∂R to gradient [n, 3]. */
  energy(positions: Float64Array, gradient: Float64Array): number {
    const { features, rows } = this.#descriptor.jacobian(positions);
    for (let d = 0; d < features.length; d++) this.#z[d] = (features[d] - this.#mean[d]) / this.#length;
    this.#predictor.run(1, this.#z, this.#energy, this.#slopes);
    for (let d = 0; d < features.length; d++) this.#slopes[d] /= this.#length;
    pullback(rows, this.#slopes, gradient);
    return this.#constant + this.#energy[0];
  }
}
