import type { output } from "zod";
import { findNumber } from "../../structure/elements.ts";
import {
  array,
  enum as oneOf,
  int,
  literal,
  number,
  record,
  strictObject,
  string,
  union,
} from "../../zod.ts";
import { radialNames } from "./radial.ts";

const positive = number().positive();
const symbol = string().refine((s) => findNumber(s) !== undefined, { error: "expected a chemical symbol" });

const inner = strictObject({
  radius: positive.meta({ unit: "Å", help: "Radial functions are whole from here on" }),
  width: positive.meta({ unit: "Å", help: "Range below radius over which they fade to 0" }),
});

const core = strictObject({
  strength: number().min(0).meta({ unit: "eV Å", help: "p of the core repulsion p exp(−λr²)/r" }),
  exponent: number().min(0).meta({ unit: "Å⁻²", help: "λ of the core repulsion" }),
});

const coefficients = array(array(array(number()))).meta({
  help: "R_nl = Σ_k c[n][l][k] g_k; left out: R_nl = g_n",
});

const cutoff = positive.meta({ unit: "Å", help: "r_c" });
const radial = oneOf(radialNames).meta({ help: "Base functions g_k, by the names of pacemaker" });
const lambda = positive.meta({ help: "λ of the base functions: larger resolves short distances better" });
const smoothing = number()
  .min(0)
  .meta({ unit: "Å", help: "dcut of ChebExpCos: a second fall to 0 over this range below the cutoff" });

/** What one pair of elements (centre-neighbour) has of its own. */
const bond = strictObject({
  cutoff: cutoff.optional(),
  radial: radial.optional(),
  lambda: lambda.optional(),
  smoothing: smoothing.optional(),
  inner: inner.optional(),
  core: core.optional(),
  coefficients: coefficients.optional(),
});

const order = strictObject({
  n: int().min(1).meta({ help: "Radial functions n = 1 … of each factor" }),
  l: int().min(0).max(12).meta({ help: "Angular momenta l = 0 … of each factor" }),
  least: int()
    .min(0)
    .max(12)
    .optional()
    .meta({ help: "Least l of the factors of longer products; left out: 0" }),
  degree: int().min(0).optional().meta({ help: "Most Σ (n − 1 + l) over the factors; left out: no limit" }),
});

const block = strictObject({
  neighbours: array(symbol).min(1).meta({ help: "Element of each factor" }),
  n: array(int().min(1)),
  l: array(int().min(0)),
});

/** Options of the method "ace". */
export const options = strictObject({
  size: oneOf(["small", "medium", "large"])
    .optional()
    .meta({ help: "How many functions auto makes; medium when left out" }),
  cutoff: union([literal("auto"), cutoff]).default("auto"),
  radial: radial.default("ChebExpCos"),
  lambda: lambda.default(3),
  smoothing: smoothing.default(0),
  inner: inner.optional().meta({ help: "Radial functions end here, where core repulsion takes over" }),
  core: core
    .optional()
    .meta({ help: "Repulsion added as the last feature; with inner only below its radius" }),
  bonds: record(string(), bond)
    .optional()
    .meta({ help: "What a pair centre-neighbour (C-H) has of its own" }),
  orders: union([literal("auto"), array(order).min(1)])
    .default("auto")
    .meta({ help: "Products of 1, 2, 3 … factors: body order 2, 3, 4 …" }),
  neighbours: record(symbol, array(symbol))
    .optional()
    .meta({ help: "Neighbours that a centre has functions of; left out: a fit takes those in its data" }),
  functions: record(symbol, array(block))
    .optional()
    .meta({ help: "Products listed by centre, instead of orders: all invariants of each" }),
});

/** Options of the method "ace". */
export type AceOptions = output<typeof options>;
/** Largest n, l and degree of the factors of a product. */
export type AceOrder = output<typeof order>;
/** One product: an element, n and l for each factor. */
export type AceBlock = output<typeof block>;
