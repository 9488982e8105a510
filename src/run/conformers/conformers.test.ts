import { describe, expect, it } from "vitest";
import { startPool } from "../../node.ts";
import { buildPotential } from "../../potentials/build.ts";
import type { Model, Potential } from "../../potentials/potential.ts";
import type { Structure } from "../../structure/structure.ts";
import { candidatesOf, conformerSearch, statesOf } from "./conformers.ts";
import { apart, clashes, fingerprint, handedness } from "./likeness.ts";
import { relaxationsBy } from "./relaxations.ts";
import { angleOf, dihedral, findRotors, moleculeOf, turned } from "./rotors.ts";

/** An alkane with all carbons in one plane, C–C 1.54 Å, C–H 1.09 Å, all angles tetrahedral. */
function alkane(carbons: number): Structure {
  const [c, s] = [1 / Math.sqrt(3), Math.sqrt(2 / 3)];
  const numbers: number[] = [];
  const positions: number[] = [];
  const add = (z: number, ...place: number[]) => {
    numbers.push(z);
    positions.push(...place);
  };
  for (let k = 0; k < carbons; k++) add(6, 1.54 * s * k, 0, k % 2 ? 1.54 * c : 0);
  for (let k = 0; k < carbons; k++) {
    const [x, up] = [1.54 * s * k, k % 2 ? 1 : -1];
    const z = k % 2 ? 1.54 * c : 0;
    for (const side of [1, -1]) add(1, x, side * 1.09 * s, z + up * 1.09 * c);
    if (k === 0) add(1, x - 1.09 * s, 0, z - up * 1.09 * c);
    if (k === carbons - 1) add(1, x + 1.09 * s, 0, z - up * 1.09 * c);
  }
  return {
    numbers: Uint8Array.from(numbers),
    positions: Float64Array.from(positions),
    cell: null,
    pbc: [false, false, false],
  };
}

const flat: Potential = { cutoff: 0, elements: null, evaluate: () => {} };

describe("rotors", () => {
  it("of alkanes: all bonds but those of the methyl groups", () => {
    for (const n of [2, 3, 4, 5, 8]) {
      const rotors = findRotors(moleculeOf(alkane(n)));
      expect(rotors).toHaveLength(Math.max(0, n - 3));
      for (const { turns } of rotors) expect(turns).toBe(3);
    }
  });

  it("turn by a third of a circle, and lengths of bonds stay", () => {
    const butane = moleculeOf(alkane(4));
    const [rotor] = findRotors(butane);
    const { positions } = butane.structure;
    expect(Math.abs(angleOf(butane, rotor, positions))).toBeCloseTo(180, 10);
    const angles = [1, 2].map((k) => angleOf(butane, rotor, turned(positions, [rotor], [k])));
    expect(angles.map(Math.abs)).toEqual([60, 60].map((x) => expect.closeTo(x, 10) as number));
    expect(angles[0] + angles[1]).toBeCloseTo(0, 10);
    const again = turned(turned(positions, [rotor], [1]), [rotor], [2]);
    again.forEach((x, i) => expect(x).toBeCloseTo(positions[i], 12));
  });

  it("a dihedral angle is positive where it turns clockwise along the middle bond", () => {
    // Looking along +z: from the x axis to the y axis is anticlockwise as seen from above, clockwise as seen along it.
    const p = Float64Array.of(1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1);
    expect(dihedral(p, 0, 1, 2, 3)).toBeCloseTo(90, 12);
  });

  it("a clash is seen, and parts or cells are refused", () => {
    const pentane = moleculeOf(alkane(5));
    const squeezed = pentane.structure.positions.slice();
    expect(clashes(pentane, squeezed)).toBe(false);
    squeezed.copyWithin(3 * 4, 0, 3);
    expect(clashes(pentane, squeezed)).toBe(true);
    const far = { ...pentane.structure, positions: pentane.structure.positions.slice() };
    far.positions[0] += 30;
    expect(() => moleculeOf(far)).toThrow(/one molecule/);
    const cell = Float64Array.of(20, 0, 0, 0, 20, 0, 0, 0, 20);
    expect(() => moleculeOf({ ...far, cell, pbc: [true, true, true] })).toThrow(/periodicity/);
    expect(() => findRotors(pentane, [[0, 3]])).toThrow(/bonded/);
  });
});

