import type { GradeMethod } from "./grader.ts";

/** Name of the array in a record: the map from (1, G) to coefficients in the active set, [size + 1, rank], row-major. */
export const ACTIVE = "active";

/**
 * γ_i = max_k |c_k| with (1, G_i) = Σ_k c_k (1, G_k) over the training environments k of greatest volume: up to 1
 * inside, above 1 where the environment extrapolates (E. V. Podryabinkin, A. V. Shapeev,
 * 10.1016/j.commatsci.2017.08.031; Y. Lysogorskiy et al., 10.1103/PhysRevMaterials.7.043801).
 */
export const dOptimality: GradeMethod = {
  name: "d-optimality",
  summary:
    "largest coefficient of an atom's features in the training environments of greatest volume; above 1 it extrapolates",
  noteworthy: 2,
  build({ elements }) {
    if (elements.some(({ more, count, mean }) => count > 0 && mean.length > 0 && !more[ACTIVE])) return null;
    return {
      grade(G, grades) {
        let at = 0;
        for (const [e, { mean, more }] of elements.entries()) {
          const size = mean.length;
          const map = more[ACTIVE] ?? new Float64Array(0);
          const rank = map.length / (size + 1);
          const c = new Float64Array(rank);
          for (let k = 0; k < G.counts[e]; k++) {
            c.set(map.subarray(0, rank));
            for (let t = 0, m = rank; t < size; t++) {
              const g = G.matrices[e][k * size + t] - mean[t];
              for (let j = 0; j < rank; j++) c[j] += g * map[m++];
            }
            let most = 0;
            for (let j = 0; j < rank; j++) most = Math.max(most, Math.abs(c[j]));
            grades[at++] = most;
          }
        }
      },
    };
  },
};
