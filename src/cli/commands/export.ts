import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Option } from "commander";
import type { Command } from "commander";
import { createDevice } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { writeLammps } from "../../io/lammps/export.ts";
import { readModel } from "../../io/model.ts";
import { convertCurve } from "../../io/n2p2/learning-curve.ts";
import { writeFolder } from "../../io/n2p2/folder.node.ts";
import { writeN2p2 } from "../../io/n2p2/write.ts";
import { buildPotential } from "../../potentials/build.ts";
import type { Model } from "../../potentials/potential.ts";
import { symbolOf } from "../../structure/elements.ts";
import { present, withCommons } from "../command.ts";
import { readWhole, refuseExisting, stem } from "../files.ts";
import { CURVE } from "../fit/log.ts";
import { fileUnits, readStructures, splitUnits } from "../structures.ts";
import { version } from "../version.ts";

interface Flags {
  readonly to: "n2p2" | "lammps";
  readonly units?: string;
  readonly structure?: string;
  readonly name?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** A folder to write, and what is said of it. */
interface Exported {
  readonly files: Readonly<Record<string, string>>;
  /** Lines with which LAMMPS takes the folder. */
  readonly lammps: readonly string[];
  /** What else a program may want to know, and a person. */
  readonly json: Readonly<Record<string, unknown>>;
  readonly text: readonly string[];
}

/** surfit export: a model in the files of another program. */
export function define(command: Command): void {
  withCommons(command, [
    ["surfit export --to lammps model.surfit out/", "SNAP, ACE, ZBL, tables, ready to run"],
    [
      "surfit export --to lammps model.surfit out/ --structure a.xyz",
      "with energy and forces of its first frame",
    ],
    ["surfit export --to n2p2 model.surfit potential/", "for n2p2 and LAMMPS's pair_style hdnnp"],
  ])
    .argument("<model>", "model file")
    .argument("<folder>", "folder to write")
    .addOption(new Option("--to <program>", "whose files").choices(["lammps", "n2p2"]).makeOptionMandatory())
    .option("--units <energy,length>", "units of a folder of n2p2 (default: Hartree,bohr)")
    .option("--structure <file>", "whose first frame is computed in the input of LAMMPS (default: a crystal)")
    .option("--name <stem>", "of the files for LAMMPS (default: the model's)")
    .option("--force", "overwrite the files of a potential in the folder")
    .action(run);
}

/** How each program's folder is made. */
const PROGRAMS: Readonly<
  Record<Flags["to"], (model: Model, modelFile: string, folder: string, flags: Flags) => Promise<Exported>>
> = { lammps: toLammps, n2p2: toN2p2 };

async function run(modelFile: string, folder: string, flags: Flags): Promise<void> {
  const model = readModel(await readWhole(modelFile), modelFile);
  const { files, lammps, json, text } = await PROGRAMS[flags.to](model, modelFile, folder, flags);
  for (const name of Object.keys(files)) refuseExisting(`${folder}/${name}`, flags.force);
  await mkdir(folder, { recursive: true });
  await writeFolder(folder, files);
  const { cutoff } = buildPotential(model, createDevice());
  const names = Object.keys(files).toSorted();
  const lines = [`${names.join(", ")} written to ${folder}`, "In LAMMPS (units metal):", ...lammps, ...text];
  present({ text: lines.join("\n"), json: { folder, files: names, cutoff, lammps, ...json } }, flags.json);
}

async function toLammps(model: Model, modelFile: string, folder: string, flags: Flags): Promise<Exported> {
  if (flags.units !== undefined)
    throw invalid("--units", "none: LAMMPS's units metal are eV and Å", flags.units);
  const [frame] = flags.structure === undefined ? [] : await readStructures([flags.structure], {});
  const made = writeLammps(model, buildPotential(model, createDevice()), {
    name: flags.name ?? stem(modelFile),
    title: `surfit ${version()}: ${modelFile}`,
    ...(frame && { structure: frame.structure }),
  });
  const { energy } = made.expected;
  return {
    files: made.files,
    lammps: made.commands,
    json: { energy },
    text: [
      `Try it: cd ${folder} && lmp -in in.lammps`,
      `It must give ${energy} eV and the forces in expected.json.`,
    ],
  };
}

async function toN2p2(model: Model, modelFile: string, folder: string, flags: Flags): Promise<Exported> {
  for (const flag of ["structure", "name"] as const)
    if (flags[flag] !== undefined) throw invalid(`--${flag}`, "--to lammps with it", "--to n2p2");
  const words = flags.units ?? "Hartree,bohr";
  const units = fileUnits(words);
  const { cutoff } = buildPotential(model, createDevice());
  const lammps = [
    `pair_style hdnnp ${(cutoff + 1e-6).toFixed(6)} dir "${folder}" cflength ${1 / units.length} cfenergy ${1 / units.energy}`,
    `pair_coeff * * ${model.elements.map(symbolOf).join(" ")}`,
  ];
  const files = { ...writeN2p2(model, units), ...(await curveBeside(modelFile, words)) };
  return { files, lammps, json: {}, text: [] };
}

/** The learning curve of the run that the model lies in, if it does, in the units of the folder. */
async function curveBeside(modelFile: string, units: string): Promise<Record<string, string>> {
  const path = join(dirname(modelFile), CURVE);
  if (!existsSync(path)) return {};
  const text = new TextDecoder().decode(await readWhole(path));
  return { [CURVE]: convertCurve(text, fileUnits(units), splitUnits(units)) };
}
