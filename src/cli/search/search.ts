import { availableParallelism } from "node:os";
import { join } from "node:path";
import { invalid } from "../../error.ts";
import { scoresOf } from "../../fit/search/objective.ts";
import type { Weights } from "../../fit/search/objective.ts";
import type { SetMetrics } from "../../fit/metrics.ts";
import { placeOf, unitBox, valueAt } from "../../fit/search/space.ts";
import type { Varied } from "../../fit/search/space.ts";
import { evolutionSearch } from "../../math/cma-es.ts";
import type { Found, Search } from "../../math/derivative-free.ts";
import { interpolationSearch } from "../../math/quadratic-interpolation.ts";
import { show } from "../table.ts";
import { numberAt, plannedConfiguration, runFitProcess } from "./fit-process.ts";
import type { Trial, TrialLog } from "./trial-log.ts";

/** A search for the options of a fit. */
export interface SearchOptions {
  readonly varied: readonly Varied[];
  readonly method: "interpolation" | "evolution";
  readonly weights: Weights;
  readonly trials: number;
  /** Fits that run at once. */
  readonly jobs: number;
  readonly seed: number;
  /** Arguments of `surfit fit`, the same for all trials. */
  readonly fit: readonly string[];
  readonly folder: string;
}

/** First and last step in units of the ranges. */
const BEGIN = 0.15;
const END = 0.002;

/** Where the trial's fit goes. */
export const trialFolder = (folder: string, trial: number): string =>
  join(folder, `trial-${String(trial).padStart(4, "0")}`);

/** The options' present values where the fit has them, else the middle of their ranges; in the unit cube. */
export async function startOf({ varied, fit, folder }: SearchOptions): Promise<Float64Array> {
  const configuration = await plannedConfiguration([...fit, "-o", folder], "surfit search");
  return Float64Array.from(varied, (v) => {
    const value = numberAt(configuration, v.path);
    return value === undefined ? 0.5 : placeOf(v, value);
  });
}

/** The search of the method over the unit cube. */
function searchFrom(start: Float64Array, options: SearchOptions): Search {
  const box = unitBox(start.length);
  const common = { begin: BEGIN, end: END, evaluations: options.trials };
  return options.method === "evolution"
    ? evolutionSearch(start, box, { ...common, seed: options.seed })
    : interpolationSearch(start, box, common);
}

/**
 * Runs the trials that a search asks for, as many at once as allowed; those in the log are not run again, so a search
 * that was killed goes on where it stopped. Yields after every trial.
 */
export async function* runSearch(
  start: Float64Array,
  options: SearchOptions,
  log: TrialLog,
  signal: AbortSignal,
): AsyncGenerator<Trial, Found["why"]> {
  const search = searchFrom(start, options);
  let asked = 0;
  let next = search.next();
  while (!next.done) {
    const batch = next.value.map((u, k) => ({ trial: asked + k, values: valuesOf(u, options.varied) }));
    for (let k = 0; k < batch.length; k += options.jobs) {
      // the jobs of one turn run at once, and are logged in order
      const turn = batch.slice(k, k + options.jobs);
      const known = turn.map(({ trial, values }) => log.known(trial, values));
      const threads = Math.max(1, Math.floor(availableParallelism() / turn.length));
      // oxlint-disable-next-line no-await-in-loop -- a turn begins when the one before has ended
      const ended = await Promise.all(
        turn.map(
          async ({ trial, values }, t) => known[t] ?? runTrial(trial, values, options, threads, signal),
        ),
      );
      for (const [t, trial] of ended.entries()) {
        if (signal.aborted) return "evaluations";
        if (known[t]) continue;
        if (trial.trial === 0 && trial.failure)
          throw invalid("surfit search", "a first trial that fits", reasonOf(trial.failure));
        log.add(trial);
        yield trial;
      }
    }
    const values = batch.map(({ trial }) => log.objectiveOf(log.trials[trial]));
    asked += batch.length;
    next = search.next(values);
  }
  return next.value.why;
}

/** What a fit said when it failed, as part of a sentence. */
const reasonOf = (said: string): string =>
  said
    .split("\n")
    .map((line) => line.replace(/^surfit: /, "").trim())
    .filter(Boolean)
    .join("; ");

const valuesOf = (u: Float64Array, varied: readonly Varied[]): Record<string, number> =>
  Object.fromEntries(varied.map((v, k) => [v.path, valueAt(v, u[k])]));

async function runTrial(
  trial: number,
  values: Readonly<Record<string, number>>,
  { fit, folder }: SearchOptions,
  threads: number,
  signal: AbortSignal,
): Promise<Trial> {
  const began = performance.now();
  const sets = Object.entries(values).flatMap(([path, value]) => ["--set", `${path}=${value}`]);
  const place = ["-o", trialFolder(folder, trial), "--force"];
  const given = fit.includes("--threads") ? [] : ["--threads", String(threads)];
  const { json, said } = await runFitProcess([...fit, ...sets, ...given, ...place], signal).catch(
    (error: unknown) => {
      if (signal.aborted) return { json: null, said: "interrupted" };
      throw error;
    },
  );
  const seconds = (performance.now() - began) / 1000;
  if (!json) return { trial, values, scores: null, failure: said, seconds };
  const metrics = json["metrics"] as Readonly<Record<string, SetMetrics>>;
  const validation = metrics["validation"];
  if (!validation) throw invalid("surfit search", "a validation set to judge trials by", "none");
  return { trial, values, scores: scoresOf(validation), seconds };
}

/** One line about a trial: "  12  0.873  cutoff 4.7  eta 2.1". */
export function describeTrial(trial: Trial, log: TrialLog): string {
  const values = Object.entries(trial.values).map(([path, value]) => `${shortName(path)} ${show(value, 4)}`);
  const value = trial.failure ? "failed" : show(log.objectiveOf(trial), 4);
  return `trial ${trial.trial}: ${value}  (${values.join(", ")})`;
}

/** The last word of a path. */
export const shortName = (path: string): string => path.slice(path.lastIndexOf(".") + 1);
