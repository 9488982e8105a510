import { readFileSync } from "node:fs";
import { zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { shared } from "../../../test/shared.ts";
import { createDevice } from "../../device/device.ts";
import { evaluateOnce } from "../../laws/potential.ts";
import { buildPotential } from "../../potentials/build.ts";
import { unit } from "../../structure/units.ts";
import { readSgdml } from "./read.ts";

const kcal = unit("energy", "kcal/mol");
const units = { energy: kcal, length: 1 };

interface Reference {
  readonly structures: readonly {
    readonly numbers: readonly number[];
    readonly positions_A: readonly (readonly number[])[];
    readonly energy: number;
    readonly forces: readonly (readonly number[])[];
  }[];
}

// The catalogue's tolerances; the weights of the benzene model reach 6e10, which costs its predictions nine digits.
describe.each([
  ["sgdml-benzene", 1e-4, 1.5e-5],
  ["sgdml-ethanol", 1e-7, 1e-6],
])("%s", (name, energy, force) => {
  const file = shared(`models/${name}/model.npz`);
  it.skipIf(!file)("gives the energies and forces of the reference program", () => {
    const model = readSgdml(readFileSync(file!), "model.npz", units);
    const potential = buildPotential(model, createDevice({ bytes: 2 ** 26 }));
    const text = readFileSync(shared(`models/${name}/reference.json`)!, "utf8");
    const { structures } = JSON.parse(text) as Reference;
    expect(structures.length).toBe(10);
    for (const { numbers, positions_A, energy: E, forces } of structures) {
      const out = evaluateOnce(potential, {
        numbers: Uint8Array.from(numbers),
        positions: Float64Array.from(positions_A.flat()),
        cell: null,
        pbc: [false, false, false],
      });
      expect(Math.abs(out.energy / kcal - E)).toBeLessThan(energy);
      for (const [k, f] of forces.flat().entries())
        expect(Math.abs(out.forces[k] / kcal - f)).toBeLessThan(force);
    }
  });
});

describe("what is no model of sGDML", () => {
  it("is refused, with what is missing", () => {
    const text = new TextEncoder();
    const header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }\n";
    const npy = Uint8Array.from([
      0x93,
      ...text.encode("NUMPY"),
      1,
      0,
      header.length,
      0,
      ...text.encode(header),
      ...new Uint8Array(8),
    ]);
    expect(() => readSgdml(zipSync({ "z.npy": npy }), "a.npz", units)).toThrow(/none of perms, R_desc/);
    expect(() => readSgdml(new Uint8Array(3), "a.npz", units)).toThrow(/a whole \.npz archive/);
  });
});
