import type { output } from "zod";
import { add, powi } from "../formula/expression.ts";
import { int, number, strictObject } from "../zod.ts";
import type { KernelMethod } from "./kernel.ts";
import { length } from "./lengths.ts";

const options = strictObject({
  length,
  zeta: int().positive().default(1).meta({ help: "ζ, a whole number" }),
  offset: number().min(0).default(0).meta({ help: "σ₀²; 0 stays 0" }),
});

/** k = (σ₀² + p)^ζ (Rasmussen, Williams, 2006, §4.2.2; on power spectra of length 1 the kernel of SOAP, DOI 10.1103/PhysRevB.87.184115). */
export const dotProduct: KernelMethod<output<typeof options>> = {
  name: "dot-product",
  summary: "(σ₀² + p)^ζ: polynomials of the features",
  argument: "product",
  options,
  hyperparameters: ({ offset }): Readonly<Record<string, number>> => (offset > 0 ? { offset } : {}),
  formula: (p, { offset }, { zeta }) => powi(offset ? add(offset, p) : p, zeta),
};
