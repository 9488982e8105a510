import type { Pool } from "../../device/pool.ts";
import type { Deviations } from "../../potentials/potential.ts";
import type { GaussianProcessPotential } from "../../potentials/gaussian-process.ts";
import { remaining } from "../../regressors/gaussian-process/deviation.ts";
import type { GaussianProcess } from "../../regressors/gaussian-process/exact.ts";
import { denseSlopes } from "../../regressors/gaussian-process/molecules.ts";
import { QueryRows } from "../../regressors/gaussian-process/query-rows.ts";
import { calibrate } from "../least-squares/calibration.ts";
import type { PackedFrames } from "../packed.ts";
import type { Calibrations, Shares } from "../whole/outcome.ts";

/** Frames of a set that are looked at: most, and least where each costs much. */
const LOOKED = 200;
const LEAST = 40;
/** Operations for all of them. */
const OPERATIONS = 1e11;
/** Columns that one thread solves for at a time. */
const COLUMNS = 128;

/** Deviations within which 5, 15, …, 95 % of normally distributed errors lie. */
const QUANTILES = [0.06271, 0.18912, 0.31864, 0.45376, 0.59776, 0.75542, 0.93459, 1.15035, 1.43953, 1.95996];

interface Ratios {
  readonly energies: readonly number[];
  readonly forces: readonly number[];
}

/** A factorised process, the term that it is of, and predictions of all frames. */
export interface Judged {
  readonly pool: Pool;
  readonly model: GaussianProcessPotential;
  readonly gaussian: GaussianProcess;
  readonly theta: Float64Array;
  readonly data: PackedFrames;
}

/** Frames of a set that are looked at, where n observations stand behind each of so many columns. */
export function lookedAt(frames: number, n: number, columns: number): number {
  const affordable = Math.floor(Math.max(OPERATIONS, n ** 3 / 6) / (2 * columns * n * n));
  return Math.min(frames, LOOKED, Math.max(LEAST, affordable));
}

/** Frames in one batch of right-hand sides. */
const batchOf = (threads: number, columns: number): number =>
  Math.max(1, Math.floor((threads * COLUMNS) / columns));

/** Bytes of a batch for n observations and a molecule of so many coordinates. */
export const batchBytes = (n: number, coordinates: number, threads: number): number =>
  8 * n * (1 + coordinates) * batchOf(threads, 1 + coordinates);

/** Standard deviations of structures, batch by batch on all threads. */
class Many {
  readonly #judged: Judged;
  readonly #rows: QueryRows;
  readonly #batch: number;
  readonly #address: number;

  constructor(judged: Judged) {
    const { pool, model, gaussian, theta } = judged;
    const { active } = model.descriptor;
    this.#judged = judged;
    this.#rows = new QueryRows(pool.device, gaussian.kernel, model.raw, gaussian.mean, active.length);
    this.#rows.set(theta);
    this.#batch = batchOf(pool.threads, 1 + active.length);
    this.#address = pool.device.memory.alloc(8 * gaussian.size * (1 + active.length) * this.#batch);
  }

  async of(frames: readonly number[]): Promise<Deviations[]> {
    const out: Deviations[] = [];
    for (let at = 0; at < frames.length; at += this.#batch)
      // batches share the room
      out.push(...(await this.#solve(frames.slice(at, at + this.#batch))));
    return out;
  }

  async #solve(frames: readonly number[]): Promise<Deviations[]> {
    const { pool, model, gaussian, data } = this.#judged;
    const { memory } = pool.device;
    const { active, size } = model.descriptor;
    const length = (1 + active.length) * gaussian.size;
    const rowsOf = (k: number) => memory.f64(this.#address + 8 * k * length, length);
    const priors = frames.map((f, k) => {
      const slopes = new Float64Array(active.length * size);
      const { features } = denseSlopes(model.descriptor, data.structure(f).positions, slopes);
      return this.#rows.fill(features, slopes, rowsOf(k));
    });
    await gaussian.forward(this.#address, frames.length * (1 + active.length));
    return priors.map((prior, k) => {
      const [energy, ...along] = remaining(prior, rowsOf(k)).map(Math.sqrt);
      const forces = new Float64Array(3 * model.descriptor.numbers.length);
      active.forEach((c, a) => (forces[c] = along[a]));
      return { energy, forces };
    });
  }
}

/** |error|/σ of energies and forces; the packed frames hold predictions. */
async function ratiosOf(many: Many, data: PackedFrames, looked: readonly number[]): Promise<Ratios> {
  const energies: number[] = [];
  const forces: number[] = [];
  for (const [k, sigma] of (await many.of(looked)).entries()) {
    const f = looked[k];
    const labels = data.labels(f);
    if (labels.energy !== null && sigma.energy > 0)
      energies.push(Math.abs(data.predicted.energies[f] - labels.energy) / sigma.energy);
    labels.forces?.forEach((wanted, c) => {
      if (sigma.forces[c] > 0)
        forces.push(Math.abs(data.predicted.forces[3 * data.first[f] + c] - wanted) / sigma.forces[c]);
    });
  }
  return { energies, forces };
}

function sharesOf(set: Shares["set"], ratios: Ratios, scales: Calibrations): Shares[] {
  return (["energies", "forces"] as const).flatMap((what) => {
    const all = ratios[what];
    if (all.length === 0) return [];
    const { scale } = scales[what];
    const within = (limits: readonly number[], by: number) =>
      limits.map((limit) => all.filter((r) => r <= by * limit).length / all.length);
    return [
      {
        set,
        what,
        count: all.length,
        before: within([1, 2, 3], 1),
        after: within([1, 2, 3], scale),
        curve: { before: within(QUANTILES, 1), after: within(QUANTILES, scale) },
      },
    ];
  });
}

/**
 * Factors that make standard deviations of energies and of forces hold on the validation set, and shares of errors
 * within them, before and after.
 */
export async function judgeDeviations(
  judged: Judged,
  validation: readonly number[],
  test: readonly number[],
): Promise<{ readonly calibration: Calibrations; readonly shares: readonly Shares[] }> {
  const { model, gaussian, data } = judged;
  const many = new Many(judged);
  const some = (frames: readonly number[]) => {
    const count = lookedAt(frames.length, gaussian.size, 1 + model.descriptor.active.length);
    return Array.from({ length: count }, (_, k) => frames[Math.floor(((k + 0.5) * frames.length) / count)]);
  };
  const known = await ratiosOf(many, data, some(validation));
  const unseen = await ratiosOf(many, data, some(test));
  const calibration = {
    energies: calibrate(known.energies, [], unseen.energies),
    forces: calibrate(known.forces, [], unseen.forces),
  };
  const shares = [...sharesOf("validation", known, calibration), ...sharesOf("test", unseen, calibration)];
  return { calibration, shares };
}
