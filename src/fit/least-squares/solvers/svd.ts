import { singularValues } from "../../../math/singular.ts";
import type { Work } from "../../../math/work.ts";
import type { System } from "../system.ts";
import { noiseOf, penalised, type Solution, type Solver, type SolverInput } from "./solver.ts";

/** x without the directions whose singular value is below `cut` times the largest, with F Fᵀ = V Σ⁻² Vᵀ of those that stay. */
export function* truncated(
  system: System,
  cut: number,
): Work<{ x: Float64Array; factor: Float64Array; rank: number }> {
  const n = system.parameters;
  const { values, y, vectors } = yield* singularValues(yield* system.bidiagonal(), true);
  const rank = values.filter((s) => s > cut * values[0]).length;
  const x = new Float64Array(n);
  const factor = new Float64Array(n * rank);
  for (let k = 0; k < rank; k++)
    for (let i = 0; i < n; i++) {
      const v = vectors![k * n + i] / values[k];
      x[i] += v * y[k];
      factor[i * rank + k] = v;
    }
  return { x, factor, rank };
}

/** The solution without small singular values. */
export function* solveTruncated(
  { system, rows }: SolverInput,
  cut: number,
  notes: readonly string[],
): Work<Solution> {
  const { x, factor, rank } = yield* truncated(system, cut);
  const noise = noiseOf(system.error(x), rows, rank);
  const again = function* (rest: System) {
    return (yield* truncated(rest, cut)).x;
  };
  return { x, factor, width: rank, again, noise, effective: rank, rank, strength: null, notes };
}

/** Singular values below the cut are left out: the solution of least norm, columns scaled to length 1. */
export const svd: Solver = function* (input) {
  // Where no direction is cut the solution is that of the triangle, without vectors, which cost 1600 columns minutes.
  if ((yield* input.system.condition()) * input.options.cut < 1) return yield* penalised(input, null, null);
  const P = input.system.parameters - input.system.empty.length;
  const solution = yield* solveTruncated(input, input.options.cut, []);
  if (solution.rank === P) return solution;
  return { ...solution, notes: [undetermined(solution.rank, P)] };
};

export const undetermined = (rank: number, P: number): string =>
  `the data determine ${rank} of ${P} directions of the parameters; the others are left at zero`;
