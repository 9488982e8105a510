import { singularValues } from "../../../math/singular.ts";
import { penalised, uniform, type Solver } from "./solver.ts";

const STEPS = 500;
const SETTLED = 1e-6;
/** λ stays between these, on columns of length 1. */
const LEAST = 1e-16;
const MOST = 1e4;

/**
 * Ridge whose strength maximises the evidence of the data (D. J. C. MacKay, DOI 10.1162/neco.1992.4.3.415): with
 * γ = Σ s²/(s² + λ), λ ← γ/|x|² · |Ax − b|²/(n − γ), the ratio of the precisions of parameters and noise.
 */
export const bayesianRidge: Solver = function* (input) {
  const { system, rows } = input;
  const { values, y } = yield* singularValues(yield* system.bidiagonal(system.penalised), false);
  const { free } = system.columns;
  let lambda = 1e-8;
  let settled = false;
  for (let step = 0; step < STEPS && !settled; step++) {
    let [gamma, norm, error] = [0, 0, system.unreachable];
    for (let k = 0; k < values.length; k++) {
      const s2 = values[k] ** 2;
      gamma += s2 / (s2 + lambda);
      norm += ((values[k] * y[k]) / (s2 + lambda)) ** 2;
      error += ((lambda * y[k]) / (s2 + lambda)) ** 2;
    }
    const wanted = (gamma / norm) * (error / Math.max(1, rows - free - gamma));
    const next = Math.min(MOST, Math.max(LEAST, Number.isFinite(wanted) ? wanted : MOST));
    settled = Math.abs(next - lambda) <= SETTLED * lambda;
    lambda = next;
  }
  const notes = settled ? [] : [`the evidence has not settled after ${STEPS} steps`];
  return yield* penalised(input, uniform(system, lambda), lambda, notes);
};
