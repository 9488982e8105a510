import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { shared } from "../../test/shared.ts";
import { createDevice } from "../device/device.ts";
import * as laws from "../laws/potential.ts";
import { Random } from "../math/random.ts";
import { symmetricEigen } from "../math/symmetric-eigen.ts";
import { repeat } from "../structure/cell.ts";
import { findNeighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";
import { buildTerm } from "./build.ts";
import type { Potential } from "./potential.ts";
import { sum } from "./sum.ts";

const device = createDevice({ bytes: 2 ** 25 });
const term = (type: string, options: object, elements: readonly number[]): Potential =>
  buildTerm({ type, options, tensors: {} }, elements, device);

const free = (numbers: readonly number[], positions: readonly number[]): Structure => ({
  numbers: Uint8Array.from(numbers),
  positions: Float64Array.from(positions),
  cell: null,
  pbc: [false, false, false],
});

const evaluated = (potential: Potential, structure: Structure) => {
  const n = structure.numbers.length;
  const out = { energy: 0, forces: new Float64Array(3 * n), virial: new Float64Array(9) };
  potential.evaluate(structure, findNeighbours(structure, Math.max(potential.cutoff, 0.1)), out);
  return out;
};

const argon = { epsilon: 0.0104, sigma: 3.4 };
const lj = (ending: string, cutoff = 8.5) =>
  term("lennard-jones", { cutoff, ending, pairs: { "Ar-Ar": argon } }, [18]);

/** Energy of two argon atoms at a distance. */
const pair = (r: number) => evaluated(lj("cut", 40), free([18, 18], [0, 0, 0, 0, r, 0])).energy;

/** A pair of argon atoms almost at the cutoff. */
const at = (ending: string) => evaluated(lj(ending, 8.5), free([18, 18], [0, 0, 0, 8.5 - 1e-9, 0, 0]));

/** A cubic crystal of eight silicon atoms with the lattice constant a. */
const diamond = (a: number): Structure => {
  const face = [
    [0, 0, 0],
    [0, 0.5, 0.5],
    [0.5, 0, 0.5],
    [0.5, 0.5, 0],
  ];
  const all = face.flatMap((p) => [p, p.map((x) => x + 0.25)]).flat();
  return {
    numbers: new Uint8Array(8).fill(14),
    positions: Float64Array.from(all, (x) => a * x),
    cell: Float64Array.of(a, 0, 0, 0, a, 0, 0, 0, a),
    pbc: [true, true, true],
  };
};

/** The structure with every coordinate moved by up to `by` Å. */
const shaken = (structure: Structure, by: number, seed = 1): Structure => {
  const random = new Random(seed);
  return { ...structure, positions: structure.positions.map((x) => x + by * (2 * random.uniform() - 1)) };
};

const cluster = shaken(
  free([18, 18, 18, 18, 18], [0, 0, 0, 3.7, 0, 0, 0, 3.8, 0, 0, 0, 3.9, 3.8, 3.7, 3.6]),
  0.2,
);
const silicon = shaken(repeat(diamond(5.431), [2, 1, 1]), 0.2);
const hydrogen = free([1, 1, 1], [0.1, 0.2, 0, 0.9, 0.1, 0.2, 1.9, 0.3, -0.1]);

describe("closed forms", () => {
  it("lennard-jones: depth ε at 2^(1/6) σ, 0 at σ", () => {
    expect(Math.abs(pair(argon.sigma))).toBeLessThan(1e-16);
    expect(pair(2 ** (1 / 6) * argon.sigma)).toBeCloseTo(-argon.epsilon, 15);
  });

  it("endings: what must vanish at the cutoff does", () => {
    const jump = at("cut").energy;
    expect(jump).toBeLessThan(-1e-5);
    expect(Math.abs(at("shifted").energy)).toBeLessThan(1e-9 * Math.abs(jump) + 1e-13);
    expect(Math.abs(at("shifted").forces[0])).toBeGreaterThan(1e-6);
    for (const ending of ["force-shifted", "switched"]) {
      expect(Math.abs(at(ending).energy)).toBeLessThan(1e-13);
      expect(Math.abs(at(ending).forces[0])).toBeLessThan(1e-12);
    }
  });

  it("morse: depth D at r₀, two elements, every pair its own", () => {
    const pairs = {
      "H-H": { depth: 4.7, alpha: 1.9, distance: 0.74 },
      "H-O": { depth: 4.4, alpha: 2.3, distance: 0.97 },
      "O-O": { depth: 5.2, alpha: 2.7, distance: 1.21 },
    };
    const potential = term("morse", { cutoff: 6, pairs }, [1, 8]);
    expect(evaluated(potential, free([8, 1], [0, 0, 0, 0, 0, 0.97])).energy).toBeCloseTo(-4.4, 14);
    expect(evaluated(potential, free([8, 8], [0, 0, 0, 1.21, 0, 0])).energy).toBeCloseTo(-5.2, 14);
    expect(() => term("morse", { cutoff: 6, pairs: { "H-H": pairs["H-H"] } }, [1, 8])).toThrow(/H-O/);
  });

  it("stillinger-weber: −2 ε an atom in the perfect crystal, whose pressure is zero at 5.431 Å", () => {
    const potential = term("stillinger-weber", {}, [14]);
    // The length for which the pair energy is least, 2^(1/6) σ, is the bond of the crystal by construction.
    const a = (4 / Math.sqrt(3)) * 2 ** (1 / 6) * 2.0951;
    const out = evaluated(potential, repeat(diamond(a), [2, 2, 2]));
    expect(out.energy / 64 / 2.1683).toBeCloseTo(-2, 6);
    expect(Math.abs(out.virial[0] / 64)).toBeLessThan(1e-5);
    expect(a).toBeCloseTo(5.431, 3);
  });

  it("double-well: barrier and wells where they are said to be", () => {
    const potential = term("double-well", { barrier: 0.3, distance: 0.8, stiffness: 5 }, [1]);
    const bottom = evaluated(potential, free([1], [0.8, 0, 0]));
    expect(bottom.energy).toBeCloseTo(-0.3, 15);
    expect(Math.abs(bottom.forces[0])).toBeLessThan(1e-14);
    expect(evaluated(potential, free([1], [0, 0.2, 0])).energy).toBeCloseTo(0.5 * 5 * 0.04, 15);
  });

  it("leps: a lone bond is Morse's well, and the exchange is symmetric where its parameters are", () => {
    const far = (r: number) =>
      evaluated(term("leps", { AB: { sato: 0 } }, [1]), free([1, 1, 1], [0, 0, 0, r, 0, 0, 60, 0, 0]));
    const out = far(0.742);
    expect(out.energy).toBeCloseTo(-4.746, 12);
    expect(Math.abs(out.forces[0])).toBeLessThan(1e-12);
    const even = term("leps", { BC: { sato: 0.05 } }, [1]);
    const one = evaluated(even, free([1, 1, 1], [0, 0, 0, 0.8, 0, 0, 2.1, 0, 0]));
    const two = evaluated(even, free([1, 1, 1], [0, 0, 0, 1.3, 0, 0, 2.1, 0, 0]));
    expect(two.energy).toBeCloseTo(one.energy, 12);
  });
});

const muellerBrown = shared("reference/mueller_brown.json");

describe.skipIf(!muellerBrown)("Müller–Brown against 30 digits", () => {
  interface Reference {
    readonly stationary: readonly {
      readonly name: string;
      readonly x: string;
      readonly y: string;
      readonly V: string;
      readonly hessian_eigenvalues: readonly string[];
    }[];
    readonly grid: readonly {
      readonly x: number;
      readonly y: number;
      readonly V: string;
      readonly gx: string;
      readonly gy: string;
    }[];
  }
  const reference = JSON.parse(muellerBrown ? readFileSync(muellerBrown, "utf8") : "{}") as Reference;
  const potential = term("mueller-brown", {}, [18]);
  it("values and slopes on a grid, and the stationary points", () => {
    expect(reference.grid.length).toBeGreaterThan(20);
    for (const { x, y, V, gx, gy } of reference.grid) {
      const out = evaluated(potential, free([18], [x, y, 0]));
      const scale = Math.max(1, Math.abs(Number(V)));
      expect(Math.abs(out.energy - Number(V)) / scale).toBeLessThan(1e-12);
      expect(Math.abs(out.forces[0] + Number(gx)) / Math.max(1, Math.abs(Number(gx)))).toBeLessThan(1e-12);
      expect(Math.abs(out.forces[1] + Number(gy)) / Math.max(1, Math.abs(Number(gy)))).toBeLessThan(1e-12);
    }
    for (const { name, x, y, V } of reference.stationary) {
      const out = evaluated(potential, free([18], [Number(x), Number(y), 0]));
      expect([name, Math.abs(out.energy - Number(V)) < 1e-11]).toEqual([name, true]);
      expect(Math.hypot(out.forces[0], out.forces[1])).toBeLessThan(1e-10);
    }
  });
  it("eigenvalues of the second derivatives at the stationary points", () => {
    for (const { x, y, hessian_eigenvalues: given } of reference.stationary) {
      const H = curvature(potential, free([18], [Number(x), Number(y), 0]));
      const { values } = symmetricEigen(Float64Array.of(H[0], H[1], H[3], H[4]), 2);
      // Printed to 15 digits; ascending there, descending here.
      given.map(Number).forEach((e, k) => expect(Math.abs(values[1 - k] / e - 1)).toBeLessThan(1e-12));
    }
  });
});

/** Second derivatives of a structure, [3n, 3n]. */
function curvature(potential: Potential, structure: Structure): Float64Array {
  const H = new Float64Array(structure.positions.length ** 2);
  potential.curvature!(structure, findNeighbours(structure, Math.max(potential.cutoff, 0.1)), H);
  return H;
}

describe("second derivatives in closed form", () => {
  it("Morse: 2 D α² along the bond at r₀, nothing across; a double well: 8 B/d² and −4 B/d²", () => {
    const pairs = { "H-H": { depth: 4.7, alpha: 1.9, distance: 0.74 } };
    const H = curvature(term("morse", { cutoff: 6, pairs }, [1]), free([1, 1], [0, 0, 0, 0, 0, 0.74]));
    expect(H[5 * 6 + 5]).toBeCloseTo(2 * 4.7 * 1.9 ** 2, 11);
    expect(H[5 * 6 + 2]).toBeCloseTo(-2 * 4.7 * 1.9 ** 2, 11);
    expect(Math.abs(H[0])).toBeLessThan(1e-12);
    const well = term("double-well", { barrier: 0.3, distance: 0.8, stiffness: 5 }, [1]);
    const two = curvature(well, free([1, 1], [0.8, 0, 0, 0, 0.2, 0]));
    expect(two[0]).toBeCloseTo((8 * 0.3) / 0.64, 12);
    expect(two[3 * 6 + 3]).toBeCloseTo((-4 * 0.3) / 0.64, 12);
    expect([two[7], two[14], two[3]]).toEqual([5, 5, 0].map((k) => expect.closeTo(k, 12) as number));
  });

  it("are those of a sum's parts with their weights, and no other potential claims to have them", () => {
    const [one, two] = [lj("switched", 7), subjects["morse"][0]];
    const [a, b] = [curvature(one, cluster), curvature(two, cluster)];
    const both = curvature(sum(one, { potential: two, weight: -0.5 }), cluster);
    both.forEach((h, k) => expect(h).toBeCloseTo(a[k] - 0.5 * b[k], 12));
    const blind: Potential = { ...one, curvature: undefined };
    expect(sum(one, blind).curvature).toBeUndefined();
  });
});

const lammps = shared("reference/md_lj_nve.json");

describe.skipIf(!lammps)("lennard-jones against LAMMPS", () => {
  interface Frames {
    readonly thermo: readonly (readonly number[])[];
    readonly frames: readonly { readonly atoms: readonly (readonly number[])[] }[];
  }
  const { thermo, frames } = JSON.parse(lammps ? readFileSync(lammps, "utf8") : "{}") as Frames;
  it("energy and forces of 256 atoms, cut at 2.5 σ", () => {
    const L = Math.cbrt(256 / 0.8442);
    const atoms = frames[1].atoms;
    const structure: Structure = {
      numbers: new Uint8Array(atoms.length).fill(18),
      positions: Float64Array.from(atoms.flatMap((a) => a.slice(1, 4))),
      cell: Float64Array.of(L, 0, 0, 0, L, 0, 0, 0, L),
      pbc: [true, true, true],
    };
    const unit = { cutoff: 2.5, pairs: { "Ar-Ar": { epsilon: 1, sigma: 1 } } };
    const out = evaluated(term("lennard-jones", unit, [18]), structure);
    // Printed to 15 digits, positions included; forces are of the order of 100.
    let worst = 0;
    atoms.forEach((a, i) =>
      a.slice(7, 10).forEach((f, k) => (worst = Math.max(worst, Math.abs(f - out.forces[3 * i + k])))),
    );
    expect(worst).toBeLessThan(1e-10);
    expect(thermo.some((row) => Math.abs(row[2] - out.energy) < 1e-9 * Math.abs(out.energy))).toBe(true);
  });
});

const subjects: Record<string, [Potential, Structure]> = {
  "lennard-jones": [lj("switched", 7), cluster],
  morse: [
    term(
      "morse",
      { cutoff: 7, ending: "switched", pairs: { "Ar-Ar": { depth: 1, alpha: 1.2, distance: 3.7 } } },
      [18],
    ),
    cluster,
  ],
  "stillinger-weber": [term("stillinger-weber", {}, [14]), silicon],
  leps: [term("leps", {}, [1]), hydrogen],
};

describe.each(Object.keys(subjects))("laws: %s", (name) => {
  const [potential, structure] = subjects[name];
  it("translation, rotation, permutation", () => {
    laws.isTranslationInvariant(potential, structure);
    laws.turnsWithTheStructure(potential, structure);
    if (name !== "leps") laws.isPermutationInvariant(potential, structure);
  });
  it("forces, virial, sums, parts", () => {
    laws.forcesAreDerivatives(potential, structure);
    laws.virialIsDerivative(potential, structure);
    laws.forceConstantsAreDerivatives(potential, structure);
    laws.addsToOut(potential, structure);
    laws.partsAddUp(potential, structure);
    laws.leavesInputAlone(potential, structure);
  });
});

describe.each(["mueller-brown", "double-well"])("laws: %s", (name) => {
  const given = {
    "mueller-brown": { stiffness: 3 },
    "double-well": { barrier: 0.3, distance: 0.8, stiffness: 2 },
  };
  const potential = term(name, given[name as keyof typeof given], [1]);
  const structure = free([1, 1, 1], [-0.5, 1.2, 0.1, 0.3, 0.2, -0.2, 0.6, 0.1, 0.05]);
  it("forces, force constants, sums, parts", () => {
    laws.forcesAreDerivatives(potential, structure);
    laws.forceConstantsAreDerivatives(potential, structure);
    laws.addsToOut(potential, structure);
    laws.partsAddUp(potential, structure);
    laws.leavesInputAlone(potential, structure);
  });
});
