import { createHash } from "node:crypto";
import type { Command } from "commander";
import { createDevice } from "../../device/device.ts";
import { writeModel } from "../../io/model.ts";
import { buildPotential } from "../../potentials/build.ts";
import { symbolOf } from "../../structure/elements.ts";
import { present, withCommons } from "../command.ts";
import { refuseExisting, writeWhole } from "../files.ts";
import { importable, importModel, type ImportFlags } from "../importers.ts";
import { version } from "../version.ts";

interface Flags extends ImportFlags {
  readonly force?: boolean;
  readonly json?: boolean;
}

/** surfit import: a potential of another program as a surfit model. */
export function define(command: Command): void {
  withCommons(command, [
    ["surfit import potential/ model.surfit --units Hartree,bohr", "a folder of n2p2 or RuNNer"],
    ["surfit import Ta06A.snapcoeff model.surfit", "SNAP, with the .snapparam beside it"],
    ["surfit import W_He.snap model.surfit --elements W,He", "pair_style and pair_coeff lines of LAMMPS"],
    ["surfit import Cu.yace model.surfit", "a potential of pacemaker"],
    ["surfit import ethanol.npz model.surfit --units kcal/mol,Å", "a model of sGDML"],
  ])
    .argument("<files>", importable)
    .argument("<model>", "model file to write")
    .option("--units <energy,length>", "units of files that do not state them (n2p2, sGDML)")
    .option("--elements <symbols>", "elements of the atom types of LAMMPS, where its files do not say")
    .option("--force", "overwrite the model")
    .action(run);
}

async function run(path: string, output: string, flags: Flags): Promise<void> {
  refuseExisting(output, flags.force);
  const { model, files, notes = [] } = await importModel(path, flags);
  const { cutoff } = buildPotential(model, createDevice());
  const hash = createHash("sha256");
  for (const name of Object.keys(files).toSorted()) hash.update(name).update(files[name]);
  const provenance = { ...model.provenance, surfit: version(), files: hash.digest("hex") };
  await writeWhole(output, writeModel({ ...model, provenance }));
  const symbols = model.elements.map(symbolOf);
  const head = `${output}: ${symbols.join(", ")}, cutoff ${cutoff.toFixed(4)} Å`;
  const text = [head, ...notes.map((note) => `note: ${note}`)].join("\n");
  present({ text, json: { output, elements: symbols, cutoff, notes } }, flags.json);
}
