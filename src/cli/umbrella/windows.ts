import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { invalid } from "../../error.ts";
import { writeFrames } from "../../io/files.node.ts";
import { umbrella } from "../../potentials/bias/bias.ts";
import type { Variable } from "../../potentials/bias/variable.ts";
import { sum } from "../../potentials/sum.ts";
import { ensembles } from "../../run/ensembles.ts";
import { lbfgs, relax } from "../../run/relax.ts";
import type { Structure } from "../../structure/structure.ts";
import type { Engine } from "../engine.ts";
import { runJobs } from "../jobs.ts";
import type { Progress } from "../progress.ts";
import { readVariables } from "../sampling.ts";
import { readStructures } from "../structures.ts";

/** What every window is told. */
export interface WindowFlags {
  /** eV per square of the variable's unit; of a window that is held, only its start is pulled so. */
  readonly k: number;
  /** Holds the variable at each place instead of pulling it there. */
  readonly fixed?: boolean;
  readonly time: number;
  readonly equilibration: number;
  readonly ensemble: string;
  readonly temperature: number;
  readonly timestep: number;
  readonly friction: number;
  readonly period: number;
  readonly seed: number;
  readonly record: number;
  readonly every: number;
  readonly jobs: number;
  readonly restart?: boolean;
}

/** The folder of window k, from 0 on. */
export const windowFolder = (folder: string, k: number): string =>
  join(folder, `window-${String(k + 1).padStart(2, "0")}`);
const startFile = (folder: string, k: number): string => join(windowFolder(folder, k), "start.xyz");

/** Forces at which a start is good enough, eV/Å, and steps to it at most: what is left becomes heat. */
const [SOFT, STEPS] = [0.1, 300];

/** Starts of all windows: each relaxed under its bias from the one before; those that are there stay. */
export async function prepareWindows(
  structure: Structure,
  { potential }: Engine,
  variable: Variable,
  centres: readonly number[],
  folder: string,
  { k, restart }: Pick<WindowFlags, "k" | "restart">,
  progress: Progress,
): Promise<void> {
  let before = structure;
  for (const [w, centre] of centres.entries()) {
    const file = startFile(folder, w);
    if (restart && existsSync(file)) {
      // oxlint-disable-next-line no-await-in-loop -- each start is made from the one before
      [{ structure: before }] = await readStructures([file], {});
      continue;
    }
    progress.update(w / centres.length, `start of window ${w + 1}`);
    const pulled = lbfgs(before, sum(potential, umbrella(variable, centre, k)));
    before = relax(pulled, before, { fmax: SOFT, steps: STEPS }).structure;
    mkdirSync(windowFolder(folder, w), { recursive: true });
    // oxlint-disable-next-line no-await-in-loop -- likewise
    await writeFrames(file, [{ structure: before, info: {}, arrays: {}, place: file }]);
  }
}

/** Arguments of `surfit md` for one window. */
function windowArguments(
  model: string,
  variable: Variable,
  centre: number,
  k: number,
  folder: string,
  flags: WindowFlags,
): string[] {
  const own = windowFolder(folder, k);
  const { heeds } = ensembles[flags.ensemble];
  const options = {
    ...(flags.fixed
      ? { constrain: `${variable.text}=${centre}` }
      : { bias: `umbrella(${variable.text}; ${centre}; k=${flags.k})` }),
    ensemble: flags.ensemble,
    temperature: flags.temperature,
    time: flags.time,
    timestep: flags.timestep,
    ...(heeds.includes("friction") && { friction: flags.friction }),
    ...(heeds.includes("period") && { period: flags.period }),
    seed: flags.seed + k,
    thermo: flags.record,
    every: flags.every,
    output: own,
    ...(flags.jobs > 1 && { threads: 1 }),
  };
  const restart = flags.restart && existsSync(join(own, "checkpoint"));
  return [
    "md",
    model,
    startFile(folder, k),
    ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
    restart ? "--restart" : "--force",
  ];
}

/** Runs all windows, so many at once; a signal ends them after their checkpoints. */
export async function sampleWindows(
  model: string,
  variable: Variable,
  centres: readonly number[],
  folder: string,
  flags: WindowFlags,
  progress: Progress,
): Promise<void> {
  const jobs = centres.map((centre, k) => ({
    name: `window ${k + 1} at ${centre}`,
    words: windowArguments(model, variable, centre, k, folder, flags),
  }));
  await runJobs(jobs, flags.jobs, "windows", (done, said) => progress.update(done, said));
}

/** Columns of a window from the end of its equilibration on. */
export function columnsOf(
  folder: string,
  k: number,
  { equilibration }: Pick<WindowFlags, "equilibration">,
): Map<string, Float64Array> {
  const file = join(windowFolder(folder, k), "variables.txt");
  const columns = readVariables(file);
  const first = columns.get("time_ps")!.findIndex((t) => t >= equilibration);
  if (first < 0) throw invalid(file, `values after ${equilibration} ps: a smaller --record`, "none");
  return new Map([...columns].map(([name, values]) => [name, values.subarray(first)]));
}
