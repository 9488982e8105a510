import type { Pool } from "../../device/pool.ts";
import type { PreparedFit } from "../prepare.ts";
import { calibrate, type Calibration, type Ratios } from "./calibration.ts";
import { deviationsOf } from "./deviation-task.ts";
import type { LeastSquaresResult } from "./outcome.ts";

/** The covariance of the parameters as the model keeps it, and how it was scaled. */
export interface Uncertainty {
  /** Packed root, scaled. */
  readonly posterior: Float64Array;
  readonly calibration: Calibration;
}

/**
 * Scales the covariance so that standard deviations are those of energies not fitted to: of the validation set, or of
 * the folds as fits without them give them. The packed frames hold predictions of all sets.
 */
export async function uncertaintyOf(
  { split, training, learned, dataset }: PreparedFit,
  { root, leftOut }: LeastSquaresResult,
  pool: Pool,
): Promise<Uncertainty> {
  const { data } = training;
  const known = { term: learned.term, elements: dataset.elements, data };
  const ratios = async (frames: readonly number[], energies: Float64Array): Promise<Ratios> => {
    const told = frames.filter((f) => data.labels(f).energy !== null && Number.isFinite(energies[f]));
    const sigma = await deviationsOf(pool, known, root, told);
    return told
      .map((f, k) => Math.abs(energies[f] - data.labels(f).energy!) / sigma[k])
      .filter(Number.isFinite);
  };
  const { energies } = data.predicted;
  const calibration = calibrate(
    await ratios(split.validation, energies),
    await ratios(split.train, leftOut),
    await ratios(split.test, energies),
  );
  return { posterior: root.map((x) => calibration.scale * x), calibration };
}
