import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { Option } from "commander";
import { invalid } from "../../error.ts";
import { readVaried, writeVaried } from "../../fit/search/space.ts";
import { readWeights } from "../../fit/search/objective.ts";
import { EXIT, count, present, withCommons } from "../command.ts";
import { refuseExisting, readWhole, stem, writeWhole } from "../files.ts";
import { createProgress } from "../progress.ts";
import { describeTrial, runSearch, shortName, startOf, trialFolder } from "../search/search.ts";
import type { SearchOptions } from "../search/search.ts";
import { TrialLog } from "../search/trial-log.ts";
import type { Trial } from "../search/trial-log.ts";
import { Interrupted, watchSignals } from "../signals.ts";
import { duration, show, textTable } from "../table.ts";

const collect = (word: string, before: readonly string[] = []): string[] => [...before, word];

/** surfit search: options of a fit, varied until its validation errors are least. */
export function define(command: Command): void {
  withCommons(command, [
    [
      "surfit search --vary model.descriptor.cutoff=4..7 -- data.xyz --descriptor ace --set model.regressor.name=linear",
      "one option, 40 fits at most",
    ],
    ["surfit search --vary training.weights.energyEnd=0.1..1000:log -- data.xyz --epochs 50", "flags of fit"],
    ["surfit search data.xyz --vary a=1..9:integer --method evolution --jobs 2", "noisy: two fits at once"],
    ["surfit search data.xyz --vary training.rate=1e-3..1e-2:log --resume", "go on after a kill"],
  ])
    .usage("[options] <arguments of surfit fit>")
    .argument("[fit...]", "arguments of surfit fit: data, fit.yaml; after -- also its flags")
    .option("--vary <path=from..to>", "option to vary; with :log or :integer at the end (repeat)", collect)
    .addOption(
      new Option("--method <name>", "interpolation: few fits, smooth errors; evolution: noisy or rough ones")
        .choices(["interpolation", "evolution"])
        .default("interpolation"),
    )
    .option("--objective <weights>", "RMSE on the validation set that count", "energy=1,forces=1")
    .option("--trials <n>", "most fits", count, 40)
    .option("--jobs <n>", "fits at once, sharing the cores", count, 1)
    .option("--seed <n>", "of evolution", count, 1)
    .option("-o, --output <folder>", "folder of the search (default: runs/<data>-search)")
    .option("--resume", "go on with the trials that are in the folder")
    .option("--force", "remove a search that is there")
    .action(run);
}

