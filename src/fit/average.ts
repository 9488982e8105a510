/** Weight averaging: plain data, part of a checkpoint. */
export interface Average {
  /** [P]. */
  readonly values: Float64Array;
  /** How many times it was updated, [1]. */
  readonly count: Float64Array;
}

/** Starts from the given parameters. */
export const startAverage = (parameters: Float64Array): Average => ({
  values: parameters.slice(),
  count: new Float64Array(1),
});

/**
 * Exponential moving average ā ← d ā + (1 − d) θ with d = min(decay, (1 + t)/(10 + t)), so that the start is
 * forgotten quickly; decay 0 makes ā = θ. https://doi.org/10.1137/0330046
 */
export function updateAverage(average: Average, parameters: Float64Array, decay: number): void {
  const t = average.count[0]++;
  const d = Math.min(decay, (1 + t) / (10 + t));
  const a = average.values;
  for (let k = 0; k < a.length; k++) a[k] += (1 - d) * (parameters[k] - a[k]);
}
