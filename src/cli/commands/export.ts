import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Option } from "commander";
import type { Command } from "commander";
import { createDevice } from "../../device/device.ts";
import { readModel } from "../../io/model.ts";
import { convertCurve } from "../../io/n2p2/learning-curve.ts";
import { writeFolder } from "../../io/n2p2/folder.node.ts";
import { writeN2p2 } from "../../io/n2p2/write.ts";
import { buildPotential } from "../../potentials/build.ts";
import { symbolOf } from "../../structure/elements.ts";
import { present, withCommons } from "../command.ts";
import { readWhole, refuseExisting } from "../files.ts";
import { CURVE } from "../fit/log.ts";
import { fileUnits, splitUnits } from "../structures.ts";

interface Flags {
  readonly units: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** surfit export: a model in the files of another program. */
export function define(command: Command): void {
  withCommons(command, [
    ["surfit export --to n2p2 model.surfit potential/", "for n2p2 and LAMMPS's pair_style hdnnp"],
  ])
    .argument("<model>", "model file")
    .argument("<folder>", "folder to write")
    .addOption(new Option("--to <program>", "whose files").choices(["n2p2"]).makeOptionMandatory())
    .option("--units <energy,length>", "units of the folder", "Hartree,bohr")
    .option("--force", "overwrite the files of a potential in the folder")
    .action(run);
}

async function run(modelFile: string, folder: string, flags: Flags): Promise<void> {
  const model = readModel(await readWhole(modelFile), modelFile);
  const units = fileUnits(flags.units);
  const files = { ...writeN2p2(model, units), ...(await curveBeside(modelFile, flags.units)) };
  for (const name of Object.keys(files)) refuseExisting(`${folder}/${name}`, flags.force);
  await mkdir(folder, { recursive: true });
  await writeFolder(folder, files);
  const { cutoff } = buildPotential(model, createDevice());
  const names = Object.keys(files).toSorted();
  const symbols = model.elements.map(symbolOf);
  const lammps = [
    `pair_style hdnnp ${(cutoff + 1e-6).toFixed(6)} dir "${folder}" cflength ${1 / units.length} cfenergy ${1 / units.energy}`,
    `pair_coeff * * ${symbols.join(" ")}`,
  ];
  const text = [`${names.join(", ")} written to ${folder}`, "In LAMMPS (units metal):", ...lammps].join("\n");
  present({ text, json: { folder, files: names, cutoff, lammps } }, flags.json);
}

/** The learning curve of the run that the model lies in, if it does, in the units of the folder. */
async function curveBeside(modelFile: string, units: string): Promise<Record<string, string>> {
  const path = join(dirname(modelFile), CURVE);
  if (!existsSync(path)) return {};
  const text = new TextDecoder().decode(await readWhole(path));
  return { [CURVE]: convertCurve(text, fileUnits(units), splitUnits(units)) };
}
