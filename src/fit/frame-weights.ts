import { invalid } from "../error.ts";
import type { Frame } from "../structure/structure.ts";
import type { FitOptions } from "./options.ts";
import type { Split } from "./split.ts";

/** Weight of a frame: of its own key, times that of its configuration type. */
function weightOf(frame: Frame, { key, configType }: FitOptions["training"]["weights"]): number {
  const byType = frame.configType === undefined ? 1 : (configType[frame.configType] ?? 1);
  if (key === null) return byType;
  const own = frame.info[key];
  if (typeof own !== "number" || !(own >= 0))
    throw invalid(`${frame.place}: ${key}`, "a weight of 0 or more", own === undefined ? "nothing" : own);
  return own * byType;
}

/** Weights of all frames, [frames]. */
export function checkWeights(
  frames: readonly Frame[],
  options: FitOptions["training"]["weights"],
): Float64Array {
  const known = new Set(frames.map((f) => f.configType));
  const stray = Object.keys(options.configType).find((name) => !known.has(name));
  if (stray !== undefined)
    throw invalid("training.weights.configType", `one of ${[...known].join(", ")}`, stray);
  return Float64Array.from(frames, (frame) => weightOf(frame, options));
}

/** Weights of groups are of rows, which only a fit in closed form has. */
export function checkGroups({ weights, optimiser }: FitOptions["training"], closed: boolean): void {
  for (const own of ["groups", "sigma"] as const)
    if (!closed && Object.keys(weights[own]).length > 0)
      throw invalid(`training.weights.${own}`, "none for an optimiser other than least-squares", optimiser);
  if (Object.keys(weights.groups).length > 0 && Object.keys(weights.sigma).length > 0)
    throw invalid("training.weights", "either groups or sigma", "both");
}

/** Refuses a set that nothing can be learned from or judged by. */
export function checkSets(split: Split, weights: Float64Array): void {
  for (const set of ["train", "validation"] as const)
    if (split[set].length > 0 && split[set].every((f) => weights[f] === 0))
      throw invalid("training.weights", `a frame of the ${set} set with a weight above 0`, "only zeros");
}
