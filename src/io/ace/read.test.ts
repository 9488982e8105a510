import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createDevice } from "../../device/device.ts";
import { buildPotential } from "../../potentials/build.ts";
import type { Evaluation, Model } from "../../potentials/potential.ts";
import { numberOf } from "../../structure/elements.ts";
import type { Structure } from "../../structure/structure.ts";
import { shared } from "../../../test/shared.ts";
import { readAce } from "./read.ts";
import { evaluated } from "../../potentials/evaluated.fixture.ts";

interface Reference {
  readonly name: string;
  readonly symbols: readonly string[];
  readonly positions_A: readonly (readonly number[])[];
  readonly cell_A?: readonly (readonly number[])[];
  readonly pbc: readonly [boolean, boolean, boolean];
  readonly energy: number;
  readonly forces: readonly (readonly number[])[];
  readonly stress_eV_per_A3?: readonly (readonly number[])[];
}

const CU = shared("models/ace-Cu_PBE/Cu-PBE-core-rep.ace");
const CU_REFERENCE = shared("models/ace-Cu_PBE/reference.json");
const TA = shared("models/ace-Ta_fitsnap/Ta_pot.yace");
const TA_REFERENCE = shared("models/ace-Ta_fitsnap/reference_unit_coefficients.json");
const TA_REAL = shared("models/ace-Ta_fitsnap/Ta_pot_multiplied.yace");
const TA_REAL_REFERENCE = shared("models/ace-Ta_fitsnap/reference_multiplied.json");
const UNIT = shared("models/lammps-unittests/manybody-pair-pace_product.json");

const DATA = shared("models/lammps-unittests/data.manybody");

/** The cubic cell of a LAMMPS data file, all atoms copper. */
function readData(text: string): Structure {
  const side = Number(/^\S+ (\S+) xlo/m.exec(text)![1]);
  const rows = text
    .split(/^Atoms.*\n\n/m)[1]
    .split("\n\n")[0]
    .trim()
    .split("\n");
  const words = rows.map((row) => row.split(" ").map(Number)).toSorted((a, b) => a[0] - b[0]);
  return {
    numbers: new Uint8Array(words.length).fill(29),
    positions: Float64Array.from(words.flatMap((w) => w.slice(2, 5))),
    cell: Float64Array.of(side, 0, 0, 0, side, 0, 0, 0, side),
    pbc: [true, true, true],
  };
}

const toStructure = (s: Omit<Reference, "name" | "energy" | "forces">): Structure => ({
  numbers: Uint8Array.from(s.symbols, numberOf),
  positions: Float64Array.from(s.positions_A.flat()),
  cell: s.cell_A ? Float64Array.from(s.cell_A.flat()) : null,
  pbc: s.pbc,
});

function evaluate(model: Model, structures: readonly Structure[]): Evaluation[] {
  const potential = buildPotential(model, createDevice({ bytes: 2 ** 27 }));
  return structures.map((structure) => {
    return evaluated(potential, structure);
  });
}

/** Largest difference of forces, eV/Å. */
const worst = (a: Float64Array, b: readonly number[]): number =>
  a.reduce((most, x, k) => Math.max(most, Math.abs(x - b[k])), 0);

function compare(file: string, reference: string, energy: number, force: number): void {
  const { structures } = JSON.parse(readFileSync(reference, "utf8")) as { structures: Reference[] };
  const found = evaluate(readAce(readFileSync(file, "utf8"), file), structures.map(toStructure));
  for (const [k, expected] of structures.entries()) {
    const { name } = expected;
    expect(Math.abs(found[k].energy / expected.energy - 1), name).toBeLessThan(energy);
    expect(worst(found[k].forces, expected.forces.flat()), name).toBeLessThan(force);
    if (!expected.stress_eV_per_A3 || !expected.cell_A) continue;
    const [a, b, c] = expected.cell_A;
    const volume = Math.abs(
      a[0] * (b[1] * c[2] - b[2] * c[1]) -
        a[1] * (b[0] * c[2] - b[2] * c[0]) +
        a[2] * (b[0] * c[1] - b[1] * c[0]),
    );
    const virial = expected.stress_eV_per_A3.flat().map((s) => -volume * s);
    expect(worst(found[k].virial, virial), name).toBeLessThan(
      10 * force * Math.sqrt(expected.symbols.length),
    );
  }
}

// The reference evaluator (python-ace) interpolates radial functions between bins of 0.001 Å; energies of dimers, where a
// bin is hit, agree to 1e-13. With the coefficients multiplied in (up to 1e7) its interpolation shows most.
describe("potentials of pacemaker", () => {
  it.skipIf(!CU || !CU_REFERENCE)("copper, nonlinear, .ace: python-ace's energies, forces, stress", () => {
    compare(CU!, CU_REFERENCE!, 1e-11, 1e-8);
  });

  it.skipIf(!TA || !TA_REFERENCE)("tantalum, linear, .yace, coefficients 1", () => {
    compare(TA!, TA_REFERENCE!, 1e-11, 1e-5);
  });

  it.skipIf(!TA_REAL || !TA_REAL_REFERENCE)("tantalum with its coefficients", () => {
    compare(TA_REAL!, TA_REAL_REFERENCE!, 2e-8, 1e-4);
  });

  it.skipIf(!CU || !UNIT || !DATA)(
    "copper in LAMMPS's unit test of pair_style pace: energy, forces, virial",
    () => {
      const unit = JSON.parse(readFileSync(UNIT!, "utf8")) as {
        init_energy: number;
        init_forces: number[][];
        init_virial: number[];
      };
      const [out] = evaluate(readAce(readFileSync(CU!, "utf8"), CU!), [
        readData(readFileSync(DATA!, "utf8")),
      ]);
      expect(Math.abs(out.energy / unit.init_energy - 1)).toBeLessThan(1e-11);
      expect(worst(out.forces, unit.init_forces.flat())).toBeLessThan(1e-8);
      const [xx, yy, zz, xy, xz, yz] = unit.init_virial;
      expect(worst(out.virial, [xx, xy, xz, xy, yy, yz, xz, yz, zz])).toBeLessThan(1e-7);
    },
  );
});
