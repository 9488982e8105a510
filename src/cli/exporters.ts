import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createDevice } from "../device/device.ts";
import { invalid } from "../error.ts";
import { writeYace } from "../io/ace/write.ts";
import { writeLammps } from "../io/lammps/export.ts";
import { writeFolder } from "../io/n2p2/folder.node.ts";
import { convertCurve } from "../io/n2p2/learning-curve.ts";
import { writeN2p2 } from "../io/n2p2/write.ts";
import { gapLabel, writeGap } from "../io/quip/write.ts";
import { buildPotential } from "../potentials/build.ts";
import type { Model } from "../potentials/potential.ts";
import { symbolOf } from "../structure/elements.ts";
import type { Outcome } from "./command.ts";
import { readWhole, refuseExisting, stem, writeWhole } from "./files.ts";
import { CURVE } from "./fit/log.ts";
import { specimenFor } from "./export-structure.ts";
import { fileUnits, splitUnits } from "./structures.ts";
import { version } from "./version.ts";

/** What the user said of the files to write. */
export interface ExportFlags {
  /** Of files whose units are open (n2p2). */
  readonly units?: string;
  /** File with the structure that LAMMPS is to compute, and stem of the names of its files. */
  readonly structure?: string;
  readonly name?: string;
  readonly force?: boolean;
}

/** A model and the file it came from. */
export interface Source {
  readonly model: Model;
  readonly file: string;
}

/** How models are written in the files of another program. */
export interface Exporter {
  /** Flags that mean something for this program. */
  readonly uses: readonly (keyof ExportFlags)[];
  /** Writes a model at a path, and says how to use what was written. */
  readonly write: (source: Source, path: string, flags: ExportFlags) => Promise<Outcome>;
}

/** Writes the files of a folder, none over what is there. */
async function writeNew(
  folder: string,
  files: Readonly<Record<string, string>>,
  force: boolean | undefined,
): Promise<string[]> {
  const names = Object.keys(files).toSorted();
  for (const name of names) refuseExisting(join(folder, name), force);
  await mkdir(folder, { recursive: true });
  await writeFolder(folder, files);
  return names;
}

async function toN2p2({ model, file }: Source, folder: string, flags: ExportFlags): Promise<Outcome> {
  const words = flags.units ?? "Hartree,bohr";
  const units = fileUnits(words);
  const files = { ...writeN2p2(model, units), ...(await curveBeside(file, words)) };
  const names = await writeNew(folder, files, flags.force);
  const { cutoff } = buildPotential(model, createDevice());
  const lammps = [
    `pair_style hdnnp ${(cutoff + 1e-6).toFixed(6)} dir "${folder}" cflength ${1 / units.length} cfenergy ${1 / units.energy}`,
    `pair_coeff * * ${model.elements.map(symbolOf).join(" ")}`,
  ];
  const text = [`${names.join(", ")} written to ${folder}`, "In LAMMPS (units metal):", ...lammps].join("\n");
  return { text, json: { folder, files: names, cutoff, lammps } };
}

/** The learning curve of the run that the model lies in, if it does, in the units of the folder. */
async function curveBeside(modelFile: string, units: string): Promise<Record<string, string>> {
  const path = join(dirname(modelFile), CURVE);
  if (!existsSync(path)) return {};
  const text = new TextDecoder().decode(await readWhole(path));
  return { [CURVE]: convertCurve(text, fileUnits(units), splitUnits(units)) };
}

async function toYace({ model }: Source, file: string, flags: ExportFlags): Promise<Outcome> {
  const content = writeYace(model);
  refuseExisting(file, flags.force);
  await writeWhole(file, content);
  const lammps = ["pair_style pace", `pair_coeff * * ${file} ${model.elements.map(symbolOf).join(" ")}`];
  const text = [`${file} written`, "In LAMMPS (units metal):", ...lammps].join("\n");
  return { text, json: { file, lammps } };
}

async function toLammps({ model, file }: Source, folder: string, flags: ExportFlags): Promise<Outcome> {
  const { structure, origin } = await specimenFor(model, file, flags.structure);
  const potential = buildPotential(model, createDevice());
  const { files, commands, expected } = writeLammps(model, potential, {
    name: flags.name ?? stem(file),
    title: `surfit ${version()}: ${file}`,
    structure,
  });
  const names = await writeNew(folder, files, flags.force);
  const { energy } = expected;
  const text = [
    `${names.join(", ")} written to ${folder}`,
    "In LAMMPS (units metal):",
    ...commands,
    `Try it: cd ${folder} && lmp -in in.lammps`,
    `It must give ${energy} eV and the forces in expected.json, for ${origin}.`,
  ].join("\n");
  return { text, json: { folder, files: names, cutoff: potential.cutoff, lammps: commands, energy } };
}

async function toQuip({ model }: Source, file: string, flags: ExportFlags): Promise<Outcome> {
  const content = writeGap(model, stem(file));
  refuseExisting(file, flags.force);
  await writeWhole(file, content);
  const python = `quippy.potential.Potential(param_filename="${file}")`;
  const lammps = [
    "pair_style quip",
    `pair_coeff * * ${file} "Potential xml_label=${gapLabel(stem(file))}" ${model.elements.join(" ")}`,
  ];
  const text = [`${file} written`, `In Python: ${python}`, "In LAMMPS (units metal):", ...lammps].join("\n");
  return { text, json: { file, python, lammps } };
}

/** Every exporter by the name that --to takes. */
export const exporters: Readonly<Record<string, Exporter>> = {
  lammps: { uses: ["structure", "name"], write: toLammps },
  n2p2: { uses: ["units"], write: toN2p2 },
  quip: { uses: [], write: toQuip },
  yace: { uses: [], write: toYace },
};

/** Writes a model for a program; a flag that means nothing there is an error. */
export function exportModel(to: string, source: Source, path: string, flags: ExportFlags): Promise<Outcome> {
  const { uses, write } = exporters[to];
  for (const flag of ["units", "structure", "name"] as const)
    if (flags[flag] !== undefined && !uses.includes(flag))
      throw invalid(`--${flag}`, `nothing, for --to ${to}`, flags[flag]);
  return write(source, path, flags);
}
