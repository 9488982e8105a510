import { PolynomialBasis } from "../../regressors/linear/basis.ts";
import { countOf } from "../../regressors/linear/options.ts";
import { Posterior } from "../posterior.ts";
import type { GradeMethod } from "./grader.ts";
import type { TrainingRecord } from "./record.ts";

/** The basis whose parameters a posterior is of: linear, or quadratic where it has so many. */
function basisOf({ elements }: TrainingRecord, P: number): PolynomialBasis | null {
  for (const quadratic of [false, true]) {
    const starts = [0];
    for (const { mean } of elements) starts.push(starts.at(-1)! + countOf({ quadratic }, mean.length));
    if (starts.at(-1) === P) return new PolynomialBasis(starts, { quadratic, bias: true });
  }
  return null;
}

/** σ_i = |R φ(G_i)|: standard deviation of the atom's energy by the covariance RᵀR of the parameters, eV. */
export const deviation: GradeMethod = {
  name: "deviation",
  summary: "standard deviation of the atom's energy by the covariance of the parameters, eV",
  noteworthy: 0.1,
  build(record) {
    if (!record.posterior) return null;
    const posterior = new Posterior(record.posterior);
    const basis = basisOf(record, posterior.parameters);
    if (!basis) return null;
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
