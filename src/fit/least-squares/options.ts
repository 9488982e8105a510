import { z } from "../../zod.ts";

export const SOLVERS = ["qr", "svd", "ridge", "bayesian-ridge", "ard", "lasso", "normal"] as const;

/** A solver that is named, not left to the fit. */
export type SettledSolver = (typeof SOLVERS)[number];

/** Options of the fit in closed form. */
export const leastSquaresSchema = z.strictObject({
  solver: z
    .enum(["auto", ...SOLVERS])
    .default("auto")
    .meta({
      help: "auto: bayesian-ridge where there are more than 100 coefficients or fewer than 10 equations for each, else qr; qr: plain least squares; svd: without directions below the cut; ridge, lasso: strength by cross-validation; bayesian-ridge, ard: by evidence; normal: ridge of given strength by normal equations, for very many parameters",
    }),
  cut: z.number().min(0).lt(1).default(1e-13).meta({
    help: "singular values below this part of the largest are left out (svd), columns scaled to length 1",
  }),
  strength: z
    .union([z.literal("auto"), z.number().min(0)])
    .default("auto")
    .meta({
      help: "penalty of ridge, lasso and normal on columns scaled to length 1; auto: by cross-validation",
    }),
  folds: z
    .union([z.literal("auto"), z.literal("config_type"), z.int().min(0).max(100)])
    .default("auto")
    .meta({
      help: "parts that are left out one by one: config_types, or so many random ones; auto: config_types if there are 2 to 24, else 8, fewer where memory is short",
    }),
  memory: z
    .number()
    .positive()
    .default(1024)
    .meta({ unit: "MiB", help: "most memory for blocks of rows and triangular factors; more is an error" }),
});

export type LeastSquaresOptions = z.output<typeof leastSquaresSchema>;
