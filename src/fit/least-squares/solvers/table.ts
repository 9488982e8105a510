import type { LeastSquaresOptions, SettledSolver } from "../options.ts";
import { ard } from "./ard.ts";
import { bayesianRidge } from "./bayesian-ridge.ts";
import { lasso } from "./lasso.ts";
import { qr } from "./qr.ts";
import { ridge } from "./ridge.ts";
import type { Solver } from "./solver.ts";
import { svd } from "./svd.ts";

/** Solvers that work on triangles. */
export type TriangleSolver = Exclude<SettledSolver, "normal">;

/** Whether a solver works on triangles; else on normal equations. */
export const usesTriangles = (name: SettledSolver | "auto"): name is TriangleSolver => name in solvers;

/** Coefficients up to which plain least squares does, and equations that each of them should have. */
const FEW = 100;
const EQUATIONS = 10;

/**
 * The solver that "auto" stands for: one that holds back what the data do not determine where that may be much, else
 * plain least squares, and that too for a model that brings rows of its own (`prior`).
 */
export function settledSolver(
  solver: LeastSquaresOptions["solver"],
  problem: { readonly rows: number; readonly columns: number; readonly prior: boolean },
): SettledSolver {
  if (solver !== "auto") return solver;
  const { rows, columns, prior } = problem;
  return !prior && (columns > FEW || rows < EQUATIONS * columns) ? "bayesian-ridge" : "qr";
}

/** Every solver that works on triangles by its name in the options. */
export const solvers: Readonly<Record<TriangleSolver, Solver>> = {
  qr,
  svd,
  ridge,
  "bayesian-ridge": bayesianRidge,
  ard,
  lasso,
};
