import { Random } from "../../math/random.ts";
import { strain } from "../../structure/cell.ts";
import type { Structure } from "../../structure/structure.ts";
import { evaluated, show } from "./check.ts";
import type { Check, Subject, Verdict } from "./check.ts";

const scaled = (structure: Structure, factor: number): Structure => ({
  ...structure,
  positions: structure.positions.map((x) => factor * x),
  cell: structure.cell && structure.cell.map((x) => factor * x),
});

/** Lengths that are tried, as parts of the relaxed one. */
const SCALES = Array.from({ length: 31 }, (_, k) => 1 - 0.01 * k);
/** eV/atom that the energy may fall on the way by rounding or because the start was not quite at rest. */
const NOISE = 1e-3;

/** All lengths shortened to 0.7: the energy must rise all the way. */
export const volume: Check = {
  name: "volume",
  summary: "squeezing costs energy all the way to 0.7 of all lengths",
  *run({ potential, structure }: Subject): Iterable<Verdict> {
    const atoms = structure.numbers.length;
    let [fall, at, before] = [0, 1, -Infinity];
    for (const factor of SCALES) {
      const energy = evaluated(potential, scaled(structure, factor)).energy / atoms;
      if (!Number.isFinite(energy) || before - energy > fall) [fall, at] = [before - energy, factor];
      before = energy;
    }
    const passed = fall <= NOISE;
    yield {
      check: "squeezed evenly",
      passed,
      value: passed ? "rises" : `falls by ${show(fall)} eV/atom at ${show(at)}`,
      limit: "energy rises to 0.7 of all lengths",
      remark: passed ? "" : "a hole under pressure: add compressed frames to the data",
    };
  },
};

/** Random cells (or molecules) that are tried. */
const TRIALS = 40;
const STRAIN = 0.15;
const RATTLE = 0.15;
/** eV/atom below the relaxed structure that counts as a hole. */
const HOLE = 0.05;

/** Random strain, mostly compression, and random displacements: nothing may lie below the relaxed structure. */
export const shear: Check = {
  name: "shear",
  summary: "random strains and displacements cost energy",
  *run({ potential, structure, energy, seed }: Subject): Iterable<Verdict> {
    const random = new Random(seed, "shear");
    const atoms = structure.numbers.length;
    let lowest = Infinity;
    let strongest = 0;
    for (let k = 0; k < TRIALS; k++) {
      const epsilon = Float64Array.from({ length: 9 }, () => STRAIN * (2 * random.uniform() - 1));
      for (const i of [0, 4, 8]) epsilon[i] = -STRAIN * random.uniform();
      for (const [i, j] of [
        [1, 3],
        [2, 6],
        [5, 7],
      ])
        epsilon[j] = epsilon[i] = (epsilon[i] + epsilon[j]) / 2;
      const bent = strain(structure, epsilon);
      const positions = bent.positions.map((x) => x + RATTLE * (2 * random.uniform() - 1));
      const out = evaluated(potential, { ...bent, positions });
      // Not Math.min: what is not a number must come out.
      if (!(out.energy - energy >= lowest)) lowest = out.energy - energy;
      for (const f of out.forces) if (!(Math.abs(f) <= strongest)) strongest = Math.abs(f);
    }
    const passed = lowest / atoms > -HOLE && Number.isFinite(strongest);
    yield {
      check: `${TRIALS} random strains`,
      passed,
      value: `lowest ${show(lowest / atoms)} eV/atom`,
      limit: `above ${-HOLE} eV/atom`,
      remark: passed
        ? `strongest force ${show(strongest)} eV/Å`
        : "the model prefers a torn structure to the relaxed one: add strained frames to the data",
    };
  },
};
