import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { createDevice } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { readAce } from "../../io/ace/read.ts";
import { readLammps } from "../../io/lammps/folder.node.ts";
import { writeModel } from "../../io/model.ts";
import { readFolder } from "../../io/n2p2/folder.node.ts";
import { readN2p2 } from "../../io/n2p2/read.ts";
import { buildPotential } from "../../potentials/build.ts";
import type { Model } from "../../potentials/potential.ts";
import { symbolOf } from "../../structure/elements.ts";
import { present, withCommons } from "../command.ts";
import { readWhole, refuseExisting, writeWhole } from "../files.ts";
import { fileUnits } from "../structures.ts";
import { version } from "../version.ts";

interface Flags {
  readonly units?: string;
  readonly elements?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** surfit import: a potential of another program as a surfit model. */
export function define(command: Command): void {
  withCommons(command, [
    ["surfit import potential/ model.surfit --units Hartree,bohr", "a folder of n2p2 or RuNNer"],
    ["surfit import Ta06A.snapcoeff model.surfit", "SNAP, with the .snapparam beside it"],
    ["surfit import W_He.snap model.surfit --elements W,He", "pair_style and pair_coeff lines of LAMMPS"],
    ["surfit import Cu.yace model.surfit", "an atomic cluster expansion of pacemaker"],
  ])
    .argument("<source>", "folder of n2p2; .snapcoeff, .snap, input or folder of LAMMPS; .yace, .ace")
    .argument("<model>", "model file to write")
    .option("--units <energy,length>", "units of a folder of n2p2, which its files do not state")
    .option("--elements <symbols>", "elements of the atom types of LAMMPS, where its input does not say")
    .option("--force", "overwrite the model")
    .action(run);
}

/** A model, what there is to say of its making, and the files it was made of. */
interface Imported {
  readonly model: Model;
  readonly notes?: readonly string[];
  readonly files: Readonly<Record<string, string>>;
}

async function run(source: string, output: string, flags: Flags): Promise<void> {
  refuseExisting(output, flags.force);
  const { model, notes = [], files } = await read(source, flags);
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

/** Whose files they are follows from what is there. */
async function read(source: string, { units, elements }: Flags): Promise<Imported> {
  if (!existsSync(source)) throw invalid(source, "a file or folder", "nothing of that name");
  const neural = existsSync(join(source, "input.nn"));
  if (elements !== undefined && (neural || /\.y?ace$/.test(source)))
    throw invalid("--elements", "none: these files name their elements", elements);
  if (!neural && units !== undefined)
    throw invalid("--units", "none: only the files of n2p2 can be in any units", units);
  if (neural) {
    if (units === undefined)
      throw invalid("--units", "the units of the folder, such as Hartree,bohr", "none");
    const files = await readFolder(source);
    return { model: readN2p2(files, fileUnits(units)), files };
  }
  if (/\.y?ace$/.test(source)) {
    const text = new TextDecoder().decode(await readWhole(source));
    return { model: readAce(text, source), files: { [source]: text } };
  }
  return readLammps(source, elements?.split(",").map((symbol) => symbol.trim()) ?? []);
}
