import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { Option } from "commander";
import type { Command } from "commander";
import { invalid } from "../../error.ts";
import { writeFrames } from "../../io/files.node.ts";
import { umbrella } from "../../potentials/bias/bias.ts";
import { readVariable } from "../../potentials/bias/variable.ts";
import type { Variable } from "../../potentials/bias/variable.ts";
import { sum } from "../../potentials/sum.ts";
import { ensembles } from "../../run/ensembles.ts";
import { LEAST_OVERLAP, umbrellas } from "../../run/free-energy/windows.ts";
import type { Umbrellas, Window } from "../../run/free-energy/windows.ts";
import { lbfgs, relax } from "../../run/relax.ts";
import type { Structure } from "../../structure/structure.ts";
import { kB } from "../../structure/units.ts";
import { count, positive, present, withCommons } from "../command.ts";
import { openModel, refuseStrangers } from "../engine.ts";
import type { Engine } from "../engine.ts";
import { refuseExisting, stem } from "../files.ts";
import { labelOf, writeProfiles } from "../free-energy.ts";
import { runSurfit } from "../process.ts";
import { createProgress } from "../progress.ts";
import type { Progress } from "../progress.ts";
import { curveFigure } from "../report/figures.ts";
import { htmlTable, section } from "../report/page.ts";
import { place, readVariables } from "../sampling.ts";
import { Interrupted, watchSignals } from "../signals.ts";
import { readStructures, withUnits } from "../structures.ts";
import type { UnitFlags } from "../structures.ts";
import { show, textTable } from "../table.ts";

