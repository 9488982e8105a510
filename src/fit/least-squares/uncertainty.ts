import type { Pool } from "../../device/pool.ts";
import type { PreparedFit } from "../prepare.ts";
import { calibrate, type Calibration, type Ratios } from "./calibration.ts";
import { deviationsOf } from "./deviation-task.ts";
import type { LeastSquaresOutcome } from "./outcome.ts";
import { rowWeights } from "./weights.ts";

/** What is left of an energy that no other row says anything of. */
const LEAST = 1e-3;

/** The covariance of the parameters as the model keeps it, and how it was scaled. */
export interface Uncertainty {
  /** Packed root, scaled. */
  readonly posterior: Float64Array;
  readonly calibration: Calibration;
}

/**
 * Scales the covariance so that standard deviations are those of energies not fitted to: of the validation set, or of
 * the training set, each energy as a fit without it has it, ΔE/(1 − h) with the leverage h of its row. The packed
 * frames hold predictions of all sets.
 */
export async function uncertaintyOf(
  { split, training, learned, dataset }: PreparedFit,
  root: Float64Array,
  outcome: LeastSquaresOutcome,
  pool: Pool,
): Promise<Uncertainty> {
  const { data } = training;
  const known = { term: learned.term, elements: dataset.elements, data };
  const { energies } = data.predicted;
  const ratios = async (
    frames: readonly number[],
    share: (f: number, sigma: number) => number = () => 1,
  ): Promise<Ratios> => {
    const told = frames.filter((f) => data.labels(f).energy !== null);
    const sigma = await deviationsOf(pool, known, root, told);
    const errors = told.map((f, k) => Math.abs(energies[f] - data.labels(f).energy!) / share(f, sigma[k]));
    return errors.map((error, k) => error / sigma[k]).filter(Number.isFinite);
  };
  /** 1 − h, h = (w σ/noise)². */
  const unexplained = (f: number, sigma: number): number => {
    const { energy } = rowWeights(dataset.frames[f], data.weights[f], training.options);
    return Math.max(LEAST, 1 - ((energy * sigma) / outcome.noise) ** 2);
  };
  const counting = split.train.filter((f) => data.weights[f] > 0);
  const calibration = calibrate(
    await ratios(split.validation),
    await ratios(counting, unexplained),
    await ratios(split.test),
  );
  return { posterior: root.map((x) => calibration.scale * x), calibration };
}
