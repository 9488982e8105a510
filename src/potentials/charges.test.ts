import { describe, expect, it } from "vitest";
import { createDevice } from "../device/device.ts";
import { startPool } from "../node.ts";
import { findNeighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";
import { buildPotential, buildTerm } from "./build.ts";
import { ParallelPotential } from "./parallel.ts";
import type { Model, Potential } from "./potential.ts";
import { sum } from "./sum.ts";

const device = createDevice({ bytes: 2 ** 24 });
const made = (charges: object | number[], elements = [1, 8]) =>
  buildTerm({ type: "charges", options: { charges }, tensors: {} }, elements, device);

const water: Structure = {
  numbers: Uint8Array.of(8, 1, 1),
  positions: Float64Array.of(0.3, 0, 0.2, 0.3, 0.76, -0.4, 0.3, -0.76, -0.4),
  cell: null,
  pbc: [false, false, false],
};

function dipoleOf(potential: Potential, structure: Structure, range?: readonly [number, number]): number[] {
  const n = structure.numbers.length;
  const out = {
    energy: 0,
    forces: new Float64Array(3 * n),
    virial: new Float64Array(9),
    dipole: new Float64Array(3),
  };
  potential.evaluate(structure, findNeighbours(structure, potential.cutoff + 0.1), out, range);
  expect([out.energy, ...out.forces].every((x) => x === 0 || potential.cutoff > 0)).toBe(true);
  return [...out.dipole];
}

describe("charges", () => {
  it("give Σ q r, the same by element and by atom, wherever a neutral molecule lies", () => {
    const spc = made({ O: -0.82, H: 0.41 });
    expect(dipoleOf(spc, water)[2]).toBeCloseTo(-0.82 * 0.6, 14);
    expect(dipoleOf(made([-0.82, 0.41, 0.41]), water)).toEqual(dipoleOf(spc, water));
    const moved = { ...water, positions: water.positions.map((x) => x + 7.5) };
    dipoleOf(spc, moved).forEach((x, k) => expect(x).toBeCloseTo(dipoleOf(spc, water)[k], 12));
  });

  it("of an ion are taken about the centre of mass", () => {
    const ion = made({ O: -1, H: 0 }, [1, 8]);
    const hydroxide = {
      ...water,
      numbers: water.numbers.slice(0, 2),
      positions: water.positions.slice(0, 6),
    };
    const moved = { ...hydroxide, positions: hydroxide.positions.map((x) => x - 3) };
    const [here, there] = [dipoleOf(ion, hydroxide), dipoleOf(ion, moved)];
    here.forEach((x, k) => expect(x).toBeCloseTo(there[k], 12));
    // The hydrogen pulls the centre 1.008/17.007 of the bond away from the oxygen.
    expect(Math.hypot(...here)).toBeCloseTo((Math.hypot(0.76, 0.6) * 1.008) / 17.007, 4);
  });

  it("of ranges add up, weights of a sum count, and threads change no bit", async () => {
    const spc = made({ O: -0.82, H: 0.41 });
    const parts = [dipoleOf(spc, water, [0, 1]), dipoleOf(spc, water, [1, 3])];
    const whole = dipoleOf(spc, water);
    whole.forEach((x, k) => expect(parts[0][k] + parts[1][k]).toBeCloseTo(x, 14));
    dipoleOf(sum({ potential: spc, weight: -2 }), water).forEach((x, k) =>
      expect(x).toBeCloseTo(-2 * whole[k], 14),
    );
    const pairs = {
      "H-H": { epsilon: 0.01, sigma: 2 },
      "O-O": { epsilon: 0.01, sigma: 3 },
      "H-O": { epsilon: 0.01, sigma: 2.5 },
    };
    const model: Model = {
      elements: [1, 8],
      terms: [
        { type: "lennard-jones", options: { cutoff: 6, pairs }, tensors: {} },
        { type: "charges", options: { charges: { O: -0.82, H: 0.41 } }, tensors: {} },
      ],
      provenance: {},
    };
    const many: Structure = {
      ...water,
      numbers: Uint8Array.from({ length: 300 }, (_, i) => water.numbers[i % 3]),
      positions: Float64Array.from(
        { length: 900 },
        (_, k) => water.positions[k % 9] + 2.9 * Math.floor(k / 9) * ((k % 3) + 1),
      ),
    };
    const pool = await startPool({ threads: 2 });
    const parallel = await ParallelPotential.create(model, pool);
    expect(parallel.dipole).toBe(true);
    expect(dipoleOf(parallel, many)).toEqual(dipoleOf(buildPotential(model, device), many));
    pool.close();
  });

  it("that are missing or do not fit are errors", () => {
    expect(() => made({ O: -0.82 })).toThrow(/charge of H/);
    expect(() => dipoleOf(made([1, 2]), water)).toThrow(/2 atoms, as many as there are charges/);
  });
});
