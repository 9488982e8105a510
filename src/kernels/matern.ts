import { add, exp, mul, square } from "../formula/expression.ts";
import type { KernelMethod } from "./kernel.ts";
import { onlyLength, type OnlyLength } from "./lengths.ts";

/** k = (1 + √3 r) exp(−√3 r): once differentiable surfaces (Rasmussen, Williams, 2006, eq. 4.17). */
export const matern32: KernelMethod<OnlyLength> = {
  name: "matern-3/2",
  summary: "(1 + √3 r) exp(−√3 r): surfaces with continuous gradients",
  argument: "distance",
  options: onlyLength,
  hyperparameters: () => ({}),
  formula(r) {
    const u = mul(Math.sqrt(3), r);
    return mul(add(1, u), exp(mul(-1, u)));
  },
};

/** k = (1 + √5 r + 5r²/3) exp(−√5 r): twice differentiable surfaces (Rasmussen, Williams, 2006, eq. 4.17). */
export const matern52: KernelMethod<OnlyLength> = {
  name: "matern-5/2",
  summary: "(1 + √5 r + 5r²/3) exp(−√5 r): surfaces with continuous second derivatives",
  argument: "distance",
  options: onlyLength,
  hyperparameters: () => ({}),
  formula(r) {
    const u = mul(Math.sqrt(5), r);
    return mul(add(add(1, u), mul(5 / 3, square(r))), exp(mul(-1, u)));
  },
};
