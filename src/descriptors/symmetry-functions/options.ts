import type { output } from "zod";
import { findNumber } from "../../structure/elements.ts";
import { array, boolean, discriminatedUnion, enum as oneOf, literal, number, record } from "../../zod.ts";
import { strictObject, string, tuple, union } from "../../zod.ts";
import { cutoffNames, shapeNames } from "../cutoffs.ts";

const positive = number().positive();
const symbol = string().refine((s) => findNumber(s) !== undefined, { error: "expected a chemical symbol" });
const type = oneOf(cutoffNames)
  .default("poly2")
  .meta({ help: "Cutoff function; hard makes the energy jump" });
const inner = number()
  .min(0)
  .lt(1)
  .optional()
  .meta({ help: "α: up to α times the radius the cutoff function is 1; not for tanh3, tanh3-one" });
const cutoff = strictObject({ type, radius: positive.meta({ unit: "Å", help: "Where it reaches 0" }), inner })
  .optional()
  .meta({ help: "Cutoff of this function alone; left out: the cutoff of the set" });
const eta = number().meta({ unit: "Å⁻²", help: "Width: exp(−η r²)" });
const shift = number().default(0).meta({ unit: "Å", help: "Centre rs of the Gaussian" });

const neighbour = symbol
  .optional()
  .meta({ help: "Element of the neighbours; left out: all, each weighted by its atomic number" });
const neighbours = tuple([symbol, symbol]).optional().meta({
  help: "Elements of the two neighbours; left out: all, weighted by the product of the atomic numbers",
});
const from = number().meta({ unit: "Å", help: "Left end of the support; −to puts the maximum at 0" });
const to = positive.meta({ unit: "Å", help: "Right end of the support" });
const shape = oneOf(shapeNames).default("poly2").meta({ help: "Shape of the bump" });
const asymmetric = boolean()
  .default(false)
  .meta({ help: "Warp the radial bump, x → (2 − x)x; the angular one stays" });
const angles = tuple([number(), number()]).meta({
  unit: "°",
  help: "Support in θ; beyond 0 or 180 only symmetric about it",
});

const exponents = {
  eta,
  zeta: number().min(1).meta({ help: "Angular resolution ζ; an integer is faster" }),
  lambda: number().min(-1).max(1).meta({ help: "Maximum at θ = 0 (1) or at 180° (−1)" }),
  shift,
  cutoff,
};
const bump = { neighbours, from, to, angles, shape, asymmetric };

const symmetryFunction = discriminatedUnion("type", [
  strictObject({ type: literal("G1"), neighbour, cutoff }),
  strictObject({ type: literal("G2"), neighbour, eta, shift, cutoff }),
  strictObject({
    type: literal("G3"),
    neighbour,
    kappa: number().meta({ unit: "Å⁻¹", help: "Wave number κ" }),
    cutoff,
  }),
  strictObject({ type: literal("G4"), neighbours, ...exponents }),
  strictObject({ type: literal("G5"), neighbours, ...exponents }),
  strictObject({
    type: literal("ANI"),
    neighbours,
    eta,
    zeta: number()
      .min(1)
      .meta({ help: "Angular resolution ζ: ((1 + cos(θ − θs))/2)^ζ; an integer is faster" }),
    shift: shift.meta({ unit: "Å", help: "Centre rs of the Gaussian in the mean distance" }),
    angle: number().min(0).max(180).meta({ unit: "°", help: "Centre θs of the angle" }),
    cutoff,
  }),
  strictObject({ type: literal("C2"), neighbour, from, to, shape, asymmetric }),
  strictObject({ type: literal("C4"), ...bump }),
  strictObject({ type: literal("C5"), ...bump }),
]);

/** Options of the method "symmetry-functions". */
export const options = strictObject({
  cutoff: strictObject({
    type,
    radius: union([literal("auto"), positive])
      .default("auto")
      .meta({ unit: "Å", help: "Where it reaches 0; auto: from the distances in the data" }),
    inner,
  })
    .prefault({})
    .meta({ help: "Cutoff of every function that has none of its own" }),
  size: oneOf(["small", "medium", "large"])
    .optional()
    .meta({ help: "How many functions auto makes; medium when left out" }),
  functions: record(symbol, array(symmetryFunction))
    .optional()
    .meta({ help: "Functions of each centre element, in the order of the features; auto when left out" }),
});

/** Options of the method "symmetry-functions". */
export type SymmetryFunctionsOptions = output<typeof options>;
/** One function of one centre element. */
export type SymmetryFunction = output<typeof symmetryFunction>;
