import type { Command } from "commander";
import { invalid } from "../../error.ts";
import { readFrames, readLabelled, writeFrames } from "../../io/files.node.ts";
import { formats } from "../../io/table.ts";
import type { Frame } from "../../structure/structure.ts";
import { present, withCommons } from "../command.ts";
import { refuseExisting } from "../files.ts";
import { createProgress } from "../progress.ts";
import { labelOptions, makeWay, withLabels } from "../structures.ts";
import type { LabelFlags } from "../structures.ts";

interface Flags extends LabelFlags {
  readonly labels?: boolean;
  readonly every?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

const table = formats
  .map((f) => `  ${f.name.padEnd(10)} ${f.extensions.join(" ").padEnd(24)} ${f.summary}`)
  .join("\n");

/** surfit convert: file to file. */
export function define(command: Command): void {
  withLabels(
    withCommons(command, [
      ["surfit convert in.xyz out.xyz.gz", "compress; every key stays as it is"],
      [
        "surfit convert in.xyz out.xyz --units Hartree,bohr",
        "labels found and written in eV and Å as energy, forces, stress",
      ],
      ["surfit convert in.xyz out.xyz --every 10", "every tenth frame"],
    ]),
  )
    .argument("<input>", "file to read")
    .argument("<output>", "file to write; the format follows the ending, .gz compresses")
    .option("--labels", "find the labels and write them in internal units under the plain keys")
    .option("--every <n>", "keep every n-th frame only")
    .option("--force", "overwrite the output")
    .addHelpText("after", `\nFormats:\n${table}`)
    .action(run);
}

async function run(input: string, output: string, flags: Flags): Promise<void> {
  refuseExisting(output, flags.force);
  const every = Number(flags.every ?? 1);
  if (!(Number.isInteger(every) && every >= 1)) throw invalid("--every", "an integer ≥ 1", flags.every ?? "");
  const { labels, every: _every, force: _force, json: _json, ...asked } = flags;
  const labelled = labels ?? Object.keys(asked).length > 0;
  const progress = createProgress();
  let [seen, written] = [0, 0];
  async function* chosen(): AsyncGenerator<Frame> {
    const source = labelled
      ? (await readLabelled(input, labelOptions(flags))).frames.map(makeWay)
      : readFrames(input);
    for await (const frame of source) {
      progress.update(null, `${seen} frames`);
      if (seen++ % every !== 0) continue;
      written++;
      yield frame;
    }
  }
  await writeFrames(output, chosen());
  progress.done();
  const text = `${written} of ${seen} frames written to ${output}${labelled ? ", labels in eV and Å" : ""}`;
  present({ text, json: { read: seen, written, output } }, flags.json);
}
