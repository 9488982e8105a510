import type { FeatureStatistics } from "../regressor.ts";

/** A feature whose range is below this fraction of its size (or of 1) is constant: it tells nothing. */
const CONSTANT = 1e-10;
/** Deviations are not taken smaller than this fraction of the feature's size … */
const SMALL = 1e-4;
/** … or of the largest deviation of the element: blown up to full size, faint features halve the accuracy on unseen frames. */
const FAINT = 0.05;

export type Scaling = "used" | "constant" | "bounded";

const sizeOf = (s: FeatureStatistics, t: number) => Math.max(Math.abs(s.min[t]), Math.abs(s.max[t]));

/** What the scaling does with feature t. */
export function scalingOf(s: FeatureStatistics, t: number): Scaling {
  if (s.count === 0 || s.max[t] - s.min[t] <= CONSTANT * Math.max(1, sizeOf(s, t))) return "constant";
  return s.deviation[t] < smallest(s, t) ? "bounded" : "used";
}

const smallest = (s: FeatureStatistics, t: number) =>
  Math.max(SMALL * sizeOf(s, t), FAINT * s.deviation.reduce((a, b) => Math.max(a, b), 0));

/** Factor for (G − mean), [size]: 1/deviation, bounded for tiny deviations, 0 for constant features. */
export const featureScale = (s: FeatureStatistics): Float64Array =>
  s.deviation.map((deviation, t) =>
    scalingOf(s, t) === "constant" ? 0 : 1 / Math.max(deviation, smallest(s, t)),
  );
