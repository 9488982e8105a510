import { array, enum as oneOf, literal, number, strictObject, union } from "../../zod.ts";
import type { output } from "zod";
import { cutoffNames } from "../cutoffs.ts";
import { neighbourhoods } from "../neighbourhoods.ts";

const positive = number().positive();
const cutoff = positive.meta({ unit: "Å", help: "Where the cutoff function reaches 0" });
const eta = positive.meta({ unit: "Å⁻²", help: "Width of the shells: exp(−η (r − rs)²)" });
const shifts = array(number().min(0)).min(1).meta({ unit: "Å", help: "Centres rs of the shells" });

const radial = strictObject({ cutoff, eta, shifts });
const angular = strictObject({
  cutoff,
  eta,
  zeta: number().min(1).meta({ help: "Width in angle: ((1 + cos(θ − θs))/2)^ζ" }),
  shifts,
  angles: array(number()).min(1).meta({ unit: "rad", help: "Centres θs of the angles" }),
});

/** Options of the method "ani". */
export const options = strictObject({
  convention: oneOf(["torchani"]).default("torchani").meta({
    help: "Factors ¼ (radial) and 2 (angular), cos θ scaled by 0.95, order of the features: TorchANI's",
  }),
  cutoff: oneOf(cutoffNames).default("poly2").meta({
    help: "Cutoff function, its radii are those of radial and angular: cosine (C¹, the published models), tanh3 and poly2 (C²), poly3 (C³)",
  }),
  size: oneOf(["small", "medium", "large"])
    .optional()
    .meta({ help: "How many functions auto makes; medium when left out" }),
  radial: union([literal("auto"), radial])
    .default("auto")
    .meta({ help: "Radial functions, for every neighbour element" }),
  angular: union([literal("auto"), angular])
    .default("auto")
    .meta({ help: "Angular functions, for every pair of neighbour elements: every shift with every angle" }),
  neighbours: neighbourhoods,
});

/** Options of the method "ani". */
export type AniOptions = output<typeof options>;
/** Radial functions: one per shift. */
export type RadialSet = output<typeof radial>;
/** Angular functions: one per shift and angle. */
export type AngularSet = output<typeof angular>;
