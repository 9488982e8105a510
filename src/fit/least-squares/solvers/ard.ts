import { noiseOf, penalised, type Solver } from "./solver.ts";

const STEPS = 300;
const SETTLED = 1e-3;
/** A column of length 1 with a stronger penalty than this has no influence and is left out. */
const OUT = 1e4;
const LEAST = 1e-16;

/**
 * One penalty for each column, by the evidence; columns whose penalty runs away are left out (automatic relevance
 * determination: M. E. Tipping, J. Mach. Learn. Res. 1, 211 (2001)): γ_k = 1 − λ_k (C Cᵀ)_kk, λ_k ← noise² γ_k/x_k².
 */
export const ard: Solver = function* (input) {
  const { system, rows } = input;
  const { columns, parameters: P } = system;
  const { free } = columns;
  const penalty = new Float64Array(P).fill(1e-8, free);
  let found = yield* system.solve(penalty);
  let settled = false;
  for (let step = 0; step < STEPS && !settled; step++) {
    const noise2 = noiseOf(found.error, rows, found.effective) ** 2;
    settled = true;
    for (let k = free; k < P; k++) {
      if (penalty[k] === Infinity) continue;
      let variance = 0;
      for (let j = k; j < P; j++) variance += found.inverse[k * P + j] ** 2;
      const gamma = Math.min(1, Math.max(0, 1 - penalty[k] * variance));
      const wanted = (noise2 * gamma) / found.x[k] ** 2;
      const next = wanted < OUT ? Math.max(LEAST, wanted) : Infinity;
      if (Math.abs(Math.log(next / penalty[k])) > SETTLED && next > 2 * LEAST) settled = false;
      penalty[k] = next;
    }
    found = yield* system.solve(penalty);
  }
  const rank = penalty.filter((l) => l < Infinity).length;
  const notes = [`${rank} of ${P} parameters are relevant, the others zero`];
  if (!settled) notes.push(`the evidence has not settled after ${STEPS} steps`);
  return yield* penalised(input, penalty, null, notes);
};
