import type { output } from "zod";
import { array, boolean, enum as oneOf, number, strictObject } from "../../zod.ts";
import { embeddingNames } from "./functions.ts";

const density = strictObject({
  weight: number().default(1).meta({ help: "w of w F(ρ; m)" }),
  exponent: number().positive().default(1).meta({ help: "m: 1 is linear, 0.5 the square root" }),
});

/** Options of the regressor "embedding". */
export const embeddingOptions = strictObject({
  type: oneOf(embeddingNames)
    .default("FinnisSinclairShiftedScaled")
    .meta({ help: "Form of F, by the names of pacemaker" }),
  densities: array(density)
    .min(1)
    .default([
      { weight: 1, exponent: 1 },
      { weight: 1, exponent: 0.5 },
    ])
    .meta({ help: "One sum over all features for each: its weight and exponent" }),
  core: boolean()
    .default(false)
    .meta({ help: "The last feature is a repulsion that is added as it is and switches the rest off" }),
  coreCutoff: number()
    .positive()
    .default(1e5)
    .meta({ unit: "eV", help: "Repulsion at which the rest is off" }),
  coreWidth: number()
    .positive()
    .default(250)
    .meta({ unit: "eV", help: "Range of repulsion over which the rest is switched off" }),
});

/** Options of the regressor "embedding". */
export type EmbeddingOptions = output<typeof embeddingOptions>;
