import type { output } from "zod";
import { number, strictObject } from "../zod.ts";
import type { KernelMethod } from "./kernel.ts";

const options = strictObject({
  value: number().positive().default(1).meta({ help: "the variance, or the factor of a product" }),
});

/** k = c. */
export const constant: KernelMethod<output<typeof options>> = {
  name: "constant",
  summary: "c: the variance of a product, a common shift in a sum",
  argument: "nothing",
  options,
  hyperparameters: ({ value }) => ({ value }),
  formula: (_, { value }) => value,
};
