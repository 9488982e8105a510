import { exp, mul, square } from "../formula/expression.ts";
import type { KernelMethod } from "./kernel.ts";
import { onlyLength, type OnlyLength } from "./lengths.ts";

/** k = exp(−r²/2) (C. E. Rasmussen, C. K. I. Williams, Gaussian Processes for Machine Learning, 2006, eq. 4.9). */
export const rbf: KernelMethod<OnlyLength> = {
  name: "rbf",
  summary: "exp(−r²/2): smooth without end",
  argument: "distance",
  options: onlyLength,
  hyperparameters: () => ({}),
  formula: (r) => exp(mul(-0.5, square(r))),
};
