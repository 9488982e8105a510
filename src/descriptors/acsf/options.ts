import { array, discriminatedUnion, enum as oneOf, literal, number, strictObject, union } from "../../zod.ts";
import type { output } from "zod";
import { cutoffNames } from "../cutoffs.ts";
import { neighbourhoods } from "../neighbourhoods.ts";

const positive = number().positive();
const count = (help: string) => number().int().min(1).meta({ help });
const type = oneOf(cutoffNames)
  .default("poly2")
  .meta({ help: "Cutoff function: cosine (C¹), tanh3 and poly2 (C²), poly3 (C³)" });
const ownCutoff = strictObject({ type, radius: positive.meta({ unit: "Å", help: "Where it reaches 0" }) })
  .optional()
  .meta({ help: "Cutoff of this function alone; left out: the cutoff of the set" });
const eta = number().min(0).meta({ unit: "Å⁻²", help: "Width: exp(−η r²)" });
const shift = number().min(0).default(0).meta({ unit: "Å", help: "Centre rs of the Gaussian" });
const zeta = number().min(1).meta({ help: "Angular resolution ζ; an integer is faster" });

const radial = discriminatedUnion("type", [
  strictObject({ type: literal("G1"), cutoff: ownCutoff }),
  strictObject({ type: literal("G2"), eta, shift, cutoff: ownCutoff }),
  strictObject({
    type: literal("G3"),
    kappa: number().meta({ unit: "Å⁻¹", help: "Wave number κ" }),
    cutoff: ownCutoff,
  }),
]);

const angular = strictObject({
  type: oneOf(["G4", "G5"]).meta({ help: "G4 narrow (with r_jk), G5 wide (without)" }),
  eta,
  zeta,
  lambda: union([literal(1), literal(-1)]).meta({ help: "Maximum at θ = 0 (1) or at 180° (−1)" }),
  shift,
  cutoff: ownCutoff,
});

const radialGrid = discriminatedUnion("method", [
  strictObject({
    method: literal("imbalzano").meta({ help: "Imbalzano 2018: Gaussians at 0, or narrow near the atom" }),
    set: oneOf(["centred", "shifted", "both"]).default("both"),
    count: count("n of the formulas"),
  }),
  strictObject({
    method: literal("even").meta({ help: "Evenly spaced shifts, as ANI" }),
    count: count("Number of functions"),
    start: number().min(0).meta({ unit: "Å", help: "First shift" }),
  }),
]);

const angularGrid = strictObject({
  method: literal("gastegger").meta({
    help: "Gastegger 2018: Gaussians at 0 that reach to an even grid of radii",
  }),
  type: oneOf(["G4", "G5"]).default("G5"),
  count: count("Number of radii"),
  start: positive.meta({ unit: "Å", help: "First radius" }),
  zetas: array(zeta).min(1).default([1]).meta({ help: "Each ζ is used with λ = 1 and λ = −1" }),
});

const grid = strictObject({
  radial: union([literal("auto"), radialGrid]).default("auto"),
  angular: union([literal("auto"), angularGrid]).default("auto"),
});

/** Options of the method "acsf". */
export const options = strictObject({
  cutoff: strictObject({
    type,
    radius: union([literal("auto"), positive])
      .default("auto")
      .meta({ unit: "Å", help: "Where it reaches 0; auto: from the distances in the data" }),
  })
    .prefault({})
    .meta({ help: "Cutoff of every function that has none of its own" }),
  convention: oneOf(["behler", "dscribe"]).default("behler").meta({
    help: "Order of the pairs of neighbour elements: 1-1 1-2 1-3 2-2 … (behler), 1-1 1-2 2-2 1-3 … (dscribe)",
  }),
  size: oneOf(["small", "medium", "large"])
    .optional()
    .meta({ help: "How many functions auto makes; medium when left out" }),
  grid: grid.optional().meta({ help: "Generators of the functions that are not listed; auto when left out" }),
  radial: array(radial).optional().meta({ help: "Radial functions, used for every neighbour element" }),
  angular: array(angular)
    .optional()
    .meta({ help: "Angular functions, used for every pair of neighbour elements" }),
  neighbours: neighbourhoods,
});

/** Options of the method "acsf". */
export type AcsfOptions = output<typeof options>;
/** One radial function. */
export type RadialFunction = output<typeof radial>;
/** One angular function. */
export type AngularFunction = output<typeof angular>;
/** A generator of radial functions. */
export type RadialGrid = output<typeof radialGrid>;
/** A generator of angular functions. */
export type AngularGrid = output<typeof angularGrid>;
