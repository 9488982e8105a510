import { dirname, isAbsolute, relative } from "node:path";
import { Option } from "commander";
import type { Command } from "commander";
import { createDevice } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { propose, sizes } from "../../fit/proposal/proposal.ts";
import type { Candidate, Proposal, Size } from "../../fit/proposal/proposal.ts";
import { isIsolatedAtom } from "../../potentials/isolated-atoms.ts";
import { writeYaml } from "../../schema.ts";
import { symbolOf } from "../../structure/elements.ts";
import { count, present, withCommons } from "../command.ts";
import { refuseExisting, stem, writeWhole } from "../files.ts";
import { wholeSchema } from "../fit/schema.ts";
import { measureCost } from "../init/cost.ts";
import type { Cost } from "../init/cost.ts";
import { costOf, initPage } from "../init/page.ts";
import { createProgress } from "../progress.ts";
import { given, labelOptions, readAllLabelled, withLabels } from "../structures.ts";
import type { LabelFlags } from "../structures.ts";
import { show, textTable } from "../table.ts";
import { version } from "../version.ts";

interface Flags extends LabelFlags {
  readonly output?: string;
  readonly page?: string;
  readonly size: Size;
  readonly features?: number;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** surfit init: symmetry functions for a data set. */
export function define(command: Command): void {
  withLabels(
    withCommons(command, [
      ["surfit init data.xyz", "writes data.yaml, for surfit fit, and data.html, to look at"],
      ["surfit init data.xyz --size small", "fewer functions: faster, less accurate"],
      ["surfit init data.xyz --features 60 -o sixty.yaml", "60 functions for each element"],
      ["surfit fit data.yaml", "the fit with these functions"],
    ]).argument("<data...>", "files of structures; labels are not used"),
  )
    .option("-o, --output <file>", "the configuration (default: <data>.yaml)")
    .option("--page <file>", "the page with the figures (default: beside the configuration, .html)")
    .addOption(
      new Option("--size <size>", "how many functions for each kind of neighbours")
        .choices(sizes)
        .default("medium"),
    )
    .option("--features <n>", "functions to keep for each element, instead of --size", count)
    .option("--force", "overwrite the files")
    .action(run);
}

async function run(files: string[], flags: Flags): Promise<void> {
  const output = flags.output ?? `${stem(files[0])}.yaml`;
  if (!/\.ya?ml$/i.test(output)) throw invalid("--output", "a name that ends in .yaml", output);
  const pageFile = flags.page ?? output.replace(/\.ya?ml$/i, ".html");
  for (const path of [output, pageFile]) refuseExisting(path, flags.force);
  if (flags.features === 0) throw invalid("--features", "an integer ≥ 1", "0");
  const progress = createProgress();
  const options = labelOptions(flags);
  const { frames, notes } = await readAllLabelled(files, options);
  const structures = frames.filter((f) => !isIsolatedAtom(f)).map((f) => f.structure);
  progress.update(null, "distances, angles and features");
  const request = { size: flags.size, ...(flags.features !== undefined && { features: flags.features }) };
  const proposal = propose(structures, createDevice(), request);
  const cost = measureCost(proposal, structures);
  const home = dirname(output);
  const own = files.map((file) => (isAbsolute(file) ? file : relative(home, file)));
  const { keys, units, stressSign, virialSign } = options;
  const data = {
    files: own.length === 1 ? own[0] : own,
    ...keys,
    ...given({ units: units && Object.keys(units).length > 0 ? units : undefined, stressSign, virialSign }),
  };
  const descriptor = { name: "symmetry-functions", ...proposal.options };
  const heading = `surfit ${version()}: functions proposed for these data; surfit fit ${output}`;
  const yaml = writeYaml(wholeSchema, { data, model: { descriptor } }, heading);
  const sentence = `${proposal.sampled} of ${structures.length} structures looked at; about ${show(cost.atom)} µs per atom for values and derivatives, one thread; surfit ${version()}`;
  await writeWhole(output, yaml);
  await writeWhole(pageFile, initPage(proposal, cost, `Functions for ${files.join(", ")}`, sentence, yaml));
  progress.done();
  const text = [
    ...notes.map((note) => `note: ${note}`),
    textTable(HEAD, summaryRows(proposal, cost)),
    "",
    `about ${show(cost.atom)} µs per atom for values and derivatives, measured on one thread`,
    `${output}: for surfit fit; ${pageFile}: each function over the distances and angles of the data, and why it was kept`,
  ].join("\n");
  present({ text, json: summary(proposal, cost, output, pageFile, notes) }, flags.json);
}

const HEAD = ["element", "candidates", "constant", "faint", "same", "least told", "kept", "µs per atom"];

const REASONS = ["dead", "faint", "duplicate", "redundant", "kept"] as const;

const kept = (list: readonly Candidate[]) => list.filter((c) => c.reason === "kept");

const total = (list: readonly Candidate[], cost: Cost): number =>
  kept(list).reduce((sum, c) => sum + costOf(c, cost), 0);

const summaryRows = ({ elements, candidates }: Proposal, cost: Cost): string[][] =>
  elements.map((z, e) => [
    symbolOf(z),
    String(candidates[e].length),
    ...REASONS.map((reason) => String(candidates[e].filter((c) => c.reason === reason).length)),
    show(total(candidates[e], cost)),
  ]);

function summary(
  { elements, candidates, options, sampled }: Proposal,
  cost: Cost,
  output: string,
  pageFile: string,
  notes: readonly string[],
) {
  const of = (list: readonly Candidate[]) =>
    list.map((c) => ({
      ...c,
      with: c.with < 0 ? null : list[c.with].label,
      microseconds: costOf(c, cost),
    }));
  return {
    output,
    page: pageFile,
    sampled,
    microsecondsPerAtom: cost.atom,
    kept: Object.fromEntries(elements.map((z, e) => [symbolOf(z), kept(candidates[e]).length])),
    candidates: Object.fromEntries(elements.map((z, e) => [symbolOf(z), of(candidates[e])])),
    options,
    notes,
  };
}
