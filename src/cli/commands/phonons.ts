import { join } from "node:path";
import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import { meshWavenumbers, phononsFrom, supercellOf } from "../../run/phonons.ts";
import type { Phonons } from "../../run/phonons.ts";
import { harmonic } from "../../run/thermochemistry.ts";
import { inverse } from "../../structure/cell.ts";
import type { Structure } from "../../structure/structure.ts";
import { kB } from "../../structure/units.ts";
import { EXIT, MODEL, count, positive, present, refuseIdle, withCommons } from "../command.ts";
import { openModel, placing, refuseStrangers } from "../engine.ts";
import { refuseExisting, stem, writeWhole } from "../files.ts";
import { exactly, forceConstants, withHessian, withThreads } from "../force-constants.ts";
import type { HessianFlag, ThreadsFlag } from "../force-constants.ts";
import { createProgress } from "../progress.ts";
import { bandFigure } from "../report/figures.ts";
import type { Bands } from "../report/figures.ts";
import { escape, page, section } from "../report/page.ts";
import { readStructures, withUnits } from "../structures.ts";
import type { UnitFlags } from "../structures.ts";
import { show, textTable } from "../table.ts";

/** A named point of the reciprocal cell. */
interface Corner {
  readonly name: string;
  readonly q: readonly number[];
}

interface Flags extends UnitFlags, HessianFlag, ThreadsFlag {
  readonly output?: string;
  readonly supercell?: [number, number, number];
  readonly path: readonly Corner[];
  readonly mesh: number;
  readonly step: number;
  readonly temperature: number;
  readonly force?: boolean;
  readonly json?: boolean;
}

const PATH = "X=0.5,0,0 Γ=0,0,0 M=0.5,0.5,0 R=0.5,0.5,0.5 Γ=0,0,0";

/** surfit phonons: band structure, density of states and heat capacity of a crystal. */
export function define(command: Command): void {
  withUnits(
    withCommons(command, [
      ["surfit phonons model.surfit relaxed.xyz", "bands along the reciprocal axes, density of states"],
      [
        'surfit phonons model.surfit fcc.xyz --path "Γ=0,0,0 X=0.5,0,0.5 L=0.5,0.5,0.5"',
        "a path of your own",
      ],
      ["surfit phonons model.surfit relaxed.xyz --supercell 4,4,4", "forces felt further"],
    ]),
  )
    .argument("<model>", MODEL)
    .argument("<structure>", "file whose first frame is the relaxed cell of a crystal")
    .option(
      "-o, --output <folder>",
      "where bands.txt, dos.txt and phonons.html go (default: <structure>-phonons)",
    )
    .option("--supercell <a,b,c>", "repeats of the cell (default: 10 Å in every direction)", repeats)
    .addOption(
      new Option("--path <corners>", "name=q of the corners, in reciprocal vectors")
        .argParser(corners)
        .default(corners(PATH), `"${PATH}"`),
    )
    .option("--mesh <n>", "n³ points for the density of states", count, 8)
    .option("--step <Å>", "displacement of the differences", positive, 0.01)
    .option("--temperature <K>", "of the thermal functions", positive, 298.15)
    .option("--force", "overwrite the folder's files")
    .action(run);
  // Differences need only the rows of one cell's atoms; formulas give all of them.
  withThreads(withHessian(command, "differences"));
}

function repeats(text: string): [number, number, number] {
  const found = text.split(",").map(Number);
  if (found.length !== 3 || !found.every((x) => Number.isInteger(x) && x > 0))
    throw new InvalidArgumentError("Three whole numbers, as in 3,3,3, are expected.");
  return [found[0], found[1], found[2]];
}

function corners(text: string): Corner[] {
  const found = text
    .trim()
    .split(/\s+/)
    .map((word) => {
      const [name, q] = word.split("=");
      return { name, q: (q ?? "").split(",").map((x) => (x === "" ? NaN : Number(x))) };
    });
  if (found.length >= 2 && found.every(({ q }) => q.length === 3 && q.every(Number.isFinite))) return found;
  throw new InvalidArgumentError('Two corners or more, as in "Γ=0,0,0 X=0.5,0,0.5", are expected.');
}

/** Wavenumber below which a mode is called unstable, cm⁻¹: above the noise of differences. */
const UNSTABLE = -1;

