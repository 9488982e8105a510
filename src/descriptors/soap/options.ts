import type { output } from "zod";
import {
  boolean,
  enum as oneOf,
  int,
  literal,
  number,
  record,
  strictObject,
  string,
  array,
  union,
} from "../../zod.ts";
import { cutoffNames } from "../cutoffs.ts";
import { basisNames } from "./bases.ts";

const positive = number().positive();

const weighting = strictObject({
  type: oneOf(["poly", "pow", "exp"]).meta({
    help: "poly: c (1 + 2x³ − 3x²)^m up to r0; pow: c/(d + xᵐ); exp: c/(d + e⁻ˣ); x = r/r0, as dscribe has them",
  }),
  r0: positive.meta({ unit: "Å", help: "Length of the weight" }),
  c: positive.default(1),
  m: positive.default(1),
  d: number().min(0).default(0),
});

const order = int().min(0).max(2);

/** Options of the method "soap". */
export const options = strictObject({
  cutoff: union([literal("auto"), positive])
    .default("auto")
    .meta({ unit: "Å", help: "Reach of the radial functions; auto: from the data, at most 5" }),
  nmax: union([literal("auto"), int().min(1).max(20)])
    .default("auto")
    .meta({ help: "Radial functions; auto: by size" }),
  lmax: union([literal("auto"), int().min(0).max(16)])
    .default("auto")
    .meta({ help: "Largest angular momentum; auto: by size" }),
  size: oneOf(["small", "medium", "large"])
    .optional()
    .meta({ help: "What auto makes of nmax and lmax: 4, 3; 8, 4; 10, 8; medium when left out" }),
  sigma: positive.default(0.5).meta({ unit: "Å", help: "Width of the Gaussian that every atom is" }),
  basis: oneOf(basisNames).default("gto").meta({
    help: "Radial functions: gto, polynomial (both as dscribe), power-gto (r^n times Gaussians, as featomic), equispaced (QUIP)",
  }),
  fade: strictObject({
    type: oneOf(cutoffNames).default("cosine").meta({ help: "Cutoff function; hard: none, as in dscribe" }),
    width: union([literal("auto"), positive])
      .default("auto")
      .meta({
        unit: "Å",
        help: "It falls from reach − width to reach; auto: 1 Å, or all of a shorter reach",
      }),
  }).prefault({}),
  reach: positive.optional().meta({
    unit: "Å",
    help: "Atoms up to here count; the cutoff when left out; dscribe: cutoff + 3.717 sigma",
  }),
  weighting: weighting
    .optional()
    .meta({ help: "Weight of a neighbour's Gaussian by its distance; left out: 1" }),
  centre: number().min(0).default(1).meta({ help: "Weight of the centre's own Gaussian (dscribe: w0)" }),
  everywhere: boolean().default(false).meta({
    help: "The centre's own Gaussian is in the density of every element (QUIP: central_reference_all_species)",
  }),
  neighbours: array(string()).min(1).optional().meta({
    help: "Elements of neighbours that are seen, in the order of the features; left out: all of the model",
  }),
  elementWeights: record(string(), number())
    .optional()
    .meta({ help: "Factor of the density of an element, { O: 2 }; 1 where left out" }),
  compression: union([
    oneOf(["off", "crossover", "mu2", "mu1nu1"]),
    strictObject({ radial: order, elements: order }),
  ])
    .default("off")
    .meta({
      help: "crossover: only products of one element; mu2: elements not told apart; mu1nu1: one element times all; or how many of the two densities tell radial functions and elements apart: QUIP's nu_R and nu_S",
    }),
  convention: oneOf(["full", "dscribe", "quip"]).default("full").meta({
    help: "full: p·p′ is that of all pairs n, n′ (unequal ones times √2), factors of featomic; dscribe, quip: their factors and order",
  }),
  redundant: boolean().default(false).meta({
    help: "n, n′ and n′, n of one element are two features, as featomic writes them",
  }),
});

export type SoapOptions = output<typeof options>;