describe("conformers of alkanes", () => {
  // Words of n − 3 letters t, g+, g−, but for reversal and mirror image, by Burnside's lemma: (3^m + 3^⌈m/2⌉ + 1 + 3^⌊m/2⌋)/4.
  it.each([
    [4, 2],
    [5, 4],
    [6, 10],
    [7, 25],
  ])("%d carbons: %d that differ but for mirror images", (carbons, count) => {
    const molecule = moleculeOf(alkane(carbons));
    const rotors = findRotors(molecule);
    const { positions } = molecule.structure;
    const kinds: Float64Array[] = [];
    for (const steps of candidatesOf(rotors, 1000, 1)) {
      const print = fingerprint(molecule, turned(positions, rotors, steps));
      if (kinds.every((kind) => apart(kind, print) > 0.01)) kinds.push(print);
    }
    expect(kinds).toHaveLength(count);
  });

  it("mirror images of gauche are told apart, anti is its own", () => {
    const butane = moleculeOf(alkane(4));
    const rotors = findRotors(butane);
    const hands = [0, 1, 2].map((k) => handedness(butane, turned(butane.structure.positions, rotors, [k])));
    expect(hands[0]).toBe(0);
    expect(Math.abs(hands[1])).toBe(1);
    expect(hands[2]).toBe(-hands[1]);
  });

  it("a search files each with how often it was found; a copy of its state goes on alike", () => {
    const molecule = moleculeOf(alkane(5));
    const rotors = findRotors(molecule);
    const search = conformerSearch(molecule, rotors, flat, { sameDistance: 0.01 });
    expect(search.candidates).toBe(9);
    const state = search.init();
    for (let k = 0; k < 4; k++) search.step(state);
    const copy = structuredClone(state);
    for (const s of [state, copy]) while (s.step < 9) search.step(s);
    expect(copy).toEqual(state);
    // tt, four tg, two g+g+, and two g+g− that are nudged, each its own way: there hydrogens would be bonded.
    expect(state.clashed).toBe(0);
    expect(state.conformers.map((c) => [c.found + c.mirrored, statesOf(c)]).slice(0, 3)).toEqual([
      [1, 1],
      [4, 2],
      [2, 2],
    ]);
    const nudged = state.conformers.slice(3);
    expect(nudged.reduce((sum, { found, mirrored }) => sum + found + mirrored, 0)).toBe(2);
    for (const { positions } of nudged) expect(clashes(molecule, positions)).toBe(false);
  });

  it("several at once come to the same as one after another", async () => {
    const molecule = moleculeOf(alkane(6));
    const rotors = findRotors(molecule);
    // So weak that a few steps leave the bonds as they are, and each candidate has an energy and places of its own.
    const pairs = {
      "H-H": { epsilon: 1e-3, sigma: 1.6 },
      "C-H": { epsilon: 1e-5, sigma: 1.1 },
      "C-C": { epsilon: 1e-5, sigma: 1.5 },
    };
    const terms = [{ type: "lennard-jones", options: { cutoff: 4, ending: "switched", pairs }, tensors: {} }];
    const model: Model = { elements: [1, 6], provenance: {}, terms };
    const pool = await startPool({ threads: 3 });
    try {
      const until = { fmax: 0.004, steps: 60 };
      const potential = buildPotential(model, pool.device);
      const relaxations = await relaxationsBy(pool, { model }, molecule.structure, until);
      expect(relaxations!.room).toBe(6);
      const [alone, together] = [{}, { relaxations: relaxations! }].map((own) => {
        const search = conformerSearch(molecule, rotors, potential, { ...until, ...own });
        const state = search.init();
        while (state.step < search.candidates) search.step(state);
        return state;
      });
      expect(together).toEqual(alone);
      expect(alone.conformers.length).toBeGreaterThan(3);
      expect(alone.stuck + alone.reacted).toBeLessThan(20);
    } finally {
      pool.close();
    }
  });

  it("draws at random where there are too many, the same for a seed, each once", () => {
    const rotors = findRotors(moleculeOf(alkane(10)));
    const drawn = candidatesOf(rotors, 50, 3);
    expect(drawn[0]).toEqual(rotors.map(() => 0));
    expect(new Set(drawn.map((d) => d.join())).size).toBe(50);
    expect(candidatesOf(rotors, 50, 3)).toEqual(drawn);
    expect(candidatesOf(rotors, 50, 4)).not.toEqual(drawn);
  });
});
