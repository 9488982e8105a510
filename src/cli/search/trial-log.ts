import { appendFileSync, existsSync, readFileSync, truncateSync } from "node:fs";
import { invalid } from "../../error.ts";
import { objective } from "../../fit/search/objective.ts";
import type { Scores, Weights } from "../../fit/search/objective.ts";

/** One fit of a search. */
export interface Trial {
  readonly trial: number;
  /** Value of each varied option, by path. */
  readonly values: Readonly<Record<string, number>>;
  /** Null where the fit failed. */
  readonly scores: Scores | null;
  /** Why it failed. */
  readonly failure?: string;
  /** s. */
  readonly seconds: number;
}

/** The trials of a search in the order in which they were asked for, one line of JSON each. */
export class TrialLog {
  readonly trials: Trial[] = [];
  readonly #path: string;
  readonly #weights: Weights;
  /** How many were there when the log was opened. */
  readonly before: number;

  constructor(path: string, weights: Weights) {
    this.#path = path;
    this.#weights = weights;
    if (existsSync(path)) this.trials.push(...readTrials(path));
    this.before = this.trials.length;
  }

  /** The trial that was run for these values before; undefined where they are new. */
  known(k: number, values: Readonly<Record<string, number>>): Trial | undefined {
    const trial = this.trials[k];
    if (!trial) return undefined;
    const same = Object.entries(values).every(([path, value]) => trial.values[path] === value);
    if (same && Object.keys(trial.values).length === Object.keys(values).length) return trial;
    throw invalid(`${this.#path} line ${k + 1}`, "a trial of this search", JSON.stringify(trial.values));
  }

  add(trial: Trial): void {
    appendFileSync(this.#path, `${JSON.stringify(trial)}\n`);
    this.trials.push(trial);
  }

  /** Infinity for a fit that failed. */
  objectiveOf({ scores }: Trial): number {
    const first = this.trials[0].scores;
    return scores && first ? objective(scores, first, this.#weights) : Infinity;
  }

  get best(): Trial | undefined {
    return this.ranked[0];
  }

  /** Best first. */
  get ranked(): Trial[] {
    const value = new Map(this.trials.map((t) => [t, this.objectiveOf(t)]));
    return this.trials.toSorted((a, b) => value.get(a)! - value.get(b)! || a.trial - b.trial);
  }
}

/** Lines of a log; a last line that a kill has cut is taken away, and its trial is run again. */
function readTrials(path: string): Trial[] {
  const bytes = readFileSync(path);
  const whole = bytes.lastIndexOf(0x0a) + 1;
  if (whole < bytes.length) truncateSync(path, whole);
  const lines = bytes.subarray(0, whole).toString("utf8").split("\n").slice(0, -1);
  return lines.map((line, k) => {
    try {
      return JSON.parse(line) as Trial;
    } catch (cause) {
      throw invalid(
        `${path} line ${k + 1}`,
        "a trial as JSON",
        cause instanceof Error ? cause.message : cause,
      );
    }
  });
}
