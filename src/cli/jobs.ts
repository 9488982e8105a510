import { invalid } from "../error.ts";
import { runSurfit } from "./process.ts";
import { Interrupted, watchSignals } from "./signals.ts";

/** A command line of its own. */
export interface Job {
  /** What it is, for errors. */
  readonly name: string;
  readonly words: readonly string[];
}

/**
 * Runs `surfit` once for each job, so many at once, and returns what each printed; a signal ends them as it would end each
 * alone, and so does one that fails.
 */
export async function runJobs(
  jobs: readonly Job[],
  atOnce: number,
  what: string,
  watch: (done: number, said: string) => void,
): Promise<Readonly<Record<string, unknown>>[]> {
  const signals = watchSignals();
  const stop = new AbortController();
  const ear = setInterval(() => signals.asked() && stop.abort(), 100);
  const printed: Readonly<Record<string, unknown>>[] = [];
  let [next, done] = [0, 0];
  const worker = async (): Promise<void> => {
    while (next < jobs.length && !stop.signal.aborted) {
      const k = next++;
      const { name, words } = jobs[k];
      // oxlint-disable-next-line no-await-in-loop -- a worker takes one job after another
      const { json, said } = await runSurfit(words, stop.signal).catch((error: unknown) => {
        if (stop.signal.aborted) return { json: null, said: "" };
        throw error;
      });
      if (stop.signal.aborted) return;
      if (!json) {
        stop.abort();
        throw invalid(name, "a run that ends well", `\n${said}`);
      }
      printed[k] = json;
      watch(++done / jobs.length, `${done} of ${jobs.length} ${what}`);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.max(1, atOnce) }, worker));
  } finally {
    clearInterval(ear);
    signals.forget();
  }
  const signal = signals.asked();
  if (signal)
    throw new Interrupted(
      signal,
      `surfit: stopped after ${done} ${what}; go on with the same command and --restart`,
    );
  return printed;
}
