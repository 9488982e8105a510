import { createHash } from "node:crypto";
import type { Command } from "commander";
import { createDevice } from "../../device/device.ts";
import { writeModel } from "../../io/model.ts";
import { buildPotential } from "../../potentials/build.ts";
import { symbolOf } from "../../structure/elements.ts";
import { present, withCommons } from "../command.ts";
import { refuseExisting, writeWhole } from "../files.ts";
import { importers } from "../importers.ts";
import { version } from "../version.ts";

interface Flags {
  readonly units?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** surfit import: a potential of another program as a surfit model. */
export function define(command: Command): void {
  withCommons(command, [
    ["surfit import potential/ model.surfit --units Hartree,bohr", "a folder of n2p2 or RuNNer"],
    ["surfit import Cu.yace model.surfit", "a potential of pacemaker"],
  ])
    .argument("<files>", importers.map(({ what }) => what).join("; "))
    .argument("<model>", "model file to write")
    .option("--units <energy,length>", "units of files that do not state them (n2p2)")
    .option("--force", "overwrite the model")
    .action(run);
}

async function run(path: string, output: string, flags: Flags): Promise<void> {
  refuseExisting(output, flags.force);
  const { model, files } = await importers.find(({ takes }) => takes(path))!.read(path, flags.units);
  const { cutoff } = buildPotential(model, createDevice());
  const hash = createHash("sha256");
  for (const name of Object.keys(files).toSorted()) hash.update(name).update(files[name]);
  const provenance = { ...model.provenance, surfit: version(), files: hash.digest("hex") };
  await writeWhole(output, writeModel({ ...model, provenance }));
  const symbols = model.elements.map(symbolOf);
  present(
    {
      text: `${output}: ${symbols.join(", ")}, cutoff ${cutoff.toFixed(4)} Å`,
      json: { output, elements: symbols, cutoff },
    },
    flags.json,
  );
}
