import { ridge as damped } from "../../../math/bidiagonal.ts";
import { invalid } from "../../../error.ts";
import type { Work } from "../../../math/work.ts";
import { penalised, uniform, type Solver, type SolverInput } from "./solver.ts";

/** Strengths looked at, on columns of length 1. */
const STRENGTHS = Array.from({ length: 57 }, (_, k) => 10 ** (-14 + k / 4));

/** The strength whose squared error on folds that were left out is least; with two alike, the stronger. */
function* crossValidated(input: SolverInput): Work<number> {
  if (input.folds < 2)
    throw invalid("training.leastSquares.strength", "a number where there are no folds to leave out", "auto");
  const errors = new Float64Array(STRENGTHS.length);
  yield* input.leaveOut(function* (rest, errorOf) {
    const form = yield* rest.bidiagonal(rest.penalised);
    for (const [k, lambda] of STRENGTHS.entries()) {
      errors[k] += errorOf(rest.complete(damped(form, lambda)));
      yield;
    }
  });
  const least = Math.min(...errors);
  return STRENGTHS[errors.lastIndexOf(least)];
}

/** |A θ − b|² + λ |θ|² on columns of length 1, constants free; λ by cross-validation unless given. */
export const ridge: Solver = function* (input) {
  const { strength } = input.options;
  const lambda = strength === "auto" ? yield* crossValidated(input) : strength;
  const notes =
    strength === "auto" && lambda === STRENGTHS[0] && (yield* input.system.condition()) < 1e13
      ? [
          "no penalty does better on the folds left out than the smallest one: plain least squares (qr) would do",
        ]
      : [];
  return yield* penalised(input, uniform(input.system, lambda), lambda, notes);
};
