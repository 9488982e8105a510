import { join } from "node:path";
import type { Command } from "commander";
import { OPTIMISERS, matrixRoom, settledOptimiser } from "../../fit/optimisers.ts";
import { startPool } from "../../node.ts";
import { helpLines, writeYaml } from "../../schema.ts";
import { EXIT, atLeastOne, count, positive, present, refuseIdle, withCommons } from "../command.ts";
import { writeWhole } from "../files.ts";
import { configure, portable } from "../fit/configuration.ts";
import type { Configured, FitFlags } from "../fit/configuration.ts";
import { writeFitsnapOutputs } from "../fit/fitsnap.ts";
import { prepareJob, runJob } from "../fit/job.ts";
import { planTable } from "../fit/plan.ts";
import { describeFit, reportOf, summariseFit } from "../fit/summary.ts";
import { createProgress } from "../progress.ts";
import { withLabels } from "../structures.ts";
import { version } from "../version.ts";
import { wholeSchema } from "../fit/schema.ts";

interface Flags extends FitFlags {
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly checkpointEvery?: number;
  readonly json?: boolean;
  readonly helpOptions?: boolean;
}

const collect = (word: string, before: readonly string[] = []): string[] => [...before, word];

/** surfit fit: data in, model out. */
export function define(command: Command): void {
  withLabels(
    withCommons(command, [
      ["surfit fit data.xyz", "at most ten minutes; everything goes to runs/data/"],
      ["surfit fit data.xyz --dry-run", "what it would do, how long, how much memory"],
      ["surfit fit train.xyz --test held-out.xyz --time 1200", "a test set of its own"],
      ["surfit fit runs/data/fit.yaml -o runs/again", "the same fit again, from its own record"],
      ["surfit fit data.xyz --resume", "go on after an interruption"],
      [
        "surfit fit potential/ --units Hartree,bohr",
        "as input.nn in the folder says, on its input.data (n2p2)",
      ],
      ["surfit fit Ta.in", "as FitSNAP's input file says, on its folders of JSON"],
    ])
      .argument("[inputs...]", "files of labelled structures, or one fit.yaml")
      .option("-o, --output <folder>", "folder of the run (default: runs/<data>)")
      .option("--time <seconds>", "time to train for", positive)
      .option("--epochs <n>", "passes over the data, instead of a time", count)
      .option("--train <file>", "one more file to train on (may be repeated)", collect)
      .option("--validation <file>", "file to validate on (may be repeated)", collect)
      .option("--test <file>", "file to test on at the end (may be repeated)", collect)
      .option("--split <method>", "random, group, window or file")
      .option("--descriptor <name>", "acsf, ani, …")
      .option("--seed <n>", "of split, weights and order", count)
      .option("--threads <n>", "default: all cores", atLeastOne)
      .option("--deterministic", "the same bits on every machine, slower")
      .option(
        "--set <path=value>",
        "any option of fit.yaml, such as training.batch=8 (may be repeated)",
        collect,
      ),
  )
    .option("--dry-run", "print the plan and write nothing")
    .option("--resume", "go on from the checkpoint in the folder, with the folder's fit.yaml")
    .option("--force", "overwrite a run")
    .option("--checkpoint-every <seconds>", "default: 30", positive)
    .addHelpText("after", () => `\nOptions of fit.yaml, for --set:\n${helpLines(wholeSchema).join("\n")}`)
    .action(run);
}

async function run(inputs: string[], flags: Flags, command: Command): Promise<void> {
  const configured = await configure(inputs, flags);
  const optimiser = settledOptimiser(configured.options);
  const inSteps = !OPTIMISERS[optimiser].closed;
  const needs = "an optimiser that works in steps";
  refuseIdle(command, [
    ["time", needs, inSteps, `${optimiser}, which solves`],
    ["epochs", needs, inSteps, `${optimiser}, which solves`],
  ]);
  const { threads, deterministic } = configured.options;
  // Room for an optimiser's matrix beside everything else, within what 32-bit addresses reach.
  const matrix = matrixRoom(configured.options);
  const bytes = Math.min(2 ** 32 - 2 ** 16, 2 ** 31 + 2 ** 20 * matrix);
  const pool = await startPool({ deterministic, bytes, ...(threads !== "auto" && { threads }) });
  try {
    if (flags.dryRun) await dryRun(configured, flags, pool);
    else await fit(configured, flags, pool);
  } finally {
    pool.close();
  }
}

type Pool = Awaited<ReturnType<typeof startPool>>;

async function dryRun(configured: Configured, flags: Flags, pool: Pool): Promise<void> {
  const { options, folder } = configured;
  const { prepared, notes: own } = await prepareJob(options, pool, createProgress());
  const notes = [...configured.notes, ...own];
  const yaml = writeYaml(wholeSchema, portable(prepared.resolved, folder), `${folder}/fit.yaml would be`);
  const text = [planTable(prepared, pool.threads), ...notes.map((note) => `note: ${note}`), "", yaml].join(
    "\n",
  );
  present(
    { text, json: { folder, plan: prepared.plan, notes, configuration: prepared.resolved } },
    flags.json,
  );
}

async function fit({ options, folder, notes, fitsnap }: Configured, flags: Flags, pool: Pool): Promise<void> {
  const progress = createProgress();
  const about = { version: version(), command: ["surfit", ...process.argv.slice(2)].join(" ") };
  const { resume, force, checkpointEvery: saveEvery } = flags;
  const job = await runJob(
    options,
    pool,
    { folder, resume, force, saveEvery, notes, fitsnap, ...about },
    progress,
  );
  const date = new Date().toISOString().slice(0, 10);
  await writeWhole(
    join(folder, "report.html"),
    reportOf(job, { title: folder, version: about.version, date }),
  );
  if (fitsnap) await writeFitsnapOutputs(job, folder, fitsnap, `surfit ${about.version}: ${about.command}`);
  const json = summariseFit(job, folder);
  await writeWhole(join(folder, "result.json"), `${JSON.stringify(json, null, 2)}\n`);
  present({ text: describeFit(job, folder), json, exitCode: EXIT.ok }, flags.json);
}
