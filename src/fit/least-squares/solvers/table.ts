import type { LeastSquaresOptions } from "../options.ts";
import { ard } from "./ard.ts";
import { bayesianRidge } from "./bayesian-ridge.ts";
import { lasso } from "./lasso.ts";
import { qr } from "./qr.ts";
import { ridge } from "./ridge.ts";
import type { Solver } from "./solver.ts";
import { svd } from "./svd.ts";

/** Solvers that work on triangles. */
export type TriangleSolver = Exclude<LeastSquaresOptions["solver"], "normal">;

/** Whether a solver works on triangles; else on normal equations. */
export const usesTriangles = (name: LeastSquaresOptions["solver"]): name is TriangleSolver => name in solvers;

/** Every solver that works on triangles by its name in the options. */
export const solvers: Readonly<Record<TriangleSolver, Solver>> = {
  qr,
  svd,
  ridge,
  "bayesian-ridge": bayesianRidge,
  ard,
  lasso,
};
