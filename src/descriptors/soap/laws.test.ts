import { describe, expect, it } from "vitest";
import { createDevice } from "../../device/device.ts";
import { descriptorLaws } from "../../laws/descriptor.ts";
import * as laws from "../../laws/potential.ts";
import {
  built,
  composedTerm,
  ELEMENTS,
  molecule,
  otherMolecule,
  structures,
} from "../../laws/potential.fixture.ts";
import { cutoffNames } from "../cutoffs.ts";
import { soap } from "./soap.ts";

const device = createDevice({ bytes: 2 ** 28 });

const small = { cutoff: 3.2, nmax: 3, lmax: 2, sigma: 0.4, fade: { type: "poly2", width: 1 } };
const orders = [0, 1].flatMap((radial) => [0, 1, 2].map((elements) => ({ radial, elements })));

/** Every option at least once. */
const variants: Readonly<Record<string, object>> = {
  plain: {},
  polynomial: { basis: "polynomial" },
  "power-gto": { basis: "power-gto" },
  "equispaced, order of QUIP": {
    basis: "equispaced",
    convention: "quip",
    nmax: 4,
    // Its densities are small.
    elementWeights: { H: 12, C: 12, O: 12 },
  },
  "dscribe's factors": { convention: "dscribe", redundant: true },
  "weight poly": { weighting: { type: "poly", r0: 2.5, m: 3 } },
  "weight pow": { weighting: { type: "pow", r0: 1.2, m: 4, d: 1 } },
  "weight exp": { weighting: { type: "exp", r0: 1.5, d: 2 } },
  "centre everywhere": { everywhere: true, centre: 0.3 },
  "some neighbours": { neighbours: ["O", "H"], elementWeights: { O: 2 } },
  "reach beyond the cutoff": { reach: 3.6 },
  "one function": { nmax: 1, lmax: 0 },
  "odd numbers": { nmax: 5, lmax: 3 },
  crossover: { compression: "crossover" },
  mu2: { compression: "mu2", elementWeights: { H: 0.5, O: 1.5 } },
  mu1nu1: { compression: "mu1nu1" },
  ...Object.fromEntries(
    orders.map((compression) => [
      `ν_R = ${compression.radial}, ν_S = ${compression.elements}`,
      { compression },
    ]),
  ),
};

/** Two small cells and a molecule would do for every law; the slab has both open and periodic directions. */
const tried = [otherMolecule, structures.crystal];

describe.each(Object.entries(variants))("soap, %s", (_, more) => {
  const descriptor = soap.build(soap.options.parse({ ...small, ...more }), ELEMENTS, device);
  it("laws of descriptors", () => {
    for (const holds of Object.values(descriptorLaws))
      holds({ descriptor, device, structures: tried, seed: 3 });
    expect(descriptor.labels(0)).toHaveLength(descriptor.size(0));
  });

  it("laws of potentials", () => {
    const potential = built({ p: composedTerm("soap", device, { ...small, ...more }) }, device).p;
    for (const structure of [molecule, structures.slab]) {
      laws.turnsWithTheStructure(potential, structure);
      laws.isPermutationInvariant(potential, structure);
      laws.forcesAreDerivatives(potential, structure);
      laws.virialIsDerivative(potential, structure);
    }
    laws.isSizeExtensive(potential, molecule, otherMolecule);
    laws.isExtensiveInSupercells(potential, structures.crystal);
  });
});

describe("soap is smooth where an atom crosses the cutoff", () => {
  it.each(cutoffNames.filter((type) => type !== "hard"))("%s", (type) => {
    const more = { ...small, fade: { type, width: 1.4 } };
    const potential = built({ p: composedTerm("soap", device, more) }, device).p;
    laws.crossesCutoffSmoothly(potential, molecule, { smoothness: potential.smoothness });
  });
});
