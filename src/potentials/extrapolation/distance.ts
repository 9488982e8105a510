import { EnvironmentSet, unitOf } from "./environment-set.ts";
import type { GradeMethod } from "./grader.ts";

/**
 * d_i = min_k |z_i − z_k| / s over the environments k that stand for the training data of the element, z scaled features,
 * s their spacing: above 1 where an atom is farther from what was seen than that is from each other.
 */
export const distance: GradeMethod = {
  name: "distance",
  summary: "distance to the nearest training environment, in units of how far those are from each other",
  noteworthy: 1.5,
  build({ elements }) {
    if (elements.every(({ frames }) => frames.length === 0)) return null;
    const sets = elements.map((record) => EnvironmentSet.of(record));
    return {
      grade(G, grades) {
        let at = 0;
        for (const [e, record] of elements.entries()) {
          const [matrix, size, unit] = [G.matrices[e], record.mean.length, unitOf(record)];
          for (let c = 0; c < G.counts[e]; c++)
            grades[at++] = sets[e].nearest(matrix.subarray(c * size, (c + 1) * size)).distance / unit;
        }
      },
    };
  },
};
