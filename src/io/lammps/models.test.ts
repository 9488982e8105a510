import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { shared } from "../../../test/shared.ts";
import { createDevice } from "../../device/device.ts";
import { buildPotential } from "../../potentials/build.ts";
import type { Potential } from "../../potentials/potential.ts";
import { volume } from "../../structure/cell.ts";
import type { Frame, Structure } from "../../structure/structure.ts";
import { readLabelled } from "../files.node.ts";
import { readPotential } from "./read.ts";
import { evaluated } from "../../potentials/evaluated.fixture.ts";

const device = createDevice({ bytes: 2 ** 29 });

/** What LAMMPS gave for one structure; forces and the rest for one structure of every group. */
interface Result {
  readonly index: number;
  readonly energy: number;
  readonly forces?: readonly (readonly number[])[];
  /** [3, 3], tension positive. */
  readonly stress_eV_per_A3?: readonly (readonly number[])[] | null;
  readonly atomic_energies?: readonly number[];
}

interface Reference {
  readonly structures_file: string;
  readonly pair_commands: string;
  readonly test_MAE_energy_meV_per_atom?: number;
  readonly test_MAE_force_eV_per_A?: number;
  readonly results: readonly Result[];
}

const textsOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder)
      .filter((name) => !name.endsWith(".json"))
      .map((name) => [name, readFileSync(join(folder, name), "utf8")]),
  );

function evaluate(potential: Potential, structure: Structure) {
  return evaluated(potential, structure);
}

const largest = (found: ArrayLike<number>, expected: readonly number[]): number =>
  Math.max(...expected.map((x, k) => Math.abs(x - found[k])));

/** Mean absolute errors against the labels: eV per atom, eV/Å. */
function errors(potential: Potential, frames: readonly Frame[]): { energy: number; force: number } {
  let [energy, force, count] = [0, 0, 0];
  for (const frame of frames) {
    const out = evaluate(potential, frame.structure);
    energy += Math.abs(out.energy - frame.energy!) / frame.structure.numbers.length / frames.length;
    out.forces.forEach((f, k) => (force += Math.abs(f - frame.forces![k])));
    count += out.forces.length;
  }
  return { energy, force: force / count };
}

/** Positions of the zuo2020 structures are written with ten decimals. */
const models = {
  "snap-Ta06A": 1e-10,
  "snap-W_2940_2017_2": 1e-10,
  "snap-WBe_Wood_PRB2019_onW": 1e-10,
  "snap-Mo-zuo2020": 1e-8,
  "snap-Li-zuo2020": 1e-8,
  "snap-Si-zuo2020": 1e-8,
  "qsnap-Mo-zuo2020": 1e-8,
  "qsnap-Li-zuo2020": 1e-8,
  "qsnap-Si-zuo2020": 1e-8,
};

describe.each(Object.entries(models))("%s as LAMMPS evaluates it", (name, tolerance) => {
  const folder = shared(`models/${name}`);
  it.skipIf(!folder)("energies, forces, stresses, atomic energies; published errors", async () => {
    const reference = JSON.parse(readFileSync(join(folder!, "reference.json"), "utf8")) as Reference;
    const [file] = reference.structures_file.replace(/^shared\//, "").split(" ");
    const { frames } = await readLabelled(shared(file)!);
    const input = `units metal\n${reference.pair_commands}\n`;
    const potential = buildPotential(readPotential("input", { ...textsOf(folder!), input }).model, device);
    let whole = 0;
    for (const {
      index,
      energy,
      forces,
      stress_eV_per_A3: stress,
      atomic_energies: own,
    } of reference.results) {
      const { structure } = frames[index];
      const out = evaluate(potential, structure);
      expect(Math.abs(out.energy - energy)).toBeLessThan(tolerance);
      if (forces) expect(largest(out.forces, forces.flat())).toBeLessThan(tolerance);
      if (own) expect(largest(out.energies, own)).toBeLessThan(tolerance);
      const found = [...out.virial].map((w) => -w / volume(structure.cell!));
      // LAMMPS prints bar, by a constant that is 4·10⁻⁸ off.
      const strongest = Math.max(...(stress ?? []).flat().map(Math.abs));
      if (stress) expect(largest(found, stress.flat())).toBeLessThan(1e-7 * strongest);
      if (forces) whole++;
    }
    expect(whole).toBeGreaterThan(3);
    const { test_MAE_energy_meV_per_atom: E, test_MAE_force_eV_per_A: F } = reference;
    if (E === undefined || F === undefined) return;
    const { energy, force } = errors(potential, frames);
    expect(1000 * energy).toBeCloseTo(E, 6);
    expect(force).toBeCloseTo(F, 8);
  });
});

const unit = shared("models/lammps-unittests");
describe.skipIf(!unit)("LAMMPS's unit test of pair snap: eight types of one element", () => {
  it("energy, forces and virial", () => {
    const data = readFileSync(join(unit!, "data.manybody"), "utf8");
    const expected = JSON.parse(readFileSync(join(unit!, "manybody-pair-snap.json"), "utf8")) as {
      readonly init_energy: number;
      readonly init_forces: readonly (readonly number[])[];
      readonly init_virial: readonly number[];
    };
    const [, length] = /0\.0+e\+00 (\S+) xlo xhi/.exec(data)!;
    const rows = /Atoms[^\n]*\n\n([^]*?)\n\n/
      .exec(data)![1]
      .split("\n")
      .map((row) => row.split(/\s+/).map(Number));
    const positions = new Float64Array(3 * rows.length);
    for (const [id, , x, y, z] of rows) positions.set([x, y, z], 3 * (id - 1));
    const L = Number(length);
    const structure: Structure = {
      numbers: new Uint8Array(rows.length).fill(73),
      positions,
      cell: Float64Array.of(L, 0, 0, 0, L, 0, 0, 0, L),
      pbc: [true, true, true],
    };
    const input =
      "pair_style hybrid/overlay zbl 4.0 4.8 snap\npair_coeff 1 1 zbl 73 73\n" +
      "pair_coeff * * snap Ta06A.snapcoeff Ta06A.snapparam Ta\n";
    const potential = buildPotential(readPotential("input", { ...textsOf(unit!), input }).model, device);
    const out = evaluate(potential, structure);
    expect(Math.abs(out.energy / expected.init_energy - 1)).toBeLessThan(1e-12);
    expect(largest(out.forces, expected.init_forces.flat())).toBeLessThan(1e-10);
    const [xx, yy, zz, xy, xz, yz] = expected.init_virial;
    const virial = [xx, xy, xz, xy, yy, yz, xz, yz, zz];
    expect(largest(out.virial, virial)).toBeLessThan(1e-9);
  });
});
