import type { output } from "zod";
import { findNumber } from "../../structure/elements.ts";
import { boolean, enum as oneOf, literal, number, record, strictObject, string, union } from "../../zod.ts";

const positive = number().positive();
const symbol = string().refine((s) => findNumber(s) !== undefined, { error: "expected a chemical symbol" });

const element = strictObject({
  radius: positive
    .default(0.5)
    .meta({ help: "R: two elements see each other up to cutoff·(R_i + R_j); 0.5 is the cutoff itself" }),
  weight: number().default(1).meta({ help: "w: what a neighbour of this element adds to the density" }),
});

const inner = strictObject({
  sinner: number().min(0).meta({ unit: "Å", help: "Middle of the inner switch; of a pair: the mean" }),
  dinner: positive.meta({ unit: "Å", help: "Half width of the inner switch; of a pair: the mean" }),
});

/** Options of the method "snap", each in the meaning of LAMMPS's pair_style snap and compute snap. */
export const options = strictObject({
  twojmax: union([literal("auto"), number().int().min(0).max(14)])
    .default("auto")
    .meta({
      help: "2J: 2, 4, 6, 8, 10, 12, 14 give 5, 14, 30, 55, 91, 140, 204 components; odd ones too; auto: by size",
    }),
  size: oneOf(["small", "medium", "large"])
    .optional()
    .meta({ help: "What auto makes of twojmax: 4, 6, 8; medium when left out" }),
  cutoff: union([literal("auto"), positive])
    .default("auto")
    .meta({
      unit: "Å",
      help: "rcutfac: the cutoff of elements i, j is cutoff·(R_i + R_j); auto: from the data",
    }),
  rfac0: positive.max(1).default(0.99363).meta({
    help: "Part of the half sphere used: θ0 = rfac0 π (r − rmin0)/(rcut − rmin0)",
  }),
  rmin0: number().min(0).default(0).meta({ unit: "Å", help: "Distance that goes to the pole θ0 = 0" }),
  elements: record(symbol, element)
    .optional()
    .meta({ help: "Radius and weight of each element; left out: 0.5 and 1 for all" }),
  switching: boolean()
    .default(true)
    .meta({ help: "Neighbours fade out at the cutoff; false makes the energy jump" }),
  innerSwitching: record(symbol, inner)
    .optional()
    .meta({ help: "Neighbours fade out below sinner − dinner too, by element; left out: they do not" }),
  bzero: boolean().default(true).meta({ help: "Subtract the components of an isolated atom" }),
  bnorm: boolean().default(false).meta({ help: "Divide component (j1, j2, j) by 2j + 1" }),
  chem: boolean().default(false).meta({
    help: "One density per neighbour element and every triple of them, in the order of `elements`: S³ times the components",
  }),
  wselfall: boolean()
    .default(false)
    .meta({ help: "With chem: the central atom is part of every density, not only of its own element's" }),
});

/** Options of the method "snap". */
export type SnapOptions = output<typeof options>;
/** Radius and weight of one element. */
export type SnapElement = output<typeof element>;
