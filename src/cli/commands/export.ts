import { Option } from "commander";
import type { Command } from "commander";
import { readModel } from "../../io/model.ts";
import { present, withCommons } from "../command.ts";
import { exporters, type ExportFlags } from "../exporters.ts";
import { readWhole } from "../files.ts";

interface Flags extends ExportFlags {
  readonly to: string;
  readonly json?: boolean;
}

/** surfit export: a model in the files of another program. */
export function define(command: Command): void {
  withCommons(command, [
    ["surfit export --to n2p2 model.surfit potential/", "for n2p2 and LAMMPS's pair_style hdnnp"],
    ["surfit export --to yace model.surfit Cu.yace", "ACE for pacemaker and LAMMPS's pair_style pace"],
  ])
    .argument("<model>", "model file")
    .argument("<path>", "folder or file to write")
    .addOption(
      new Option("--to <program>", "whose files").choices(Object.keys(exporters)).makeOptionMandatory(),
    )
    .option(
      "--units <energy,length>",
      "units of the files, where the program leaves them open",
      "Hartree,bohr",
    )
    .option("--force", "overwrite what is there")
    .action(run);
}

async function run(modelFile: string, path: string, flags: Flags): Promise<void> {
  const model = readModel(await readWhole(modelFile), modelFile);
  present(await exporters[flags.to](model, path, flags), flags.json);
}
