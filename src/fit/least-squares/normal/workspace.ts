import type { Expected } from "../../course.ts";
import type { Equations } from "./equations.ts";
import type { NormalSolver } from "./solve.ts";

/** Normal equations and what solves them, reserved once for a fit. */
export class NormalWorkspace {
  readonly equations: Equations;
  readonly solver: NormalSolver;
  /** What will be done, and how long it takes. */
  readonly stages: readonly Expected[];

  constructor(equations: Equations, solver: NormalSolver, stages: readonly Expected[]) {
    this.equations = equations;
    this.solver = solver;
    this.stages = stages;
  }
}
