import type { output } from "zod";
import { add, div, exp, log, mul, square } from "../formula/expression.ts";
import { number, strictObject } from "../zod.ts";
import type { KernelMethod } from "./kernel.ts";
import { length } from "./lengths.ts";

const options = strictObject({
  length,
  alpha: number().positive().default(1).meta({ help: "α: the smaller, the more length scales are mixed" }),
});

/** k = (1 + r²/2α)^−α: rbf of many lengths (Rasmussen, Williams, 2006, eq. 4.19). */
export const rationalQuadratic: KernelMethod<output<typeof options>> = {
  name: "rational-quadratic",
  summary: "(1 + r²/2α)^−α: a mixture of rbf with many lengths",
  argument: "distance",
  options,
  hyperparameters: ({ alpha }) => ({ alpha }),
  formula: (r, { alpha }) => exp(mul(mul(-1, alpha), log(add(1, div(mul(0.5, square(r)), alpha))))),
};
