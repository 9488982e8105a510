import type { FrameLabels } from "./loss.ts";

/** What errors are counted of: total energies, eV; energies per atom; components of forces, eV/Å, and of virials per atom, eV. */
const QUANTITIES = ["energy", "energyPerAtom", "forces", "virialPerAtom"] as const;

/** Numbers that the errors of any number of frames come down to: count, Σ|e| and Σe² of each quantity. */
export const ERROR_SUMS = 3 * QUANTITIES.length;

/** How wrong predictions are; null where there are no labels. */
export type SetErrors = Readonly<
  Record<(typeof QUANTITIES)[number], { readonly rmse: number; readonly mae: number } | null>
>;

function add(sums: Float64Array, quantity: number, error: number): void {
  sums[3 * quantity]++;
  sums[3 * quantity + 1] += Math.abs(error);
  sums[3 * quantity + 2] += error * error;
}

/** Adds the errors of one frame of n atoms. */
export function addErrors(
  sums: Float64Array,
  n: number,
  energy: number,
  forces: Float64Array,
  virial: Float64Array,
  labels: FrameLabels,
): void {
  if (labels.energy !== null) {
    add(sums, 0, energy - labels.energy);
    add(sums, 1, (energy - labels.energy) / n);
  }
  labels.forces?.forEach((f, k) => add(sums, 2, forces[k] - f));
  labels.virial?.forEach((w, k) => add(sums, 3, (virial[k] - w) / n));
}

/** RMSE and MAE of what was added. */
export function errorsOf(sums: ArrayLike<number>): SetErrors {
  const errors = QUANTITIES.map((name, q) => {
    const [count, absolute, square] = [sums[3 * q], sums[3 * q + 1], sums[3 * q + 2]];
    return [name, count > 0 ? { rmse: Math.sqrt(square / count), mae: absolute / count } : null];
  });
  return Object.fromEntries(errors) as SetErrors;
}
