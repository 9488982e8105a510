import { environments } from "../descriptors/environments.ts";
import type { Descriptor } from "../descriptors/descriptor.ts";
import type { Device } from "../device/device.ts";
import { FeatureBuffer } from "../potentials/feature-buffer.ts";
import type { FeatureStatistics } from "../regressors/regressor.ts";
import { findNeighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";

/** Running mean, scatter and range of the features of one element. */
class Accumulator {
  #count = 0;
  readonly #mean: Float64Array;
  readonly #scatter: Float64Array;
  readonly #min: Float64Array;
  readonly #max: Float64Array;

  constructor(size: number) {
    this.#mean = new Float64Array(size);
    this.#scatter = new Float64Array(size);
    this.#min = new Float64Array(size).fill(Infinity);
    this.#max = new Float64Array(size).fill(-Infinity);
  }

  /** One row of features (B. P. Welford, Technometrics 4, 419 (1962), https://doi.org/10.1080/00401706.1962.10490022). */
  add(G: Float64Array): void {
    this.#count++;
    for (let t = 0; t < G.length; t++) {
      const d = G[t] - this.#mean[t];
      this.#mean[t] += d / this.#count;
      this.#scatter[t] += d * (G[t] - this.#mean[t]);
      if (G[t] < this.#min[t]) this.#min[t] = G[t];
      if (G[t] > this.#max[t]) this.#max[t] = G[t];
    }
  }

  get result(): FeatureStatistics {
    const deviation = this.#scatter.map((s) => Math.sqrt(s / Math.max(1, this.#count)));
    return { count: this.#count, mean: this.#mean, deviation, min: this.#min, max: this.#max };
  }
}

/** Statistics of all features over all atoms of the structures, one entry per element; one structure at a time in memory. */
export function featureStatistics(
  descriptor: Descriptor,
  structures: Iterable<Structure>,
  device: Device,
): FeatureStatistics[] {
  const { elements, cutoff } = descriptor;
  const sizes = elements.map((_, e) => descriptor.size(e));
  const buffer = new FeatureBuffer(device.memory, sizes);
  const sums = sizes.map((size) => new Accumulator(size));
  for (const structure of structures) {
    const env = environments(
      [{ structure, neighbours: findNeighbours(structure, cutoff) }],
      elements,
      cutoff,
    );
    const G = buffer.reserve(env.starts);
    descriptor.forward(env, G);
    G.matrices.forEach((matrix, e) => {
      for (let c = 0; c < G.counts[e]; c++) sums[e].add(matrix.subarray(c * sizes[e], (c + 1) * sizes[e]));
    });
  }
  return sums.map((sum) => sum.result);
}