async function run(modelFile: string, file: string, flags: Flags, command: Command): Promise<void> {
  const engine = await openModel(modelFile);
  const { potential } = engine;
  const [{ structure, place }] = await readStructures([file], flags);
  refuseStrangers(potential, structure, place);
  const folder = flags.output ?? `${stem(file)}-phonons`;
  const names = ["bands.txt", "dos.txt", "phonons.html"].map((name) => join(folder, name));
  for (const name of names) refuseExisting(name, flags.force);
  const progress = createProgress();
  const watch = (done: number) => progress.update(done, "force constants");
  const { supercell, step } = flags;
  const felt = placing(place, () => supercellOf(structure, { supercell, step, watch }));
  const exact = exactly(modelFile, potential, felt.structure, flags);
  refuseIdle(command, [
    ["step", "--hessian differences", !exact],
    ["threads", "--hessian differences", !exact],
  ]);
  const constants = exact
    ? { hessian: exact }
    : await forceConstants(modelFile, engine, felt.structure, flags, felt.options);
  const found = phononsFrom(structure, felt, constants.hessian);
  progress.update(null, "density of states");
  const bands = bandsOf(found, flags.path, structure);
  const mesh = meshWavenumbers(found, flags.mesh);
  progress.done();
  const lowest = Math.min(...mesh, ...bands.values.flat());
  const stable = lowest > UNSTABLE;
  const dos = densityOf(mesh);
  const thermo = harmonic(mesh, flags.temperature);
  const cells = flags.mesh ** 3;
  await writeWhole(names[0], bandText(bands));
  await writeWhole(names[1], `# cm-1  states per cm-1 and atom\n${dos.map((d) => d.join(" ")).join("\n")}\n`);
  await writeWhole(names[2], html(bands, `${modelFile}: ${place}`));
  const atoms = structure.numbers.length;
  const rows = [
    ["zero-point energy", `${(thermo.zeroPointEnergy / cells / atoms).toFixed(5)} eV/atom`],
    ["vibrational Helmholtz energy", `${(thermo.freeEnergy / cells / atoms).toFixed(5)} eV/atom`],
    ["heat capacity", `${(thermo.heatCapacity / cells / atoms / kB).toFixed(4)} k_B/atom`],
    ["highest wavenumber", `${show(Math.max(...mesh))} cm⁻¹`],
    ["lowest wavenumber", lowest < UNSTABLE ? `${show(-lowest)}i cm⁻¹` : `${show(Math.max(0, lowest))} cm⁻¹`],
  ];
  const text = [
    textTable([`${flags.temperature} K`, "value"], rows),
    "",
    stable
      ? "stable: no imaginary mode"
      : "NOT stable: imaginary modes; the crystal wants another structure, or was not relaxed",
    `supercell ${found.supercell.join("×")}; force constants missed translation by ${show(found.asymmetry)} eV/Å² before it was imposed`,
    `${folder}/: bands.txt, dos.txt, phonons.html`,
  ].join("\n");
  const json = {
    folder,
    stable,
    supercell: found.supercell,
    asymmetry: found.asymmetry,
    bands,
    dos,
    thermochemistry: thermo,
    cells,
  };
  present({ text, json, exitCode: stable ? EXIT.ok : EXIT.numerical }, flags.json);
}

/** Points between two corners. */
const FINE = 40;

function bandsOf(crystal: Phonons, path: readonly Corner[], { cell }: Structure): Bands {
  const inv = inverse(cell!);
  const length = (q: readonly number[]) =>
    Math.hypot(...[0, 1, 2].map((a) => q.reduce((sum, x, k) => sum + x * inv[3 * a + k], 0)));
  const positions: number[] = [];
  const values: number[][] = [];
  const ticks: { name: string; at: number }[] = [{ name: path[0].name, at: 0 }];
  let from = 0;
  path.slice(1).forEach((corner, c) => {
    const start = path[c].q;
    const step = corner.q.map((x, k) => x - start[k]);
    const span = 2 * Math.PI * length(step);
    for (let f = c === 0 ? 0 : 1; f <= FINE; f++) {
      positions.push(from + (span * f) / FINE);
      values.push([...crystal.wavenumbers(start.map((x, k) => x + (step[k] * f) / FINE))]);
    }
    from += span;
    ticks.push({ name: corner.name, at: from });
  });
  return { positions, values, ticks };
}

/** Boxes of the density of states. */
const BOXES = 200;

/** Wavenumber and states per cm⁻¹ and atom: three in all. */
function densityOf(mesh: Float64Array): (readonly [number, number])[] {
  const [low, high] = [Math.min(0, ...mesh), 1.02 * Math.max(...mesh)];
  const width = (high - low) / BOXES;
  const counts = new Float64Array(BOXES);
  for (const w of mesh) counts[Math.min(BOXES - 1, Math.floor((w - low) / width))]++;
  return Array.from(counts, (n, k) => [low + (k + 0.5) * width, (3 * n) / (mesh.length * width)] as const);
}

const bandText = ({ positions, values }: Bands): string =>
  `# length (1/Å)  wavenumbers (cm-1)\n${positions.map((x, k) => `${x.toFixed(6)} ${values[k].map((v) => v.toFixed(4)).join(" ")}`).join("\n")}\n`;

function html(bands: Bands, title: string): string {
  return page(
    title,
    `<h1>${escape(title)}</h1>`,
    section(
      "Phonons",
      `<figure>${bandFigure(bands).svg}<figcaption>Imaginary wavenumbers are drawn below zero.</figcaption></figure>`,
    ),
  );
}
