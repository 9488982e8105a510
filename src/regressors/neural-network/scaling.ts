import type { FeatureStatistics } from "../regressor.ts";

/** A feature whose range is below this fraction of its size (or of 1) is constant: it tells nothing. */
const CONSTANT = 1e-10;
/** Deviations are not taken smaller than this fraction of the feature's size … */
const SMALL = 1e-4;
/** … or of the largest deviation of the element: blown up to full size, faint features halve the accuracy on unseen frames. */
const FAINT = 0.05;

export type Scaling = "used" | "constant" | "bounded";

const sizeOf = (s: FeatureStatistics, t: number) => Math.max(Math.abs(s.min[t]), Math.abs(s.max[t]));

/** The largest deviation of the features of an element. */
const largestOf = (s: FeatureStatistics): number => s.deviation.reduce((a, b) => Math.max(a, b), 0);

/** What the scaling does with feature t; `largest` is the largest deviation. */
export function scalingOf(s: FeatureStatistics, t: number, largest = largestOf(s)): Scaling {
  if (s.count === 0 || s.max[t] - s.min[t] <= CONSTANT * Math.max(1, sizeOf(s, t))) return "constant";
  return s.deviation[t] < smallest(s, t, largest) ? "bounded" : "used";
}

const smallest = (s: FeatureStatistics, t: number, largest: number) =>
  Math.max(SMALL * sizeOf(s, t), FAINT * largest);

/** Factor for (G − mean), [size]: 1/deviation, bounded for tiny deviations, 0 for constant features. */
export function featureScale(s: FeatureStatistics): Float64Array {
  const largest = largestOf(s);
  return s.deviation.map((deviation, t) =>
    scalingOf(s, t, largest) === "constant" ? 0 : 1 / Math.max(deviation, smallest(s, t, largest)),
  );
}
