import type { ElementRecord } from "./record.ts";
import type { GradeMethod } from "./grader.ts";

/** A range is not taken smaller than this part of the feature's size: below, it is a constant with noise … */
const SMALL = 1e-4;
/** … nor than this part of the element's widest range … */
const FAINT = 1e-6;
/** … nor than this, where every feature has been 0. */
const LEAST = 1e-12;

/** Widths in which the excess of each feature is counted, [size]: its training range, bounded below. */
export function widths({ min, max }: ElementRecord): Float64Array {
  const widest = max.reduce((most, x, t) => Math.max(most, x - min[t]), 0);
  return max.map((x, t) =>
    Math.max(x - min[t], SMALL * Math.max(Math.abs(x), Math.abs(min[t])), FAINT * widest, LEAST),
  );
}

/** How far a value lies outside [min, max]: below 0 inside, by the distance to the nearer end. */
export const excess = (x: number, min: number, max: number): number => Math.max(x - max, min - x);

/**
 * g_i = max_t max(0, G_t − max_t, min_t − G_t) / (max_t − min_t): 0 inside every training range, 1 where a feature is
 * outside by a whole range.
 */
export const range: GradeMethod = {
  name: "range",
  summary: "largest excess of a feature over its training range, in units of that range; 0 inside",
  noteworthy: 0.1,
  build({ elements }) {
    const inverses = elements.map((record) => widths(record).map((w) => 1 / w));
    return {
      grade(G, grades) {
        let at = 0;
        for (const [e, { min, max }] of elements.entries()) {
          const [matrix, inverse, size] = [G.matrices[e], inverses[e], min.length];
          for (let c = 0; c < G.counts[e]; c++) {
            let worst = 0;
            for (let t = 0, k = c * size; t < size; t++, k++) {
              const x = matrix[k];
              if (x > max[t]) worst = Math.max(worst, (x - max[t]) * inverse[t]);
              else if (x < min[t]) worst = Math.max(worst, (min[t] - x) * inverse[t]);
            }
            grades[at++] = worst;
          }
        }
      },
    };
  },
};
