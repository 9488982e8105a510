import { composed } from "./composed.ts";
import { isolatedAtoms } from "./isolated-atoms.ts";
import type { PotentialMethod } from "./potential.ts";
import { zbl } from "./zbl.ts";

/** Every kind of term a model can have, by name; each is held to the laws of laws/potential.ts. */
export const potentials: Readonly<Record<string, PotentialMethod>> = {
  "isolated-atoms": isolatedAtoms,
  zbl,
  composed,
};
