import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { shared } from "../../test/shared.ts";
import { createDevice } from "../device/device.ts";
import { evaluateOnce } from "../laws/potential.ts";
import { pairStatistics } from "../structure/statistics.ts";
import type { Structure } from "../structure/structure.ts";
import { Zbl, zbl, zblFromStatistics } from "./zbl.ts";

const device = createDevice({ bytes: 2 ** 24 });
const dimer = (Z1: number, Z2: number, r: number): Structure => ({
  numbers: Uint8Array.of(Z1, Z2),
  positions: Float64Array.of(0.3, -0.2, 0.1, 0.3 + r / 3, -0.2 + (2 * r) / 3, 0.1 - (2 * r) / 3),
  cell: null,
  pbc: [false, false, false],
});

interface Curve {
  readonly Z1: number;
  readonly Z2: number;
  readonly inner: number;
  readonly outer: number;
  readonly points: readonly { readonly r: number; readonly energy: number; readonly minus_dEdr: number }[];
}

const file = shared("reference/zbl_dimers.json");

describe.skipIf(!file)("ZBL against LAMMPS dimers (shared reference)", () => {
  const { curves } = file ? (JSON.parse(readFileSync(file, "utf8")) as { curves: Curve[] }) : { curves: [] };
  it.each(curves.map((c) => [`${c.Z1}-${c.Z2}`, c] as const))("%s", (_, { Z1, Z2, inner, outer, points }) => {
    const pairs = Object.fromEntries(
      [
        [Z1, Z1],
        [Z1, Z2],
        [Z2, Z2],
      ].map(([a, b]) => [`${Math.min(a, b)}-${Math.max(a, b)}`, { inner, outer }]),
    );
    const elements = [...new Set([Z1, Z2])].toSorted((a, b) => a - b);
    const potential = new Zbl({ pairs }, elements, device);
    expect(points.length).toBeGreaterThan(10);
    for (const { r, energy, minus_dEdr: force } of points) {
      const { energy: E, forces, energies } = evaluateOnce(potential, dimer(Z1, Z2, r));
      // The reference ends at 15 digits of numbers that the switching makes small by cancellation.
      expect(Math.abs(E - energy)).toBeLessThan(1e-8 * Math.abs(energy) + 1e-13);
      expect(Math.abs(forces[4] * 1.5 - force)).toBeLessThan(1e-8 * force + 1e-12);
      expect(energies[0]).toBe(energies[1]);
    }
  });
});

/** The formula for C and O, with the engine's own functions. */
const formula = (r: number) => {
  const x = (r * (6 ** 0.23 + 8 ** 0.23)) / 0.4685;
  const phi =
    0.18175 * Math.exp(-3.1998 * x) +
    0.50986 * Math.exp(-0.94229 * x) +
    0.28022 * Math.exp(-0.4029 * x) +
    0.02817 * Math.exp(-0.20162 * x);
  return ((14.399645 * 48) / r) * phi;
};

describe("ZBL", () => {
  it("equals its formula inside the inner radius, up to the constant of the switching", () => {
    const potential = new Zbl(
      {
        pairs: {
          "6-8": { inner: 1, outer: 1.5 },
          "6-6": { inner: 1, outer: 1.5 },
          "8-8": { inner: 1, outer: 1.5 },
        },
      },
      [6, 8],
      device,
    );
    const E = (r: number) => evaluateOnce(potential, dimer(6, 8, r)).energy;
    expect(E(0.2) - E(0.7)).toBeCloseTo(formula(0.2) - formula(0.7), 9);
    expect(E(1.5)).toBe(0);
    expect(E(1.499)).toBeGreaterThan(0);
  });

  it("its default radii leave the data alone and cover pairs that the data lack", () => {
    const data = [dimer(6, 8, 1.2), dimer(6, 8, 1.4), dimer(6, 6, 1.5)];
    const options = zblFromStatistics(pairStatistics(data, 5));
    expect(options.pairs["6-8"]).toEqual({
      inner: expect.closeTo(0.72, 10),
      outer: expect.closeTo(1.14, 10),
    });
    expect(options.pairs["8-8"]!.outer).toBeCloseTo(0.95 * 1.32, 10);
    const potential = zbl.build(options, [6, 8], {}, device);
    for (const structure of data) expect(evaluateOnce(potential, structure).energy).toBe(0);
    expect(evaluateOnce(potential, dimer(8, 8, 0.9)).energy).toBeGreaterThan(1);
  });

  it("a pair of null feels nothing, its neighbours in the table what they did", () => {
    const radii = { inner: 1, outer: 2 };
    const all = new Zbl({ pairs: { "6-6": radii, "6-8": radii, "8-8": radii } }, [6, 8], device);
    const some = new Zbl({ pairs: { "6-6": radii, "6-8": null, "8-8": radii } }, [6, 8], device);
    expect(evaluateOnce(some, dimer(6, 8, 1.5)).energy).toBe(0);
    expect(evaluateOnce(some, dimer(8, 8, 1.5))).toEqual(evaluateOnce(all, dimer(8, 8, 1.5)));
  });

  it("names what is missing or wrong", () => {
    expect(() => new Zbl({ pairs: {} }, [6], device)).toThrow(
      /zbl\.pairs: expected radii of C-C, or null, got none/,
    );
    expect(() => zbl.options.parse({ pairs: { "6-6": { inner: 2, outer: 1 } } })).toThrow(/inner < outer/);
  });
});
