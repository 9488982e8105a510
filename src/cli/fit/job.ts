import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Pool } from "../../device/pool.ts";
import { InputError, NumericalError } from "../../error.ts";
import type { StoredCheckpoint } from "../../fit/checkpoint.ts";
import { unitFindings } from "../../fit/doctor/assumption.ts";
import { stressErrors } from "../../fit/doctor/stress.ts";
import { runFit } from "../../fit/fit.ts";
import type { FitResult } from "../../fit/fit.ts";
import type { FitOptions } from "../../fit/options.ts";
import { prepareFit } from "../../fit/prepare.ts";
import type { PreparedFit } from "../../fit/prepare.ts";
import type { Report } from "../../fit/trainer.ts";
import { writeFrames } from "../../io/files.node.ts";
import { readModel, writeModel } from "../../io/model.ts";
import { buildPotential } from "../../potentials/build.ts";
import { findGuard } from "../../potentials/extrapolation/find.ts";
import { writeYaml } from "../../schema.ts";
import type { Frame } from "../../structure/structure.ts";
import { deviceFor } from "../engine.ts";
import { readWhole, refuseExisting, writeWhole } from "../files.ts";
import { gradeFrame } from "../grades.ts";
import type { FrameGrade } from "../grades.ts";
import { readAnyModel } from "../potential-file.ts";
import type { Progress } from "../progress.ts";
import type { SetName } from "../report/figures.ts";
import { Interrupted, watchSignals } from "../signals.ts";
import { given, readAllLabelled, relabel } from "../structures.ts";
import type { LabelledFiles } from "../structures.ts";
import { duration } from "../table.ts";
import { openStored } from "./stored.ts";
import { portable } from "./configuration.ts";
import { FITSNAP_RECORD } from "./fitsnap-record.ts";
import type { FitsnapOutputs } from "./fitsnap-record.ts";
import { courseOf, reportLine, startLog } from "./log.ts";
import type { RunLog } from "./log.ts";
import { planTable } from "./plan.ts";
import { wholeSchema } from "./schema.ts";
import { StageTimes } from "./stage-times.ts";

/** What a fit on the command line is told beside its configuration. */
export interface JobOptions {
  readonly folder: string;
  readonly resume?: boolean;
  /** Which files FitSNAP would write: a run that goes on must know. */
  readonly fitsnap?: FitsnapOutputs;
  readonly force?: boolean;
  /** The command line, for the provenance. */
  readonly command: string;
  readonly version: string;
  /** Seconds between checkpoints. */
  readonly saveEvery?: number;
  /** What was decided about the configuration. */
  readonly notes?: readonly string[];
}

/** A fit that is ready to run, and one that has run. */
export interface PreparedJob {
  readonly frames: readonly Frame[];
  readonly prepared: PreparedFit;
  /** Keys, units, duplicates: what was decided about the data. */
  readonly notes: readonly string[];
}

export interface FinishedJob extends PreparedJob {
  readonly result: FitResult;
  readonly configuration: string;
  readonly seconds: number;
  /** How far frames of the test set, or of the validation set where there is none, leave the training data. */
  readonly graded: readonly FrameGrade[];
}

/** Reads the data and makes every choice; nothing is written. */
export async function prepareJob(
  options: FitOptions,
  pool: Pool,
  progress: Progress,
  resume?: StoredCheckpoint,
): Promise<PreparedJob> {
  const tell = (what: string) => progress.update(null, `preparing: ${what}`);
  try {
    return await prepare(options, pool, tell, resume);
  } finally {
    progress.done();
  }
}

