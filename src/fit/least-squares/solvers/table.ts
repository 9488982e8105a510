import type { LeastSquaresOptions } from "../options.ts";
import { ard } from "./ard.ts";
import { bayesianRidge } from "./bayesian-ridge.ts";
import { lasso } from "./lasso.ts";
import { qr } from "./qr.ts";
import { ridge } from "./ridge.ts";
import type { Solver } from "./solver.ts";
import { svd } from "./svd.ts";

/** Every solver by its name in the options. */
export const solvers: Readonly<Record<LeastSquaresOptions["solver"], Solver>> = {
  qr,
  svd,
  ridge,
  "bayesian-ridge": bayesianRidge,
  ard,
  lasso,
};
