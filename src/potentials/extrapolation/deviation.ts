import { Posterior } from "../posterior.ts";
import type { GradeMethod } from "./grader.ts";

/** σ_i = |R φ(G_i)|: standard deviation of the atom's energy by the covariance RᵀR of the parameters, eV. */
export const deviation: GradeMethod = {
  name: "deviation",
  summary: "standard deviation of the atom's energy by the covariance of the parameters, eV",
  noteworthy: 0.1,
  build(record, basis) {
    if (!record.posterior || !basis) return null;
    const posterior = new Posterior(record.posterior);
    const row = new Float64Array(posterior.parameters);
    return {
      grade(G, grades) {
        let at = 0;
        for (const [e, { mean }] of record.elements.entries()) {
          const own = row.subarray(basis.starts[e], basis.starts[e + 1]);
          for (let c = 0; c < G.counts[e]; c++) {
            own.fill(0);
            basis.addValues(e, G.matrices[e].subarray(c * mean.length, (c + 1) * mean.length), row);
            grades[at++] = posterior.deviation(own, basis.starts[e]);
          }
        }
      },
    };
  },
};
