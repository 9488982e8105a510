import type { Equations } from "./equations.ts";
import type { NormalSolver } from "./solve.ts";

/** Normal equations and what solves them, reserved once for a fit. */
export class NormalWorkspace {
  readonly equations: Equations;
  readonly solver: NormalSolver;

  constructor(equations: Equations, solver: NormalSolver) {
    this.equations = equations;
    this.solver = solver;
  }
}