interface Flags extends UnitFlags {
  readonly variable: string;
  readonly from: number;
  readonly to: number;
  readonly windows: number;
  readonly k: number;
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
  readonly bins: number;
  readonly jobs: number;
  readonly output?: string;
  readonly restart?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** Ensembles that hold a temperature at constant volume. */
const THERMOSTATS = Object.entries(ensembles)
  .filter(([name, { barostat, warning }]) => name !== "nve" && !barostat && !warning)
  .map(([name]) => name);

/** surfit umbrella: free energy along a variable by umbrella sampling. */
export function define(command: Command): void {
  withUnits(
    withCommons(command, [
      [
        'surfit umbrella model.surfit start.xyz --variable "distance(1,2)" --from 1 --to 3 --windows 12 --k 10',
        "twelve windows, then WHAM and MBAR",
      ],
      [
        'surfit umbrella model.surfit start.xyz --variable "dihedral(1,2,3,4)" --from -180deg --to 150deg --windows 12 --k 0.5',
        "all round",
      ],
    ]),
  )
    .argument("<model>", "model file")
    .argument("<structure>", "file whose first frame is the start of the first window")
    .requiredOption("--variable <text>", "distance(1,2), dihedral(1,2,3,4), distance(1,2)-distance(3,4), …")
    .requiredOption("--from <s>", "centre of the first window; degrees as in 120deg", place)
    .requiredOption("--to <s>", "centre of the last", place)
    .requiredOption("--windows <n>", "how many, evenly spaced", count)
    .requiredOption("--k <eV/unit²>", "force constant of ½ k (s − s₀)²", positive)
    .option("--time <ps>", "of each window, equilibration included", positive, 5)
    .option("--equilibration <ps>", "left out at the start of each", positive, 0.5)
    .addOption(new Option("--ensemble <name>", "thermostat").choices(THERMOSTATS).default("nvt"))
    .option("--temperature <K>", "of the thermostat", positive, 300)
    .option("--timestep <fs>", "Δt", positive, 0.5)
    .option("--friction <1/ps>", "of Langevin dynamics", positive, 5)
    .option("--period <fs>", "time constant of other thermostats", positive, 100)
    .option("--seed <n>", "of velocities and noise; window k takes the k-th after it", count, 1)
    .option("--record <steps>", "between values of the variable", count, 10)
    .option("--every <steps>", "between frames of the trajectories; 0: none", count, 0)
    .option("--bins <n>", "of the profile", count, 50)
    .option("--jobs <n>", "windows that run at once, each a process of its own", count, 1)
    .option("-o, --output <folder>", "where windows and the profile go (default: <structure>-umbrella)")
    .option("--restart", "go on with what is in the folder; a longer --time lengthens every window")
    .option("--force", "overwrite a folder that is there")
    .action(run);
}

async function run(modelFile: string, file: string, flags: Flags): Promise<void> {
  const engine = await openModel(modelFile);
  const [frame] = await readStructures([file], flags);
  refuseStrangers(engine.potential, frame.structure, frame.place);
  const variable = readVariable(flags.variable, engine.device, "--variable");
  variable.demand(frame.structure);
  if (flags.windows < 2) throw invalid("--windows", "2 or more", flags.windows);
  if (!(flags.equilibration < flags.time))
    throw invalid("--equilibration", `less than the ${flags.time} ps of a window`, flags.equilibration);
  const folder = flags.output ?? `${stem(file)}-umbrella`;
  if (!flags.restart) refuseExisting(folder, flags.force);
  mkdirSync(folder, { recursive: true });
  const centres = Array.from(
    { length: flags.windows },
    (_, k) => flags.from + ((flags.to - flags.from) * k) / (flags.windows - 1),
  );
  const progress = createProgress();
  await prepare(frame.structure, engine, variable, centres, folder, flags, progress);
  await sampleAll(modelFile, variable, centres, folder, flags, progress);
  progress.done();
  const windows = centres.map((centre, k) => windowOf(variable, centre, windowFolder(folder, k), flags));
  const found = umbrellas(windows, {
    kT: kB * flags.temperature,
    bins: flags.bins,
    period: variable.period,
  });
  const rows = windowRows(found, centres, windows);
  await write(found, variable, rows, folder);
  const loose = [...found.overlaps.keys()].filter((k) => found.overlaps[k] < LEAST_OVERLAP);
  const { wham, mbar, overlaps, inefficiencies } = found;
  const json = {
    folder,
    centres,
    overlaps,
    inefficiencies,
    profile: { s: found.centres, mbar, wham },
    loose,
  };
  present({ text: describe(found, variable, rows, loose, folder), json }, flags.json);
}

const windowFolder = (folder: string, k: number): string =>
  join(folder, `window-${String(k + 1).padStart(2, "0")}`);
const startFile = (folder: string, k: number): string => join(windowFolder(folder, k), "start.xyz");

/** Forces at which a start is good enough, eV/Å, and steps to it at most: what is left becomes heat. */
const [SOFT, STEPS] = [0.1, 300];

/** Starts of all windows: each relaxed under its bias from the one before; those that are there stay. */
async function prepare(
  structure: Structure,
  { potential }: Engine,
  variable: Variable,
  centres: readonly number[],
  folder: string,
  { k, restart }: Flags,
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
  flags: Flags,
): string[] {
  const own = windowFolder(folder, k);
  const options = {
    bias: `umbrella(${variable.text}; ${centre}; k=${flags.k})`,
    ensemble: flags.ensemble,
    temperature: flags.temperature,
    time: flags.time,
    timestep: flags.timestep,
    friction: flags.friction,
    period: flags.period,
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
async function sampleAll(
  model: string,
  variable: Variable,
  centres: readonly number[],
  folder: string,
  flags: Flags,
  progress: Progress,
): Promise<void> {
  const signals = watchSignals();
  const stop = new AbortController();
  const ear = setInterval(() => signals.asked() && stop.abort(), 100);
  let [next, done] = [0, 0];
  const worker = async (): Promise<void> => {
    while (next < centres.length && !stop.signal.aborted) {
      const k = next++;
      const args = windowArguments(model, variable, centres[k], k, folder, flags);
      // oxlint-disable-next-line no-await-in-loop -- a job takes one window after another
      const { json, said } = await runSurfit(args, stop.signal).catch((error: unknown) => {
        if (stop.signal.aborted) return { json: null, said: "" };
        throw error;
      });
      if (stop.signal.aborted) return;
      if (!json) {
        stop.abort();
        throw invalid(`window ${k + 1} at ${centres[k]}`, "a run of dynamics that ends well", `\n${said}`);
      }
      progress.update(++done / centres.length, `${done} of ${centres.length} windows`);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.max(1, flags.jobs) }, worker));
  } finally {
    clearInterval(ear);
    signals.forget();
  }
  const signal = signals.asked();
  if (signal)
    throw new Interrupted(
      signal,
      `surfit: stopped after ${done} windows; go on with the same command and --restart`,
    );
}

function windowOf(variable: Variable, centre: number, folder: string, flags: Flags): Window {
  const columns = readVariables(join(folder, "variables.txt"));
  const times = columns.get("time_ps")!;
  const first = times.findIndex((t) => t >= flags.equilibration);
  const bias = umbrella(variable, centre, flags.k);
  return { samples: columns.get(variable.text)!.subarray(first), energyAt: (s) => bias.energyAt(s) };
}

function windowRows(found: Umbrellas, centres: readonly number[], windows: readonly Window[]): string[][] {
  return centres.map((centre, k) => {
    const { samples } = windows[k];
    const overlap = found.overlaps[k];
    return [
      String(k + 1),
      show(centre, 4),
      show(samples.reduce((a, b) => a + b, 0) / samples.length, 4),
      String(samples.length),
      show(found.inefficiencies[k]),
      overlap === undefined ? "" : show(overlap),
      show(found.mbar.windows[k], 4),
      show(found.mbar.windowErrors[k]),
    ];
  });
}

const HEAD = ["window", "centre", "mean", "values", "g", "overlap with next", "F (eV)", "± (eV)"];

async function write(
  found: Umbrellas,
  variable: Variable,
  rows: readonly (readonly string[])[],
  folder: string,
): Promise<void> {
  const { centres, mbar, wham, histograms } = found;
  const histogram = curveFigure(
    histograms.map((y, k) => ({ name: String(k + 1), x: centres, y })),
    labelOf(variable),
    "values in a bin",
  );
  await writeProfiles(
    folder,
    labelOf(variable),
    centres,
    [
      { name: "MBAR", energies: mbar.energies, errors: mbar.errors },
      { name: "WHAM", energies: wham.energies, errors: wham.errors },
    ],
    [section("Windows", `<figure>${histogram.svg}</figure>`, htmlTable(HEAD, rows))],
  );
}

function describe(
  { centres, mbar, wham }: Umbrellas,
  variable: Variable,
  rows: readonly (readonly string[])[],
  loose: readonly number[],
  folder: string,
): string {
  const apart = wham.energies.map((F, b) => Math.abs(F - mbar.energies[b])).filter((x) => !Number.isNaN(x));
  const top = mbar.energies.reduce((best, F, b) => (F > (mbar.energies[best] || 0) ? b : best), 0);
  return [
    textTable(HEAD, rows),
    "",
    `free energy along ${variable.text}: lowest at ${show(centres[mbar.energies.indexOf(0)], 4)}, highest ` +
      `${show(mbar.energies[top], 4)} ± ${show(mbar.errors[top])} eV at ${show(centres[top], 4)}; WHAM and MBAR differ by ` +
      `${show(Math.max(...apart))} eV at most`,
    ...loose.map(
      (k) =>
        `warning: windows ${k + 1} and ${k + 2 > rows.length ? 1 : k + 2} hardly overlap: the profile's parts on either side ` +
        "may lie anywhere to each other; take more windows or a smaller --k",
    ),
    `${folder}/: free-energy.txt, free-energy.html, window-*/`,
  ].join("\n");
}
