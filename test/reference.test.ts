import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createDevice } from "../src/device/device.ts";
import { readAce } from "../src/io/ace/read.ts";
import { readPotential } from "../src/io/lammps/read.ts";
import { buildPotential, buildTerm } from "../src/potentials/build.ts";
import type { Model, Potential } from "../src/potentials/potential.ts";
import { relaxCell } from "../src/run/cell-relaxation.ts";
import { verlet } from "../src/run/dynamics.ts";
import type { Motion } from "../src/run/dynamics.ts";
import { elasticConstants } from "../src/run/elastic.ts";
import { lbfgs, relax } from "../src/run/relax.ts";
import { createSurface } from "../src/run/surface.ts";
import { repeat } from "../src/structure/cell.ts";
import type { Structure } from "../src/structure/structure.ts";
import { AMU_A2_FS2 } from "../src/structure/units.ts";
import { shared } from "./shared.ts";

const parse = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));

/** A cubic crystal of one element with atoms at these places of the cell. */
const crystal = (z: number, a: number, places: readonly number[]): Structure => ({
  numbers: new Uint8Array(places.length / 3).fill(z),
  positions: Float64Array.from(places, (x) => x * a),
  cell: Float64Array.of(a, 0, 0, 0, a, 0, 0, 0, a),
  pbc: [true, true, true],
});
const BCC = [0, 0, 0, 0.5, 0.5, 0.5];
const FCC = [0, 0, 0, 0, 0.5, 0.5, 0.5, 0, 0.5, 0.5, 0.5, 0];

/** The model of a folder with the input that its reference.json gives. */
function lammpsModel(folder: string): Model {
  const files: Record<string, string> = {};
  for (const name of readdirSync(folder))
    if (!name.endsWith(".json")) files[name] = readFileSync(join(folder, name), "utf8");
  const { pair_commands: pair } = parse(join(folder, "reference.json")) as {
    pair_commands: string;
  };
  return readPotential("input", { ...files, input: `units metal\n${pair}\n` }).model;
}

/** Numbers of solid_properties.json: Å, eV, GPa. */
interface Solid {
  readonly ecoh: number;
  readonly a0: number;
  readonly C11_GPa: number;
  readonly C12_GPa: number;
  readonly C44_GPa: number;
  readonly vacancy_unrelaxed_eV: number;
  readonly vacancy_relaxed_eV: number;
  readonly sia_111_relaxed_eV?: number;
}

const solids = shared("reference/solid_properties.json");
const CU = shared("models/ace-Cu_PBE/Cu-PBE-core-rep.ace");
const W = shared("models/snap-W_2940_2017_2");
const TA = shared("models/snap-Ta06A");

interface Case {
  readonly name: string;
  readonly there: boolean;
  readonly model: () => Model;
  readonly z: number;
  readonly places: readonly number[];
  readonly cells: number;
}
const cases: readonly Case[] = [
  { name: "snap-W_2940_2017_2", there: !!W, model: () => lammpsModel(W!), z: 74, places: BCC, cells: 4 },
  { name: "snap-Ta06A", there: !!TA, model: () => lammpsModel(TA!), z: 73, places: BCC, cells: 4 },
  {
    name: "ace-Cu_PBE (lammps product evaluator)",
    there: !!CU,
    model: () => readAce(readFileSync(CU!, "utf8"), "Cu.ace"),
    z: 29,
    places: FCC,
    cells: 3,
  },
];

describe.each(cases)("solid properties of $name", ({ name, there, model, z, places, cells }) => {
  const skip = !solids || !there;
  const wanted = skip ? undefined! : (parse(solids) as { models: Record<string, Solid> }).models[name];
  const potential = skip ? undefined! : buildPotential(model(), createDevice({ bytes: 2 ** 28 }));
  const energyOf = (structure: Structure) => createSurface(structure, potential).start().energy;
  const settled = (structure: Structure) => {
    const result = relax(lbfgs(structure, potential), structure, { fmax: 2e-3, steps: 300 });
    expect(result.converged).toBe(true);
    return result.energy;
  };

  it.skipIf(skip)("lattice constant to 1e-6 Å, cohesive energy to 1e-6 eV", () => {
    const start = crystal(z, wanted.a0 * 1.01, places);
    const { structure, energy, converged } = relaxCell(start, potential, {
      cell: "isotropic",
      fmax: 1e-4,
      smax: 1e-4,
      steps: 100,
    });
    expect(converged).toBe(true);
    expect(Math.abs(structure.cell![0] - wanted.a0)).toBeLessThan(1e-6);
    expect(Math.abs(energy / (places.length / 3) - wanted.ecoh)).toBeLessThan(1e-6);
  });

  it.skipIf(skip)("elastic constants to 0.01 GPa", () => {
    const { constants: C } = elasticConstants(crystal(z, wanted.a0, places), potential, { relax: false });
    const error = [C[0] - wanted.C11_GPa, C[1] - wanted.C12_GPa, C[21] - wanted.C44_GPa];
    for (const e of error) expect(Math.abs(e)).toBeLessThan(0.01);
  });

  it.skipIf(skip)("vacancy to 1e-4 eV, before and after relaxation", () => {
    const whole = repeat(crystal(z, wanted.a0, places), [cells, cells, cells]);
    const n = whole.numbers.length;
    const empty = { ...whole, numbers: whole.numbers.slice(1), positions: whole.positions.slice(3) };
    const bulk = ((n - 1) / n) * energyOf(whole);
    expect(Math.abs(energyOf(empty) - bulk - wanted.vacancy_unrelaxed_eV)).toBeLessThan(1e-4);
    expect(Math.abs(settled(empty) - bulk - wanted.vacancy_relaxed_eV)).toBeLessThan(1e-4);
  });

  it.skipIf(skip || wanted.sia_111_relaxed_eV === undefined)("<111> interstitial to 1e-4 eV", () => {
    const whole = repeat(crystal(z, wanted.a0, places), [cells, cells, cells]);
    const n = whole.numbers.length;
    const crowded = {
      ...whole,
      numbers: Uint8Array.of(...whole.numbers, z),
      positions: Float64Array.of(...whole.positions, ...[1.25, 1.25, 1.25].map((x) => x * wanted.a0)),
    };
    const bulk = ((n + 1) / n) * energyOf(whole);
    expect(Math.abs(settled(crowded) - bulk - wanted.sia_111_relaxed_eV!)).toBeLessThan(1e-4);
  });
});

