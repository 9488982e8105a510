import { environments } from "../descriptors/environments.ts";
import type { Descriptor, Features } from "../descriptors/descriptor.ts";
import type { Device } from "../device/device.ts";
import { FeatureBuffer } from "../potentials/feature-buffer.ts";
import type { FeatureStatistics } from "../regressors/regressor.ts";
import { findNeighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";

/** Running mean, scatter and range of the features of one element. */
export class FeatureAccumulator {
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

/** Features of structures, one at a time. */
export class FeatureReader {
  /** Features of a centre of each element. */
  readonly sizes: readonly number[];
  readonly #descriptor: Descriptor;
  readonly #buffer: FeatureBuffer;

  constructor(descriptor: Descriptor, device: Device) {
    this.sizes = descriptor.elements.map((_, e) => descriptor.size(e));
    this.#descriptor = descriptor;
    this.#buffer = new FeatureBuffer(device.memory, this.sizes);
  }

  /** Features of all atoms of a structure, until the next call. */
  read(structure: Structure): Features {
    const { elements, cutoff } = this.#descriptor;
    const neighbours = findNeighbours(structure, cutoff);
    const env = environments([{ structure, neighbours }], elements, cutoff);
    const G = this.#buffer.reserve(env.starts);
    this.#descriptor.forward(env, G);
    return G;
  }
}

/** Statistics of all features over all atoms of the structures, one entry per element; one structure at a time in memory. */
export function featureStatistics(
  descriptor: Descriptor,
  structures: Iterable<Structure>,
  device: Device,
): FeatureStatistics[] {
  const reader = new FeatureReader(descriptor, device);
  const { sizes } = reader;
  const sums = sizes.map((size) => new FeatureAccumulator(size));
  for (const structure of structures) {
    const G = reader.read(structure);
    G.matrices.forEach((matrix, e) => {
      for (let c = 0; c < G.counts[e]; c++) sums[e].add(matrix.subarray(c * sizes[e], (c + 1) * sizes[e]));
    });
  }
  return sums.map((sum) => sum.result);
}
