/** A mean with its error, and how long the values remember. */
export interface Mean {
  readonly mean: number;
  /** Standard error, correlation accounted for. */
  readonly error: number;
  /** Integrated autocorrelation time in numbers of values: error² = variance · 2τ/n. */
  readonly correlation: number;
}

/** Fewest blocks that an error is taken from. */
const FEWEST = 16;

/**
 * Mean and standard error of correlated values by block averages: blocks are doubled until their error no longer grows
 * (H. Flyvbjerg, H. G. Petersen, J. Chem. Phys. 91, 461 (1989), DOI 10.1063/1.457480).
 */
export function blockAverage(values: ArrayLike<number>): Mean {
  let level = Float64Array.from(values);
  const n = level.length;
  const mean = level.reduce((a, b) => a + b, 0) / n;
  const errorOf = (v: Float64Array) =>
    Math.sqrt(v.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (v.length * Math.max(1, v.length - 1)));
  const naive = errorOf(level);
  let error = naive;
  while (level.length >= 2 * FEWEST) {
    level = Float64Array.from(
      { length: Math.floor(level.length / 2) },
      (_, k) => (level[2 * k] + level[2 * k + 1]) / 2,
    );
    error = Math.max(error, errorOf(level));
  }
  return { mean, error, correlation: naive > 0 ? (error / naive) ** 2 / 2 : 0.5 };
}

/** Variance of correlated values with its error: the mean of squared deviations is itself a block average. */
export function blockVariance(values: ArrayLike<number>): Mean {
  const { mean } = blockAverage(values);
  return blockAverage(Float64Array.from(values, (x) => (x - mean) ** 2));
}
