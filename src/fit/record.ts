import type { Descriptor } from "../descriptors/descriptor.ts";
import type { Device } from "../device/device.ts";
import { Random } from "../math/random.ts";
import { ACTIVE } from "../potentials/extrapolation/d-optimality.ts";
import type { ElementRecord, TrainingRecord } from "../potentials/extrapolation/record.ts";
import { activeMap } from "./active-set.ts";
import type { FeatureStatistics } from "../regressors/regressor.ts";
import { featureScale } from "../regressors/neural-network/scaling.ts";
import type { Frame } from "../structure/structure.ts";
import { FeatureAccumulator, FeatureReader } from "./features.ts";
import { farthest } from "./selection/farthest.ts";

/** Environments of an element that a model remembers, at most, and numbers that they may take. */
const MOST = 256;
const NUMBERS = 2 ** 17;
/** Numbers of an element's environments among which they are chosen: all of most data sets, drawn by lot from larger ones. */
const CANDIDATES = 2 ** 22;
/** Features of which a map to the environments of greatest volume is made: of more, there are hardly more environments to choose from, and each would stand for itself. */
const MOST_MAPPED = 1024;
/** Nearer than this in scaled features, two environments are the same. */
const SAME = 1e-6;

/** A uniform sample of rows of which nobody knows how many there will be (J. S. Vitter 1985, 10.1145/3147.3165, R). */
class Reservoir {
  readonly #size: number;
  readonly #room: number;
  readonly #random: Random;
  #rows = new Float64Array(0);
  readonly #frames: number[] = [];
  #seen = 0;

  constructor(size: number, random: Random) {
    this.#size = size;
    this.#room = Math.max(1, Math.floor(CANDIDATES / Math.max(1, size)));
    this.#random = random;
  }

  add(G: Float64Array, frame: number): void {
    const full = this.#seen >= this.#room;
    const at = full ? this.#random.integer(this.#seen + 1) : this.#seen;
    this.#seen++;
    if (at >= this.#room) return;
    if (this.#rows.length < (at + 1) * this.#size) {
      const grown = new Float64Array(Math.max(2 * this.#rows.length, (at + 1) * this.#size));
      grown.set(this.#rows);
      this.#rows = grown;
    }
    this.#rows.set(G, at * this.#size);
    this.#frames[at] = frame;
  }

  /** Rows [count, size] and the frame of each. */
  get sample(): { readonly rows: Float64Array; readonly frames: readonly number[] } {
    return { rows: this.#rows.subarray(0, this.#frames.length * this.#size), frames: this.#frames };
  }
}

/** Statistics of all features over the training frames, and what the model will remember of them; one pass. */
export function rememberTraining(
  descriptor: Descriptor,
  frames: readonly Frame[],
  device: Device,
  seed: number,
  /** The model is linear in the features: only then do coefficients in chosen environments tell of its extrapolation. */
  linear = true,
): {
  readonly statistics: readonly FeatureStatistics[];
  readonly record: TrainingRecord;
  /** Rows [count, size] of up to 2²² numbers of each element, drawn by lot from larger data. */
  readonly samples: readonly Float64Array[];
} {
  const reader = new FeatureReader(descriptor, device);
  const { sizes } = reader;
  const sums = sizes.map((size) => new FeatureAccumulator(size));
  const samples = sizes.map((size, e) => new Reservoir(size, new Random(seed, "environments", e)));
  for (const [f, { structure }] of frames.entries()) {
    const { matrices, counts } = reader.read(structure);
    matrices.forEach((matrix, e) => {
      for (let c = 0; c < counts[e]; c++) {
        const G = matrix.subarray(c * sizes[e], (c + 1) * sizes[e]);
        sums[e].add(G);
        samples[e].add(G, f);
      }
    });
  }
  const statistics = sums.map(({ result }) => result);
  const chosen = statistics.map((s, e) => choose(s, samples[e]));
  const used = [...new Set(chosen.flatMap((c) => c.frames))].sort((a, b) => a - b);
  const numberOf = new Map(used.map((f, k) => [f, k]));
  const elements = statistics.map((s, e): ElementRecord => {
    const finite = s.count > 0 ? s : { ...s, min: s.mean, max: s.mean };
    const places = Float64Array.from(chosen[e].frames, (f) => numberOf.get(f)!);
    const { rows } = samples[e].sample;
    const mapped = linear && rows.length > 0 && s.mean.length <= MOST_MAPPED;
    const more: ElementRecord["more"] = mapped ? { [ACTIVE]: activeMap(rows, finite, device) } : {};
    return { ...finite, ...chosen[e], frames: places, more };
  });
  return {
    statistics,
    record: { places: used.map((f) => frames[f].place), elements },
    samples: samples.map(({ sample }) => sample.rows),
  };
}

/** The environments farthest from each other, and how far they are apart. */
function choose(statistics: FeatureStatistics, reservoir: Reservoir) {
  const { rows, frames } = reservoir.sample;
  const width = statistics.mean.length;
  const count = frames.length;
  if (count === 0) return { environments: new Float64Array(0), frames: [], spacing: 0 };
  const { mean } = statistics;
  const scale = featureScale(statistics);
  const means = { count, width, rows: rows.map((x, k) => (x - mean[k % width]) * scale[k % width]) };
  const most = Math.min(count, MOST, Math.max(1, Math.floor(NUMBERS / Math.max(1, width))));
  const { chosen, scores } = farthest.select({ count, means }, { count: most });
  const kept = chosen.filter((_, k) => scores[k] > SAME);
  const rowsOf = (all: Float64Array) => kept.flatMap((k) => [...all.subarray(k * width, (k + 1) * width)]);
  return {
    environments: Float64Array.from(rowsOf(rows)),
    frames: kept.map((k) => frames[k]),
    spacing: medianSpacing(Float64Array.from(rowsOf(means.rows)), kept.length, width),
  };
}

/** Median over points [count, width] of the distance to the nearest other one; 0 for a single point. */
function medianSpacing(points: Float64Array, count: number, width: number): number {
  if (count < 2) return 0;
  const nearest = new Float64Array(count).fill(Infinity);
  for (let i = 0; i < count; i++)
    for (let j = 0; j < i; j++) {
      let sum = 0;
      for (let t = 0; t < width; t++) sum += (points[i * width + t] - points[j * width + t]) ** 2;
      nearest[i] = Math.min(nearest[i], sum);
      nearest[j] = Math.min(nearest[j], sum);
    }
  return Math.sqrt(nearest.sort()[Math.floor(count / 2)]);
}