interface Flags {
  readonly vary?: readonly string[];
  readonly method: SearchOptions["method"];
  readonly objective: string;
  readonly trials: number;
  readonly jobs: number;
  readonly seed: number;
  readonly output?: string;
  readonly resume?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** Flags of a fit that the search gives itself. */
const OWN = ["-o", "--output", "--json", "--dry-run", "--resume", "--force"];

async function run(fit: string[], flags: Flags): Promise<void> {
  const options = optionsOf(fit, flags);
  const { folder } = options;
  const record = join(folder, "search.json");
  const { jobs: _jobs, trials: _trials, folder: _folder, ...identity } = options;
  if (flags.resume && existsSync(record)) await checkRecord(record, identity);
  else {
    refuseExisting(record, flags.force);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  }
  const start = await startOf(options);
  await writeWhole(record, `${JSON.stringify(identity, null, 2)}\n`);
  const log = new TrialLog(join(folder, "trials.jsonl"), options.weights);
  const why = await follow(start, options, log);
  const best = log.best!;
  const json = { folder, why, best: outcomeOf(best, log), trials: log.trials.map((t) => outcomeOf(t, log)) };
  await writeWhole(join(folder, "trials.txt"), `${tableOf(log, log.trials.length)}\n`);
  present({ text: describe(options, log, why), json, exitCode: EXIT.ok }, flags.json);
}

function optionsOf(fit: readonly string[], flags: Flags): SearchOptions {
  if (!flags.vary?.length) throw invalid("--vary", "at least one option, such as a.b=1..2", "none");
  if (fit.length === 0) throw invalid("surfit search", "data files or a fit.yaml", "neither");
  const own = fit.find((word) => OWN.includes(word));
  if (own)
    throw invalid("surfit search", `no ${own} among the arguments of the fit: the search sets it`, own);
  const varied = flags.vary.map((text) => readVaried(text));
  const paths = varied.map((v) => v.path);
  const twice = paths.find((path, k) => paths.indexOf(path) < k);
  if (twice) throw invalid("--vary", "every option once", `${twice} twice`);
  if (flags.trials < 2 * varied.length + 1)
    throw invalid("--trials", `${2 * varied.length + 1} or more for ${varied.length} options`, flags.trials);
  return {
    varied,
    method: flags.method,
    weights: readWeights(flags.objective),
    trials: flags.trials,
    jobs: Math.max(1, flags.jobs),
    seed: flags.seed,
    fit,
    folder: flags.output ?? join("runs", `${stem(fit[0])}-search`),
  };
}

/** A search goes on only as what it was. */
async function checkRecord(path: string, identity: unknown): Promise<void> {
  const before = new TextDecoder().decode(await readWhole(path)).trim();
  const now = JSON.stringify(identity, null, 2);
  if (before !== now)
    throw invalid(path, "the same options as when the search began (or another --output)", now);
}

async function follow(start: Float64Array, options: SearchOptions, log: TrialLog): Promise<string> {
  const progress = createProgress();
  const signals = watchSignals();
  const abort = new AbortController();
  const watch = setInterval(() => signals.asked() && abort.abort(), 100);
  if (log.before > 0) progress.report(`${log.before} trials of before are taken as they are`);
  try {
    const running = runSearch(start, options, log, abort.signal);
    for (;;) {
      // one trial after another
      const { value, done } = await running.next();
      const signal = signals.asked();
      if (signal) throw new Interrupted(signal, `stopped; go on with: --resume -o ${options.folder}`);
      if (done) return value;
      keepOnlyBest(value, options.folder, log);
      progress.report(describeTrial(value, log));
      const best = show(log.objectiveOf(log.best!), 4);
      progress.update(log.trials.length / options.trials, `${log.trials.length} trials, best ${best}`);
    }
  } finally {
    clearInterval(watch);
    signals.forget();
    progress.done();
  }
}

/** Of the folders of the trials only the best one stays: fifty fits would fill a disk. */
function keepOnlyBest(last: Trial, folder: string, log: TrialLog): void {
  const [best, second] = log.ranked;
  const beaten = best === last ? second : last;
  if (beaten) rmSync(trialFolder(folder, beaten.trial), { recursive: true, force: true });
}

const outcomeOf = (trial: Trial, log: TrialLog) => ({ ...trial, objective: log.objectiveOf(trial) });

const milli = (x: number | null | undefined): string =>
  x === null || x === undefined ? "–" : show(1000 * x);

function tableOf(log: TrialLog, most: number): string {
  const paths = Object.keys(log.trials[0].values);
  const head = ["trial", "objective", "energy (meV/atom)", "forces (meV/Å)", ...paths.map(shortName), "time"];
  const rows = log.ranked
    .slice(0, most)
    .map((t) => [
      String(t.trial),
      show(log.objectiveOf(t), 4),
      milli(t.scores?.energyPerAtom),
      milli(t.scores?.forces),
      ...paths.map((path) => show(t.values[path], 5)),
      duration(t.seconds),
    ]);
  return textTable(head, rows);
}

/** Trials shown at the end. */
const SHOWN = 10;

function describe({ varied, folder }: SearchOptions, log: TrialLog, why: string): string {
  const best = log.best!;
  const failed = log.trials.filter((t) => t.failure).length;
  const edge = varied.filter(({ path, from, to }) => [from, to].includes(best.values[path]));
  return [
    tableOf(log, SHOWN),
    "",
    `RMSE of the validation set, as a part of trial 0's; ${log.trials.length} trials, ${why === "converged" ? "converged" : "no more left"}`,
    ...(failed ? [`${failed} fits failed; why is in ${folder}/trials.jsonl`] : []),
    ...edge.map((v) => `the best is at the edge of ${writeVaried(v)}: a wider range may be better`),
    `best: ${trialFolder(folder, best.trial)}/ (model.surfit, fit.yaml, report.html)`,
  ].join("\n");
}
