import type { Command } from "commander";
import { invalid } from "../../error.ts";
import { formatOf, readFrames, readingOf, writeFrames } from "../../io/files.node.ts";
import { n2p2 } from "../../io/n2p2/input-data.ts";
import type { Format } from "../../io/format.ts";
import { findFormat, formats } from "../../io/table.ts";
import type { Frame } from "../../structure/structure.ts";
import { present, withCommons } from "../command.ts";
import { refuseFrames } from "../files.ts";
import { FrameStream } from "../frame-stream.ts";
import { createProgress } from "../progress.ts";
import { labelOptions, makeWay, splitUnits, withLabels } from "../structures.ts";
import type { LabelFlags } from "../structures.ts";

interface Flags extends LabelFlags {
  readonly labels?: boolean;
  readonly toUnits?: string;
  readonly every?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

const table = formats
  .map((f) => `  ${f.name.padEnd(11)} ${f.extensions.join(" ").padEnd(26)} ${f.summary}`)
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
      ["surfit convert in.xyz input.data --to-units Hartree,bohr", "for n2p2 and RuNNer"],
      ["surfit convert run.lammpstrj run.traj --types W,Be", "a trajectory of LAMMPS for ASE"],
      ["surfit convert crystal.cif POSCAR", "a crystal, symmetry applied, for VASP"],
    ]),
  )
    .argument("<input>", "file to read")
    .argument("<output>", "file to write; the format follows the ending, .gz compresses")
    .option("--labels", "find the labels and write them in internal units under the plain keys")
    .option("--to-units <energy,length>", "units of the output (n2p2 only; others are in eV and Å)")
    .option("--every <n>", "keep every n-th frame only")
    .option("--force", "overwrite the output")
    .addHelpText("after", `\nFormats:\n${table}`)
    .action(run);
}

async function run(input: string, output: string, flags: Flags): Promise<void> {
  refuseFrames(output, flags.force);
  const every = Number(flags.every ?? 1);
  if (!(Number.isInteger(every) && every >= 1)) throw invalid("--every", "an integer ≥ 1", flags.every ?? "");
  const { labels, every: _every, force: _force, json: _json, skip: _skip, types: _types, ...asked } = flags;
  const format = findFormat(output);
  // Numbers whose units nobody stated would be taken for eV and Å; a format without keys of the user's own holds only
  // labels that were found.
  const needed = !(await formatOf(input)).statesUnits || !format.carries.includes("arrays");
  const labelled = labels ?? (needed || Object.keys(asked).length > 0);
  if (flags.toUnits !== undefined && format !== n2p2)
    throw invalid(
      "--to-units",
      `an output whose units can be chosen (${n2p2.extensions.join(", ")})`,
      output,
    );
  const units = outputUnits(flags.toUnits);
  const progress = createProgress();
  let [seen, written] = [0, 0];
  const left: string[] = [];
  const options = { ...labelOptions(flags), optional: !labels && format !== n2p2 };
  async function* source(): AsyncGenerator<Frame> {
    if (labelled) {
      const stream = await FrameStream.open([input], options);
      left.push(...stream.left);
      for await (const frame of stream.labelled()) yield makeWay(frame);
    } else yield* readFrames(input, undefined, readingOf(options, left));
  }
  const lost = new Set<string>();
  async function* chosen(): AsyncGenerator<Frame> {
    for await (const frame of source()) {
      progress.update(null, `${seen} frames`);
      if (seen++ % every !== 0) continue;
      written++;
      for (const name of withoutPlace(frame, format)) lost.add(name);
      yield { ...frame, info: { ...frame.info, ...units } };
    }
  }
  await writeFrames(output, chosen());
  progress.done();
  const text = `${written} of ${seen} frames written to ${output}${labelled ? `, labels in ${flags.toUnits ?? "eV and Å"}` : ""}`;
  const gone =
    lost.size > 0 ? [`left out, as ${format.name} has no place for it: ${[...lost].join(", ")}`] : [];
  present(
    {
      text: [text, ...left, ...gone].join("\n"),
      json: { read: seen, written, output, left, lost: [...lost] },
    },
    flags.json,
  );
}

const LABELS = { energy: "energy", forces: "forces", stress: "stress", configType: "config_type" } as const;

/** What a frame has and the format does not hold. */
function withoutPlace(frame: Frame, { carries, keeps = [] }: Format): string[] {
  const labels = Object.entries(LABELS)
    .filter(([key, name]) => frame[key as keyof typeof LABELS] !== undefined && !carries.includes(name))
    .map(([, name]) => name);
  const others = (["info", "arrays"] as const).flatMap((kind) =>
    carries.includes(kind) ? [] : Object.keys(frame[kind]).filter((key) => !keeps.includes(key)),
  );
  return [...labels, ...others];
}

/** The units as the keys under which the writer looks for them. */
function outputUnits(text: string | undefined): Record<string, string> {
  if (text === undefined) return {};
  const { energy, length } = splitUnits(text, "--to-units");
  return { energy_unit: energy, length_unit: length };
}