async function prepare(
  options: FitOptions,
  pool: Pool,
  tell: (what: string) => void,
  resume?: StoredCheckpoint,
): Promise<PreparedJob> {
  const { files, units, stressSign, virialSign, baseline, skip, ...keys } = options.data;
  const all = typeof files === "string" ? [files] : files;
  const how = { baseline, units, stressSign, virialSign, skip };
  tell("data");
  const read = await readAllLabelled(all, { keys: given(keys), ...how });
  const { frames, notes } = read;
  notes.push(...refuseUnits(read.assumed), ...doubtUnits(frames, units));
  if (options.training.weights.stress > 0)
    notes.push(...stressErrors(frames).map(({ message, cure }) => `warning: stresses: ${message} (${cure})`));
  // The record states the units, unless the files differ and declare them themselves.
  const one = read.units.every((u) => u.energy === read.units[0].energy && u.length === read.units[0].length);
  const data = one ? { ...options.data, units: { ...units, ...read.units[0] } } : options.data;
  const { start } = options.model;
  const model = start === undefined ? undefined : readModel(await readWhole(start), start);
  const reference = (await Promise.all(options.model.reference.map(readAnyModel))).flatMap(
    ({ terms }) => terms,
  );
  const parts = { resume, start: model, reference, tell };
  const prepared = await prepareFit(frames, { ...options, data }, pool, parts);
  return { frames, prepared, notes: [...notes, ...prepared.notes] };
}

/** Stops where data that nobody stated units for are plainly not in eV and Å; says what else looks odd. */
function refuseUnits(assumed: LabelledFiles["assumed"]): string[] {
  const found = assumed.flatMap(({ file, frames }) =>
    unitFindings(frames).map((finding) => ({ file, ...finding })),
  );
  const refused = found.filter(({ severity }) => severity === "error");
  if (refused.length > 0)
    throw new InputError(
      refused.map(({ file, message, cure }) => ({
        place: `${file} units`,
        expected: "units stated by you: --units energy,length or data.units (--units eV,Å if it is so)",
        found: `none, and ${message} (${cure})`,
      })),
    );
  return found.map(({ file, message, cure }) => `${file}: ${message} (${cure})`);
}

/** What looks odd in the units that the user has stated. */
function doubtUnits(frames: readonly Frame[], stated: FitOptions["data"]["units"]): string[] {
  const words = Object.values(stated ?? {}).filter(Boolean);
  if (words.length === 0) return [];
  return unitFindings(frames).map(({ message }) => `warning: in ${words.join(", ")} as stated, ${message}`);
}

const SETS: readonly SetName[] = ["train", "validation", "test"];
const predictionsOf = (set: SetName): string => `predicted-${set}.xyz.gz`;

/** What only a run leaves: where one of these is, a run has been. */
const RESULTS = [
  "checkpoint",
  "model.surfit",
  "report.html",
  "result.json",
  FITSNAP_RECORD,
  ...SETS.map(predictionsOf),
];

/** Runs a fit in its folder: configuration, split, logs, checkpoints, model, predictions. */
export async function runJob(
  options: FitOptions,
  pool: Pool,
  job: JobOptions,
  progress: Progress,
): Promise<FinishedJob> {
  const { folder } = job;
  const path = (name: string) => join(folder, name);
  if (!job.resume) for (const name of ["fit.yaml", ...RESULTS]) refuseExisting(path(name), job.force);
  const checkpoint =
    job.resume && existsSync(path("checkpoint")) ? openStored(path("checkpoint")) : undefined;
  if (job.resume && !checkpoint) progress.report("no checkpoint yet: starting from the beginning");
  const { frames, prepared, notes: own } = await prepareJob(options, pool, progress, checkpoint);
  const notes = [...(job.notes ?? []), ...own];
  mkdirSync(folder, { recursive: true });
  const heading = `surfit ${job.version}: every choice of this fit. Edit it and give it to surfit fit.`;
  const configuration = writeYaml(wholeSchema, portable(prepared.resolved, folder), heading);
  if (!checkpoint) {
    // What an overwritten run has left must not pass for this one's.
    for (const name of RESULTS) rmSync(path(name), { force: true });
    await writeWhole(path("fit.yaml"), configuration);
    await writeWhole(path("split.json"), JSON.stringify(prepared.split));
    if (job.fitsnap) await writeWhole(path(FITSNAP_RECORD), `${JSON.stringify(job.fitsnap, null, 2)}\n`);
  }
  const history = checkpoint && (checkpoint.meta as { history: Report[] }).history;
  const log = startLog(folder, history);
  const say = (text: string) => {
    log.line(text);
    progress.report(text);
  };
  say(`surfit ${job.version}: ${job.command}`);
  for (const note of notes) say(`note: ${note}`);
  say(planTable(prepared, pool.threads));
  const began = performance.now();
  const stages = new StageTimes();
  const result = await watch(prepared, pool, job, log, progress, stages);
  const seconds = (performance.now() - began) / 1000;
  const { bestEpoch, why, leastSquares } = result.trained;
  say(
    leastSquares || result.solved
      ? `solved in ${duration(seconds)}${stages.summary()}`
      : `trained in ${duration(seconds)}; best at epoch ${bestEpoch} (${why})`,
  );
  const bytes = writeModel(result.model);
  await writeWhole(path("model.surfit"), bytes);
  await writePredictions(path, frames, prepared, result);
  const graded = gradeHeld(frames, prepared, result, bytes.length);
  return { frames, prepared, notes, result, configuration, seconds, graded };
}

