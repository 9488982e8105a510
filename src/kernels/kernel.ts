import type { ZodType } from "zod";
import type { Expr } from "../formula/expression.ts";

/**
 * What a kernel depends on: "distance" r = √Σ_d ((x_d − x′_d)/ℓ_d)², "product" p = Σ_d x_d x′_d/ℓ_d², "same" 1 where
 * the two points are one and the same observation and else 0, "nothing".
 */
export type Argument = "distance" | "product" | "same" | "nothing";

/** What the table of kernels holds: adding one is one file, one line in `table.ts`, one section in docs/kernels.md. */
export interface KernelMethod<Options = unknown> {
  readonly name: string;
  readonly summary: string;
  readonly argument: Argument;
  /** Every option once; `length` (one number or one per dimension) is an option of those of distances and products. */
  readonly options: ZodType<Options>;
  /** Positive numbers beside the lengths that may be optimised, by name, with their values at the start. */
  hyperparameters(options: Options): Readonly<Record<string, number>>;
  /** k of its argument, a positive definite function; derivatives are generated. */
  formula(argument: Expr, hyperparameters: Readonly<Record<string, Expr>>, options: Options): Expr;
}
