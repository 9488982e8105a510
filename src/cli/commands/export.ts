import { Option } from "commander";
import type { Command } from "commander";
import { readModel } from "../../io/model.ts";
import { present, withCommons } from "../command.ts";
import { exporters, exportModel, type ExportFlags } from "../exporters.ts";
import { readWhole } from "../files.ts";

interface Flags extends ExportFlags {
  readonly to: string;
  readonly json?: boolean;
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
    [
      "surfit export --to quip model.surfit GAP.xml",
      "a GAP for QUIP, its Python and LAMMPS's pair_style quip",
    ],
    ["surfit export --to yace model.surfit Cu.yace", "ACE for pacemaker and LAMMPS's pair_style pace"],
  ])
    .argument("<model>", "model file")
    .argument("<path>", "folder or file to write")
    .addOption(
      new Option("--to <program>", "whose files").choices(Object.keys(exporters)).makeOptionMandatory(),
    )
    .option("--units <energy,length>", "units of a folder of n2p2 (default: Hartree,bohr)")
    .option(
      "--structure <file>",
      "whose first frame the input of LAMMPS computes (default: a training frame beside the model, or a crystal)",
    )
    .option("--name <stem>", "of the files for LAMMPS (default: the model's)")
    .option("--force", "overwrite what is there")
    .action(run);
}

async function run(file: string, path: string, flags: Flags): Promise<void> {
  const model = readModel(await readWhole(file), file);
  present(await exportModel(flags.to, { model, file }, path, flags), flags.json);
}
