import type { output } from "zod";
import { array, enum as oneOf, int, literal, number, strictObject, union } from "../../zod.ts";

/** Options of the regressor "symmetric-gradient-domain". */
export const options = strictObject({
  length: union([literal("auto"), number().positive()])
    .default("auto")
    .meta({
      unit: "1/Å",
      help: "σ of the kernel; auto: the best of `lengths` on training frames left out",
    }),
  lengths: array(number().positive())
    .min(1)
    .default([5, 7, 10, 14, 20, 28, 40, 56, 80])
    .meta({ unit: "1/Å", help: "lengths that auto chooses from" }),
  sample: int().min(50).default(4000).meta({ help: "most equations from which the length is chosen" }),
  ridge: number()
    .positive()
    .default(1e-10)
    .meta({ help: "λ on the diagonal of the covariance, which is at most 1" }),
  permutations: union([oneOf(["learn", "none"]), array(array(int().min(0))).min(1)])
    .default("learn")
    .meta({
      help: "orders of the atoms that are the same molecule: learned from the training frames, none, or generators of the group, atoms counted from 0",
    }),
  solver: oneOf(["auto", "exact", "iterative"])
    .default("auto")
    .meta({ help: "exact: Cholesky; iterative: conjugate gradients; auto: exact if it fits in memory" }),
  memory: number().positive().default(3600).meta({ unit: "MiB", help: "most memory for matrices" }),
  tolerance: number()
    .positive()
    .default(5e-4)
    .meta({ help: "iterative: |y − (K + λ) α|/|y| at which it ends" }),
  iterations: int().min(1).default(500).meta({ help: "iterative: most iterations" }),
  inducing: union([literal("auto"), int().min(1)])
    .default("auto")
    .meta({ help: "iterative: frames whose columns of the covariance make the preconditioner" }),
});

export type GradientDomainOptions = output<typeof options>;
