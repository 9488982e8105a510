import { describe, expect, it } from "vitest";
import type { Finding } from "./finding.ts";
import { createDevice } from "../device/device.ts";
import { buildPotential, snapshot } from "../potentials/build.ts";
import type { Model, Potential } from "../potentials/potential.ts";
import { sum } from "../potentials/sum.ts";
import type { Structure } from "../structure/structure.ts";
import * as laws from "./potential.ts";
import {
  built,
  composedTerm,
  crystal,
  ELEMENTS,
  molecule,
  otherMolecule,
  structures,
  termsOf,
} from "./potential.fixture.ts";

const device = createDevice({ bytes: 2 ** 27 });
const terms = termsOf(device);
const parts = built(terms, device);
const subjects: Record<string, Potential> = {
  ...parts,
  sum: sum(parts.acsf, { potential: parts.ani, weight: -0.3 }, parts.zbl, parts["isolated atoms"]),
};
/** Isolated atoms exert no forces, so laws that must see one do not apply. */
const still = ["isolated atoms"];

type Law = (potential: Potential, structure: Structure) => Finding;
/** Laws of any structure, of periodic ones, and of forces that must not vanish. */
const general: Record<string, Law> = {
  translation: laws.isTranslationInvariant,
  rotation: laws.turnsWithTheStructure,
  permutation: laws.isPermutationInvariant,
  "adds to out": laws.addsToOut,
  "input untouched": laws.leavesInputAlone,
  "parts add up": laws.partsAddUp,
  "far neighbours": laws.ignoresFarNeighbours,
  "same bits twice": (p, s) => laws.givesSameBits(p, p, s),
};
const periodic: Record<string, Law> = {
  supercell: laws.isExtensiveInSupercells,
  wrapping: laws.isWrapInvariant,
};
const moving: Record<string, Law> = {
  "F = -dE/dr": laws.forcesAreDerivatives,
  "W = -dE/dstrain": laws.virialIsDerivative,
};
/** Every part here has the second derivatives of its formulas. */
const curved: Record<string, Law> = { "force constants are derivatives": laws.forceConstantsAreDerivatives };

describe.each(Object.keys(subjects))("%s", (name) => {
  const potential = subjects[name];
  describe.each(Object.keys(structures))("%s", (where) => {
    const structure = structures[where as keyof typeof structures];
    it.each(Object.keys(general))("%s", (law) => void general[law](potential, structure));
    it.skipIf(!structure.cell).each(Object.keys(periodic))(
      "%s",
      (law) => void periodic[law](potential, structure),
    );
    it.skipIf(still.includes(name)).each(Object.keys(moving))(
      "%s",
      (law) => void moving[law](potential, structure),
    );
    it.skipIf(still.includes(name)).each(Object.keys(curved))(
      "%s",
      (law) => void curved[law](potential, structure),
    );
  });

  it("size extensivity", () => void laws.isSizeExtensive(potential, molecule, otherMolecule));

  it("saved and loaded: the same bits", () => {
    const chosen = name === "sum" ? Object.values(terms) : [terms[name]];
    const model: Model = { elements: ELEMENTS, terms: chosen, provenance: {} };
    const first = buildPotential(model, device);
    // Through text, as in a file: numbers must survive to the last bit.
    const saved = structuredClone(snapshot(model, first));
    const copy = {
      ...saved,
      terms: saved.terms.map((t) => ({ ...t, options: JSON.parse(JSON.stringify(t.options)) as unknown })),
    };
    const second = buildPotential(copy, createDevice({ bytes: 2 ** 26 }));
    laws.givesSameBits(first, second, structures.slab);
  });
});

describe("smooth where an atom crosses the cutoff", () => {
  const structure = structures.molecule;
  it.each(["cosine", "tanh3", "poly2", "poly3"])("acsf, %s", (type) => {
    const potential = built({ p: composedTerm("acsf", device, { cutoff: { type, radius: 3.5 } }) }, device).p;
    laws.crossesCutoffSmoothly(potential, structure, { smoothness: potential.smoothness });
  });
  it.each(["cosine", "poly2"])("ani, %s", (cutoff) => {
    const potential = built({ p: composedTerm("ani", device, { cutoff }) }, device).p;
    laws.crossesCutoffSmoothly(potential, structure, { smoothness: potential.smoothness });
  });
  it("zbl, where it is switched on and off", () => {
    const { pairs } = terms.zbl.options as { pairs: Record<string, { inner: number; outer: number }> };
    const pair: Structure = {
      ...molecule,
      numbers: Uint8Array.of(6, 8),
      positions: Float64Array.of(0, 0, 0, 1, 1, 1),
    };
    for (const cutoff of Object.values(pairs["6-8"]))
      laws.crossesCutoffSmoothly(parts.zbl, pair, { cutoff, smoothness: parts.zbl.smoothness });
  });
});

describe("the laws can fail", () => {
  const acsf = parts.acsf;
  const broken = (spoil: (out: Parameters<Potential["evaluate"]>[2], s: Structure) => void): Potential => ({
    ...acsf,
    cutoff: acsf.cutoff,
    elements: acsf.elements,
    evaluate: (s, n, out, range) => {
      acsf.evaluate(s, n, out, range);
      spoil(out, s);
    },
  });
  it("a force that is no derivative", () => {
    const wrong = broken((out) => void (out.forces[0] *= 1 + 1e-4));
    expect(() => laws.forcesAreDerivatives(wrong, molecule)).toThrow(/F = −dE\/dr does not hold: relative/);
  });
  const spoilt = (k: number): Potential => ({
    ...broken(() => undefined),
    curvature: (s, n, H) => {
      acsf.curvature!(s, n, H);
      H[k] += 1e-4;
    },
  });
  it("force constants that are not those of the forces, or not symmetric", () => {
    expect(() => laws.forceConstantsAreDerivatives(spoilt(0), molecule)).toThrow(/−dF\/dx does not hold/);
    expect(() => laws.forceConstantsAreDerivatives(spoilt(5), molecule)).toThrow(/−dF\/dx does not hold/);
  });
  it("an energy that depends on where things are", () => {
    const wrong = broken((out, s) => void (out.energy += 1e-6 * s.positions[0]));
    expect(() => laws.isTranslationInvariant(wrong, molecule)).toThrow(/translation/);
    expect(() => laws.turnsWithTheStructure(wrong, molecule)).toThrow(/rotation/);
  });
  it("a virial of the wrong sign, a sum that overwrites, an input that is changed, a kink", () => {
    const sign = broken((out) => out.virial.forEach((x, k) => (out.virial[k] = -x)));
    expect(() => laws.virialIsDerivative(sign, crystal(true))).toThrow(/W = −dE\/dε/);
    const overwrites = broken((out, s) => void (out.energy = laws.evaluateOnce(acsf, s).energy));
    expect(() => laws.addsToOut(overwrites, molecule)).toThrow(/adds to out/);
    const meddles = broken((_, s) => void (s.positions[0] += 1e-9));
    expect(() =>
      laws.leavesInputAlone(meddles, { ...molecule, positions: molecule.positions.slice() }),
    ).toThrow(/untouched/);
    expect(() => laws.crossesCutoffSmoothly(parts.zbl, molecule, { cutoff: 9, smoothness: 2 })).toThrow(
      /smooth/,
    );
  });
  it("an evaluation that needs all atoms at once", () => {
    const whole = broken((out) => void (out.energy += 1));
    expect(() => laws.partsAddUp(whole, molecule)).toThrow(/parts add up/);
    expect(() => laws.isSizeExtensive(whole, molecule, otherMolecule)).toThrow(/extensivity/);
  });
});
