import { invalid } from "../../error.ts";
import type { SetMetrics } from "../metrics.ts";

const LABELS = ["energyPerAtom", "forces", "stress"] as const;
type Label = (typeof LABELS)[number];

/** How much each error counts. */
export type Weights = Readonly<Record<Label, number>>;

/** Reads "energy=1,forces=2"; what is not named does not count. */
export function readWeights(text: string): Weights {
  const weights = { energyPerAtom: 0, forces: 0, stress: 0 };
  for (const part of text.split(",")) {
    const [name, value, more] = part.split("=").map((word) => word.trim());
    const label = name === "energy" ? "energyPerAtom" : LABELS.find((l) => l === name);
    const weight = Number(value);
    if (!label || more !== undefined || !value || !(weight >= 0 && Number.isFinite(weight)))
      throw invalid("--objective", "energy=, forces=, stress= with weights of 0 or more", text);
    weights[label] = weight;
  }
  if (LABELS.every((label) => weights[label] === 0)) throw invalid("--objective", "a weight above 0", text);
  return weights;
}

/** RMSE of energies per atom (eV), force components (eV/Å), stress components (eV/Å³); null where there are no labels. */
export type Scores = Readonly<Record<Label, number | null>>;

/** The errors of one set that an objective is made of. */
export const scoresOf = ({ all }: Pick<SetMetrics, "all">): Scores => ({
  energyPerAtom: all.energyPerAtom?.rmse ?? null,
  forces: all.forces?.rmse ?? null,
  stress: all.stress?.rmse ?? null,
});

/** Σ w·RMSE/RMSE of the first trial / Σ w over the labels that are there: 1 is as good as the start. */
export function objective(scores: Scores, first: Scores, weights: Weights): number {
  let [sum, total] = [0, 0];
  for (const label of LABELS) {
    const [value, start] = [scores[label], first[label]];
    if (weights[label] === 0 || value === null || start === null) continue;
    sum += weights[label] * (start > 0 ? value / start : value === 0 ? 1 : Infinity);
    total += weights[label];
  }
  if (total === 0) throw invalid("--objective", "labels that the validation frames have", "none of them");
  return sum / total;
}
