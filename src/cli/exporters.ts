import { mkdir } from "node:fs/promises";
import { createDevice } from "../device/device.ts";
import { writeYace } from "../io/ace/write.ts";
import { writeFolder } from "../io/n2p2/folder.node.ts";
import { writeN2p2 } from "../io/n2p2/write.ts";
import { buildPotential } from "../potentials/build.ts";
import type { Model } from "../potentials/potential.ts";
import { symbolOf } from "../structure/elements.ts";
import type { Outcome } from "./command.ts";
import { refuseExisting, writeWhole } from "./files.ts";
import { fileUnits } from "./structures.ts";

/** What the user said of the files to write. */
export interface ExportFlags {
  readonly units: string;
  readonly force?: boolean;
}

/** Writes a model in the files of another program at a path, and says how to use them. */
export type Exporter = (model: Model, path: string, flags: ExportFlags) => Promise<Outcome>;

async function toN2p2(model: Model, folder: string, flags: ExportFlags): Promise<Outcome> {
  const units = fileUnits(flags.units);
  const files = writeN2p2(model, units);
  for (const name of Object.keys(files)) refuseExisting(`${folder}/${name}`, flags.force);
  await mkdir(folder, { recursive: true });
  await writeFolder(folder, files);
  const { cutoff } = buildPotential(model, createDevice());
  const names = Object.keys(files).toSorted();
  const lammps = [
    `pair_style hdnnp ${(cutoff + 1e-6).toFixed(6)} dir "${folder}" cflength ${1 / units.length} cfenergy ${1 / units.energy}`,
    `pair_coeff * * ${model.elements.map(symbolOf).join(" ")}`,
  ];
  const text = [`${names.join(", ")} written to ${folder}`, "In LAMMPS (units metal):", ...lammps].join("\n");
  return { text, json: { folder, files: names, cutoff, lammps } };
}

async function toYace(model: Model, file: string, flags: ExportFlags): Promise<Outcome> {
  const content = writeYace(model);
  refuseExisting(file, flags.force);
  await writeWhole(file, content);
  const lammps = ["pair_style pace", `pair_coeff * * ${file} ${model.elements.map(symbolOf).join(" ")}`];
  const text = [`${file} written`, "In LAMMPS (units metal):", ...lammps].join("\n");
  return { text, json: { file, lammps } };
}

/** Every exporter by the name that --to takes. */
export const exporters: Readonly<Record<string, Exporter>> = { n2p2: toN2p2, yace: toYace };
