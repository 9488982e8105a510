import { featureScale } from "../../regressors/neural-network/scaling.ts";
import type { ElementRecord } from "./record.ts";

/** Features between two looks whether a member is too far already. */
const PART = 8;

/** A member of a set of environments and how far it is. */
export interface Near {
  /** Number of the member, −1 in an empty set. */
  readonly index: number;
  /** In scaled features; Infinity in an empty set. */
  readonly distance: number;
}

/**
 * Environments of one element as points z = (G − mean)·scale, with the scale that a network's inputs have: 1/deviation,
 * bounded for faint features, 0 for those that never varied.
 */
export class EnvironmentSet {
  readonly #mean: Float64Array;
  readonly #scale: Float64Array;
  readonly #z: Float64Array;
  #points: Float64Array;
  #count = 0;

  /** An empty set, in the scaling of the training data. */
  constructor(record: ElementRecord) {
    this.#mean = record.mean;
    this.#scale = featureScale(record);
    this.#z = new Float64Array(record.mean.length);
    this.#points = new Float64Array(0);
  }

  /** The environments that stand for the training data. */
  static of(record: ElementRecord): EnvironmentSet {
    const set = new EnvironmentSet(record);
    const size = record.mean.length;
    for (let k = 0; k < record.frames.length; k++)
      set.add(record.environments.subarray(k * size, (k + 1) * size));
    return set;
  }

  /** Takes features [size] in. */
  add(G: Float64Array): void {
    const { length } = this.#z;
    if (this.#points.length < (this.#count + 1) * length) {
      const grown = new Float64Array(2 * (this.#count + 8) * length);
      grown.set(this.#points);
      this.#points = grown;
    }
    this.#points.set(this.#scaled(G), this.#count++ * length);
  }

  /** The member nearest to features [size]; the first of equals. */
  nearest(G: Float64Array): Near {
    const [z, points, size] = [this.#scaled(G), this.#points, this.#z.length];
    let [index, best] = [-1, Infinity];
    for (let k = 0; k < this.#count; k++) {
      let sum = 0;
      // Most members are given up after a part of their features.
      for (let t = 0, p = k * size; t < size && sum < best;)
        for (const end = Math.min(t + PART, size); t < end; t++, p++) {
          const d = z[t] - points[p];
          sum += d * d;
        }
      if (sum < best) [index, best] = [k, sum];
    }
    return { index, distance: Math.sqrt(best) };
  }

  /** |z_t − point_t| between features [size] and a member, [size]. */
  differences(G: Float64Array, index: number): Float64Array {
    const first = index * this.#z.length;
    return this.#scaled(G).map((x, t) => Math.abs(x - this.#points[first + t]));
  }

  #scaled(G: Float64Array): Float64Array {
    const [z, mean, scale] = [this.#z, this.#mean, this.#scale];
    for (let t = 0; t < z.length; t++) z[t] = (G[t] - mean[t]) * scale[t];
    return z;
  }
}

/** What a distance is compared with: how far training environments are from each other, 1 where that is not known. */
export const unitOf = ({ spacing }: ElementRecord): number => spacing || 1;
