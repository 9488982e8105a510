import type { output } from "zod";
import { mul } from "../formula/expression.ts";
import { number, strictObject } from "../zod.ts";
import type { KernelMethod } from "./kernel.ts";

const options = strictObject({
  variance: number().positive().default(1e-6).meta({ help: "σ² of noise of the energies" }),
});

/** k = σ² where both are one observation, else 0: noise, which may be optimised. */
export const white: KernelMethod<output<typeof options>> = {
  name: "white",
  summary: "σ² on the diagonal: noise of the energies",
  argument: "same",
  options,
  hyperparameters: ({ variance }) => ({ variance }),
  formula: (same, { variance }) => mul(variance, same),
};
