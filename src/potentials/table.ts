import { charges } from "./charges.ts";
import { composed } from "./composed.ts";
import { gaussianProcess } from "./gaussian-process.ts";
import { isolatedAtoms } from "./isolated-atoms.ts";
import { doubleWell } from "./double-well.ts";
import { lennardJones } from "./lennard-jones.ts";
import { leps } from "./leps.ts";
import { morse } from "./morse.ts";
import { muellerBrown } from "./mueller-brown.ts";
import { pairTable } from "./pair-table.ts";
import type { PotentialMethod } from "./potential.ts";
import { stillingerWeber } from "./stillinger-weber.ts";
import { symmetricGradientDomain } from "./symmetric-gradient-domain.ts";
import { zbl } from "./zbl.ts";

/** Every kind of term a model can have, by name; each is held to the laws of laws/potential.ts. */
export const potentials: Readonly<Record<string, PotentialMethod>> = {
  "isolated-atoms": isolatedAtoms,
  zbl,
  "pair-table": pairTable,
  composed,
  "gaussian-process": gaussianProcess,
  "lennard-jones": lennardJones,
  morse,
  "stillinger-weber": stillingerWeber,
  "mueller-brown": muellerBrown,
  "double-well": doubleWell,
  leps,
  "symmetric-gradient-domain": symmetricGradientDomain,
  charges,
};
