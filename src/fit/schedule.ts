import { cos, variable } from "../formula/expression.ts";
import { evaluate } from "../formula/javascript.ts";
import type { TrainingOptions } from "./options.ts";

const angle = variable("x");
const cosine = cos(angle);

/** cos x with the project's own polynomial: the same bits on every engine. */
const cosOf = (x: number): number => evaluate([cosine], { x })[0];

/** Part of the highest rate at `progress` 0 … 1 of the steps, before any halving. */
const FALL: Record<TrainingOptions["schedule"], (progress: number, last: number) => number> = {
  /** last + (1 − last)(1 + cos πp)/2, https://arxiv.org/abs/1608.03983 without restarts. */
  cosine: (p, last) => last + ((1 - last) * (1 + cosOf(Math.PI * p))) / 2,
  plateau: () => 1,
  constant: () => 1,
};

/** Learning rate of step 0 … steps − 1, as a fraction of the highest: linear warm-up, then the fall. */
export function rateAt(step: number, steps: number, options: TrainingOptions): number {
  const warm = Math.round(options.warmUp * steps);
  if (step < warm) return (step + 1) / (warm + 1);
  return FALL[options.schedule]((step - warm) / Math.max(1, steps - warm), options.finalRate);
}

/** λ_E: from `energy` to `energyEnd` as the rate falls from 1 to its end (https://doi.org/10.1103/PhysRevLett.120.143001). */
export function energyWeight(step: number, steps: number, options: TrainingOptions): number {
  const { energy, energyEnd } = options.weights;
  const progress = steps > 1 ? step / (steps - 1) : 1;
  const fallen = (1 - cosOf(Math.PI * progress)) / 2;
  return energy + (energyEnd - energy) * fallen;
}
