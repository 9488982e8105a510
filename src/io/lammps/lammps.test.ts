import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { lammps, runLammps } from "../../../test/lammps.ts";
import { shared } from "../../../test/shared.ts";
import { createDevice } from "../../device/device.ts";
import { buildPotential } from "../../potentials/build.ts";
import { Random } from "../../math/random.ts";
import { snapTerm } from "../../potentials/linear-snap.ts";
import type { Model } from "../../potentials/potential.ts";
import type { Structure } from "../../structure/structure.ts";
import { volume, multiply } from "../../structure/cell.ts";
import { toLammps } from "./data-file.ts";
import { testStructure } from "./example.ts";
import { writeLammps } from "./export.ts";
import type { ExportOptions } from "./export.ts";
import { readPotential, readSnap } from "./read.ts";
import type { Files } from "./script.ts";
import { writePotential } from "./write.ts";

/** What is written of a model, with its own potential. */
const exported = (model: Model, options: ExportOptions = {}) =>
  writeLammps(model, buildPotential(model, createDevice()), options);

/** Texts of the small files of a shared folder. */
function filesOf(folder: string | undefined): Files {
  if (!folder) return {};
  const names = readdirSync(folder).filter((name) => !name.endsWith(".json") && !name.endsWith(".yaml"));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

const folders = {
  Ta: shared("models/snap-Ta06A"),
  WBe: shared("models/snap-WBe_Wood_PRB2019_onW"),
  WHe: shared("models/snap-W_He_hybrid"),
  Mo: shared("models/qsnap-Mo-zuo2020"),
};
const absent = Object.values(folders).some((folder) => !folder);

const tantalum = (): Model =>
  readPotential("in", {
    ...filesOf(folders.Ta),
    in: "pair_style hybrid/overlay zbl 4.0 4.8 snap\npair_coeff 1 1 zbl 73 73\npair_coeff * * snap Ta06A.snapcoeff Ta06A.snapparam Ta\n",
  }).model;
const tungstenHelium = () => readPotential("W_2940_2017_2_He_JW2013.snap", filesOf(folders.WHe), ["W", "He"]);
const molybdenum = (): Model => {
  const name = "Mo_Zuo_JPCA2020.quadratic";
  return readSnap(`${name}.snapcoeff`, `${name}.snapparam`, filesOf(folders.Mo)).model;
};
const beryllium = (): Model => readPotential("WBe_Wood_PRB2019.snap", filesOf(folders.WBe)).model;

/** Two elements that see each other's densities apart, with coefficients at random. */
function chemical(quadratic: boolean, wselfall: boolean): Model {
  const random = new Random(3);
  const K = 8 * 5;
  const count = 1 + K + (quadratic ? (K * (K + 1)) / 2 : 0);
  const coefficients = [0, 1].map(() => random.normals(new Float64Array(count)).map((x) => 0.01 * x));
  const options = {
    twojmax: 2,
    cutoff: 4,
    rfac0: 0.99,
    rmin0: 0.1,
    elements: { Be: { radius: 0.45, weight: 0.9 }, W: { radius: 0.5, weight: 1 } },
    switching: true,
    bzero: true,
    bnorm: true,
    chem: true,
    wselfall,
  };
  const terms = [snapTerm({ options, quadratic, coefficients })];
  return { elements: [4, 74], terms, provenance: {} };
}

/** The model in what was written of a model. */
function again(model: Model): Model {
  const { files, commands } = writePotential(model, "p", "test");
  return readPotential("in", { ...files, in: commands.join("\n") }).model;
}

describe.skipIf(absent)("models from the files of LAMMPS", () => {
  it("tantalum: ZBL and SNAP", () => {
    const { elements, terms } = tantalum();
    expect(elements).toEqual([73]);
    expect(terms.map((term) => term.type)).toEqual(["zbl", "composed"]);
    expect(terms[0].options).toEqual({ pairs: { "73-73": { inner: 4, outer: 4.8 } } });
    expect(terms[1].tensors["0.coefficients"][1]).toBe(-0.01137);
  });

  it("tungsten and beryllium, variables in the input", () => {
    const { elements, terms } = beryllium();
    expect(elements).toEqual([4, 74]);
    expect(terms[0].options).toEqual({
      pairs: Object.fromEntries(["4-4", "4-74", "74-74"].map((pair) => [pair, { inner: 4, outer: 4.8 }])),
    });
    expect(terms[1].tensors["1.coefficients"][1]).toBe(-0.001487061994);
  });

  it("tungsten with helium: a type that SNAP does not see, and tables", () => {
    const { model, notes } = tungstenHelium();
    expect(model.elements).toEqual([2, 74]);
    expect(model.terms.map((term) => term.type)).toEqual(["zbl", "composed", "pair-table"]);
    expect(model.terms[2].tensors["2-74.r"].length).toBe(325);
    expect(notes).toEqual([
      "W_He_JW2013.table WHe: for He-W forces are the slope of the energies, which at 1.090 Å is 1.8 % off the table's own forces",
    ]);
  });

  it("says what is missing", () => {
    const files = filesOf(folders.WHe);
    const name = "W_2940_2017_2_He_JW2013.snap";
    expect(() => readPotential(name, files)).toThrow("type 2: expected a chemical symbol (--elements W,He)");
    expect(() => readPotential(name, { [name]: files[name] }, ["W", "He"])).toThrow(
      "expected the file W_2940",
    );
    expect(() => readPotential("x", { x: "pair_style eam\n" })).toThrow("expected styles among zero, zbl");
    expect(() => readPotential("x", { x: "pair_style zbl ${a} 2\n" })).toThrow("x:1: expected a variable a");
    expect(() => readPotential("x", { x: "run 0\n" })).toThrow("x: expected a pair_style, got none");
  });

  it("what is written reads back as the same model", () => {
    for (const model of [tantalum(), beryllium(), molybdenum()])
      expect(again(model).terms).toEqual(model.terms);
    // Coefficients of equal components come out equal, and then stay as they are.
    const symmetric = again(chemical(true, false));
    expect(again(symmetric)).toEqual(symmetric);
  });
});

const log = shared("reference/lammps_logs/in.snap.hybrid.WSNAP.HePair.json");

describe.skipIf(absent || !log)("LAMMPS's log of tungsten with helium", () => {
  it("energy per atom to the digits of the log, forces but for the table's own inconsistency", () => {
    const { official_thermo: thermo, frames } = JSON.parse(readFileSync(log!, "utf8")) as {
      official_thermo: number[][];
      frames: { box: number[][]; atoms: number[][] }[];
    };
    const [{ atoms, box }] = frames;
    const structure: Structure = {
      numbers: Uint8Array.from(atoms, ([, type]) => (type === 1 ? 74 : 2)),
      positions: Float64Array.from(atoms.flatMap((a) => a.slice(3, 6))),
      cell: Float64Array.of(box[0][1], 0, 0, 0, box[1][1], 0, 0, 0, box[2][1]),
      pbc: [true, true, true],
    };
    const { expected } = exported(tungstenHelium().model, { structure });
    expect(Math.abs(expected.energy / atoms.length - thermo[0][2])).toBeLessThan(1e-6);
    const forces = atoms.flatMap((a) => a.slice(9, 12));
    const worst = Math.max(...forces.map((f, k) => Math.abs(f - expected.forces[k])));
    expect(worst).toBeLessThan(5e-3);
  });
});

const command = lammps("snap", "zbl", "table");

/** Largest differences of energy and forces from what LAMMPS says, relative to the energy and the largest force. */
function compare(model: Model, structure?: Structure) {
  const { files, expected } = exported(model, structure && { structure });
  const found = runLammps(command!, files);
  const scale = expected.forces.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const forces = expected.forces.reduce((worst, x, k) => Math.max(worst, Math.abs(x - found.forces[k])), 0);
  const own = JSON.parse(files["expected.json"]) as { pressure?: Record<string, number> };
  const pressures = Object.values(own.pressure ?? {});
  const most = Math.max(...pressures.map(Math.abs));
  const pressure = Math.max(0, ...pressures.map((p, k) => Math.abs(p - found.pressure[k]) / most));
  return { energy: Math.abs(expected.energy / found.energy - 1), forces: forces / scale, pressure };
}

it("coefficients made equal for equal components change no energy", () => {
  const model = chemical(true, false);
  const [before, after] = [model, again(model)].map((one) => exported(one).expected.energy);
  expect(Math.abs(after / before - 1)).toBeLessThan(1e-13);
});

describe("structures in LAMMPS's frame", () => {
  const structure = testStructure([6, 8]);
  const model = chemical(false, false);

  it("keeps the lattice and the distances, whatever the handedness of the cell", () => {
    const left = Float64Array.from(
      structure.cell!,
      (_, k) => structure.cell![[3, 4, 5, 0, 1, 2, 6, 7, 8][k]],
    );
    for (const cell of [structure.cell!, left]) {
      const { structure: turned, rotation } = toLammps({ ...structure, cell });
      const L = turned.cell!;
      expect([L[1], L[2], L[5]]).toEqual([0, 0, 0]);
      expect(Math.min(L[0], L[4], L[8])).toBeGreaterThan(0);
      expect(volume(L)).toBeCloseTo(volume(cell), 10);
      const back = multiply(turned.positions, rotation).slice(0, 9);
      back.forEach((x, k) => expect(x).toBeCloseTo(structure.positions[k], 12));
    }
  });

  it("gives the energy and the turned forces of the original", () => {
    const own = { ...structure, numbers: structure.numbers.map((z) => (z === 6 ? 4 : 74)) };
    const { expected } = exported(model, { structure: own });
    const rotated = exported(model, { structure: toLammps(own).structure });
    expect(expected.energy).toBeCloseTo(rotated.expected.energy, 11);
  });

  it("a molecule stands in a box; a slab is refused", () => {
    const molecule = { ...structure, cell: null, pbc: [false, false, false] as const };
    const { structure: boxed } = toLammps(molecule);
    expect(Math.min(...boxed.positions)).toBe(1);
    expect(() => toLammps({ ...structure, pbc: [true, true, false] })).toThrow("in all three directions");
  });
});

describe.skipIf(absent || !command)("LAMMPS on the exported folder (LMP or lmp, with ML-SNAP)", () => {
  const models: readonly (readonly [string, () => Model, number])[] = [
    ["linear SNAP with ZBL", tantalum, 1e-10],
    ["quadratic SNAP", molybdenum, 1e-10],
    ["two elements with ZBL", beryllium, 1e-10],
    ["tungsten with helium in tables", () => tungstenHelium().model, 1e-10],
    ["explicit elements", () => chemical(false, false), 1e-10],
    ["explicit elements, quadratic, wselfall", () => chemical(true, true), 1e-10],
  ];
  it("a molecule with energies of isolated atoms and ZBL of two ranges", () => {
    const model = chemical(false, false);
    const atoms = { type: "isolated-atoms", options: { energies: { Be: -13.5, W: -25.25 } }, tensors: {} };
    const radii = { "4-4": { inner: 1, outer: 3 }, "4-74": { inner: 2, outer: 4 }, "74-74": null };
    const terms = [atoms, { type: "zbl", options: { pairs: radii }, tensors: {} }, ...model.terms];
    const structure = { ...testStructure([4, 74]), cell: null, pbc: [false, false, false] as const };
    const { energy, forces } = compare({ ...model, terms }, structure);
    expect(energy).toBeLessThan(1e-10);
    expect(forces).toBeLessThan(1e-10);
  });

  it.each(models)("%s: energy, forces, pressure of a skew cell", (_, model, tolerance) => {
    const { energy, forces, pressure } = compare(model());
    expect(energy).toBeLessThan(tolerance);
    expect(forces).toBeLessThan(tolerance);
    expect(pressure).toBeLessThan(tolerance);
  });
});