/** A run of LAMMPS: rows of thermo, frames with id, r, v, f. */
interface Run {
  readonly thermo: readonly (readonly number[])[];
  readonly frames: readonly { readonly step: number; readonly atoms: readonly (readonly number[])[] }[];
}

/** Columns of a frame, atoms in the order of their ids, [n, 3]. */
const columns = (run: Run, step: number, first: number, factor = 1): Float64Array =>
  Float64Array.from(
    run.frames
      .find((frame) => frame.step === step)!
      .atoms.toSorted((a, b) => a[0] - b[0])
      .flatMap((row) => row.slice(first, first + 3)),
    (x) => x * factor,
  );

/** Largest difference of a component; of places up to the vectors of a cube. */
const furthest = (a: Float64Array, b: Float64Array, side?: number): number =>
  a.reduce((most, x, k) => {
    const d = x - b[k];
    return Math.max(most, Math.abs(side === undefined ? d : d - side * Math.round(d / side)));
  }, 0);

/** Runs a trajectory and checks energies at every tenth step and places where there is a frame. */
function follow(
  run: Run,
  structure: Structure,
  potential: Potential,
  units: { timestep: number; masses: Float64Array; perStep: number },
  until: number,
): { positions: number; velocities: number; energies: number[]; first: Motion } {
  const dynamics = verlet(structure, potential, {
    timestep: units.timestep,
    masses: units.masses,
    velocities: columns(run, 0, 4, units.perStep),
  });
  const state = dynamics.init();
  const first = structuredClone(state);
  const energies: number[] = [];
  const energyOf = (step: number) => run.thermo.find((row) => row[0] === step)![2];
  for (;;) {
    if (state.step % 10 === 0) energies.push(Math.abs(state.energy / energyOf(state.step) - 1));
    if (state.step === until) break;
    dynamics.step(state);
  }
  const side = structure.cell![0];
  return {
    positions: furthest(state.positions, columns(run, until, 1), side),
    velocities: furthest(state.velocities, columns(run, until, 4, units.perStep)),
    energies,
    first,
  };
}

const lj = shared("reference/md_lj_nve.json");
describe.skipIf(!lj)("LAMMPS's Lennard-Jones liquid at constant energy", () => {
  it("energies, places and velocities to step 50, to 1e-10", () => {
    const run = parse(lj!) as Run;
    const L = Math.cbrt(256 / 0.8442);
    const structure: Structure = {
      numbers: new Uint8Array(256).fill(18),
      positions: columns(run, 0, 1),
      cell: Float64Array.of(L, 0, 0, 0, L, 0, 0, 0, L),
      pbc: [true, true, true],
    };
    const options = { cutoff: 2.5, ending: "cut", pairs: { "Ar-Ar": { epsilon: 1, sigma: 1 } } };
    const potential = buildTerm({ type: "lennard-jones", options, tensors: {} }, [18], createDevice());
    // ε, σ and m of 1: with masses such that F/m is the acceleration, a "femtosecond" is the unit of time.
    const units = { timestep: 0.005, masses: new Float64Array(256).fill(1 / AMU_A2_FS2), perStep: 1 };
    const found = follow(run, structure, potential, units, 50);
    expect(found.energies[0]).toBeLessThan(1e-10);
    expect(Math.max(...found.energies)).toBeLessThan(1e-10);
    expect(found.positions).toBeLessThan(1e-10);
    expect(found.velocities).toBeLessThan(1e-10);
  });
});

const pka = shared("reference/md_w_snap_pka_nve.json");
describe.skipIf(!pka || !W)("LAMMPS's tungsten with a knock-on of 474 eV, SNAP and ZBL", () => {
  it("energies, forces, places and velocities to step 100, to 1e-10", () => {
    const run = parse(pka!) as Run;
    const side = 3 * 3.1803;
    const structure: Structure = {
      numbers: new Uint8Array(54).fill(74),
      positions: columns(run, 0, 1),
      cell: Float64Array.of(side, 0, 0, 0, side, 0, 0, 0, side),
      pbc: [true, true, true],
    };
    const potential = buildPotential(lammpsModel(W!), createDevice({ bytes: 2 ** 28 }));
    // LAMMPS's units metal have 1.0364269e-4 for amu Å²/ps² in eV, 6e-8 off; the masses make up for it.
    const masses = new Float64Array(54).fill((183.84 * 103.64269) / AMU_A2_FS2);
    const units = { timestep: 0.2, masses, perStep: 1e-3 };
    const found = follow(run, structure, potential, units, 100);
    expect(found.energies[0]).toBeLessThan(1e-10);
    expect(Math.max(...found.energies)).toBeLessThan(1e-10);
    expect(furthest(found.first.forces, columns(run, 0, 7))).toBeLessThan(1e-10);
    expect(found.positions).toBeLessThan(1e-10);
    expect(found.velocities).toBeLessThan(1e-10);
  });
});