/** Frames that are graded, evenly spread, where each costs much. */
const FEW = 100;

/** Grades held-out frames by a model whose file has so many bytes. */
function gradeHeld(
  frames: readonly Frame[],
  { split }: PreparedFit,
  { model }: FitResult,
  bytes: number,
): FrameGrade[] {
  // The pool's memory is full of what solved the fit.
  const device = deviceFor(bytes);
  const guard = findGuard(model, buildPotential(model, device), device);
  if (!guard) return [];
  const held = split.test.length > 0 ? split.test : split.validation;
  const count = guard.costly ? Math.min(held.length, FEW) : held.length;
  const some = Array.from({ length: count }, (_, k) => held[Math.floor(((k + 0.5) * held.length) / count)]);
  return some.map((f) => gradeFrame(guard, frames[f].structure, frames[f].place));
}

/** Follows the reports; a signal leaves the training, which saves its checkpoint on the way out. */
async function watch(
  prepared: PreparedFit,
  pool: Pool,
  job: JobOptions,
  log: RunLog,
  progress: Progress,
  stages: StageTimes,
): Promise<FitResult> {
  const signals = watchSignals();
  const save = (bytes: Uint8Array) => writeWhole(join(job.folder, "checkpoint"), bytes);
  const provenance = { software: `surfit ${job.version}`, command: job.command };
  const { saveEvery } = job;
  const running = runFit(prepared, pool, { save, provenance, ...(saveEvery !== undefined && { saveEvery }) });
  try {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- reports come one after another
      const next = await running.next();
      if (next.done) return next.value;
      const report = next.value;
      if (report.kind === "validation") log.report(report);
      if (report.kind === "validation") progress.entry(reportLine(report));
      stages.see(report);
      progress.update(report.done, courseOf(report), report.left);
      const signal = signals.asked();
      if (!signal) continue;
      // oxlint-disable-next-line no-await-in-loop -- the loop ends here
      await running.return(undefined as never);
      throw new Interrupted(
        signal,
        `surfit: stopped ${report.stage ? `while ${report.stage}` : `in epoch ${report.epoch}`}; go on with: surfit fit ${join(job.folder, "fit.yaml")} --resume`,
      );
    }
  } catch (error) {
    if (error instanceof NumericalError) log.line(`stopped: ${error.message}`);
    throw error;
  } finally {
    progress.done();
    signals.forget();
  }
}

/** Every set with its predictions beside its labels. */
async function writePredictions(
  path: (name: string) => string,
  frames: readonly Frame[],
  prepared: PreparedFit,
  result: FitResult,
): Promise<void> {
  for (const set of SETS) {
    const chosen = prepared.split[set];
    if (chosen.length === 0) continue;
    const labelled = chosen.map((f) => {
      const { energy, forces, stress } = result.compare(f);
      return relabel(frames[f], { energy: energy?.[0], forces: forces?.[0], stress: stress?.[0] });
    });
    // oxlint-disable-next-line no-await-in-loop -- one file after another keeps the memory low
    await writeFrames(path(predictionsOf(set)), labelled);
  }
}
