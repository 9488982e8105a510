import { addErrors, ERROR_SUMS, errorsOf, type SetErrors } from "../errors.ts";
import type { PackedFrames } from "../packed.ts";
import type { SettledSolver } from "./options.ts";

/** One fold in the report. */
export interface FoldOutcome {
  readonly name: string;
  readonly frames: number;
  /** Effective number of parameters that its rows determine; over all folds they add up to `effective`. */
  readonly leverage: number;
  /** Errors of its frames in a fit without them; null where there is one fold only. */
  readonly leftOut: SetErrors | null;
}

/** What a fit in closed form found beside the parameters. */
export interface LeastSquaresOutcome {
  readonly solver: SettledSolver;
  readonly rows: number;
  readonly parameters: number;
  /** Directions or columns in use. */
  readonly rank: number;
  /** Effective number of parameters: less than the rank where a penalty holds some back. */
  readonly effective: number;
  /** σ_max/σ_min of the columns in use of the weighted design matrix, and with these scaled to length 1; null where it is not worked out. */
  readonly condition: number | null;
  readonly scaledCondition: number | null;
  /** Parameters that are 0 because their column is, or because others make it up. */
  readonly unused: readonly number[];
  /** λ on columns of length 1, where there is one. */
  readonly strength: number | null;
  /** Standard deviation of a weighted row. */
  readonly noise: number;
  readonly folds: readonly FoldOutcome[];
  readonly notes: readonly string[];
}

/** The outcome, and what the model's uncertainty is made of. */
export interface LeastSquaresResult {
  readonly outcome: LeastSquaresOutcome;
  /** Root of the covariance of the parameters, noise included: see `Posterior`; null where it is not worked out. */
  readonly root: Float64Array | null;
}

/** Errors of what the packed frames hold as predictions. */
export function errorsIn(data: PackedFrames, frames: readonly number[]): SetErrors {
  const sums = new Float64Array(ERROR_SUMS);
  for (const f of frames) {
    const forces = data.predicted.forces.subarray(3 * data.first[f], 3 * data.first[f + 1]);
    const virial = data.predicted.virials.subarray(9 * f, 9 * f + 9);
    addErrors(sums, data.size(f), data.predicted.energies[f], forces, virial, data.labels(f));
  }
  return errorsOf(sums);
}
