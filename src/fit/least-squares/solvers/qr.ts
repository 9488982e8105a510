import { penalised, type Solver } from "./solver.ts";
import { solveTruncated, undetermined } from "./svd.ts";

/** From here on the columns are no longer told apart by numbers of 53 bits. */
const SINGULAR = 1e13;

/** Plain least squares by back substitution; directions that the data do not determine are left at zero, and it says so. */
export const qr: Solver = function* (input) {
  const { system } = input;
  if ((yield* system.condition()) < SINGULAR) return yield* penalised(input, null, null);
  const solution = yield* solveTruncated(input, 1 / SINGULAR, []);
  return { ...solution, notes: [undetermined(solution.rank, system.parameters - system.empty.length)] };
};
