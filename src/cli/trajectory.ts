import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { InputError, NumericalError, invalid } from "../error.ts";
import type { Precision } from "../device/device.ts";
import { packCheckpoint, unpackCheckpoint } from "../fit/checkpoint.ts";
import { Sha256 } from "../fit/hash.ts";
import { formatFrame } from "../io/extxyz.ts";
import type { RandomState } from "../math/random.ts";
import type { Potential } from "../potentials/potential.ts";
import type { Dynamics, Motion } from "../run/dynamics.ts";
import type { CellMotion } from "../run/barostats.ts";
import { ensembles } from "../run/ensembles.ts";
import { drift, pressure, temperature } from "../run/observe.ts";
import type { Line } from "../run/observe.ts";
import type { Mean } from "../run/analysis/blocks.ts";
import type { Ramp } from "../run/schedule.ts";
import { degreesOfFreedom, thermalVelocities } from "../run/velocities.ts";
import { formulaOf } from "../structure/elements.ts";
import { volume } from "../structure/cell.ts";
import type { Frame, Structure } from "../structure/structure.ts";
import { withDeviations } from "./deviations.ts";
import type { Told } from "./deviations.ts";
import { readWhole, refuseExisting, writeWhole } from "./files.ts";
import type { Progress } from "./progress.ts";
import { Interrupted, watchSignals } from "./signals.ts";
import { show } from "./table.ts";
import type { HarvestMark } from "./harvest.ts";
import { variableMeans } from "./sampling.ts";
import type { Sampling } from "./sampling.ts";
import type { ExtrapolationWatch, WatchResult } from "./watch.ts";

/** A value that stays, or goes from one to another. */
export type Span = number | readonly [from: number, to: number];

/** What a run of dynamics on the command line is told. */
export interface MdOptions {
  readonly structure: Structure;
  /** What the surface is computed in. */
  readonly precision?: Precision;
  /** SHA-256 of the model file: a run is continued on the same surface. */
  readonly model: string;
  readonly folder: string;
  readonly ensemble: string;
  /** K; or from one to another over the run. */
  readonly temperature: Span;
  /** ps. */
  readonly time: number;
  /** fs. */
  readonly timestep: number;
  /** 1/ps. */
  readonly friction: number;
  /** Time constants of thermostat and barostat, fs. */
  readonly period: number;
  readonly pressurePeriod: number;
  /** GPa; or from one to another over the run. */
  readonly pressure: Span;
  /** What of the cell moves, with a barostat. */
  readonly cell: CellMotion;
  readonly seed: number;
  /** Steps between frames; 0: no trajectory. */
  readonly every: number;
  /** Steps between lines of the table. */
  readonly thermo: number;
  /** Looks at every step for leaving the training data; the potential is then its graded one. */
  readonly watch?: ExtrapolationWatch;
  /** Biases, recorded variables, fixed bonds. */
  readonly sampling?: Sampling;
  /** Tells standard deviations of the frames that are written. */
  readonly certainty?: (structure: Structure) => Told;
  readonly restart?: boolean;
  readonly force?: boolean;
}

/** Mean and standard deviation. */
interface Spread {
  readonly mean: number;
  readonly deviation: number;
}

/** What a run came to. */
export interface MdResult {
  readonly atoms: number;
  readonly steps: number;
  readonly timestep: number;
  readonly picoseconds: number;
  readonly temperature: Spread;
  readonly potential: Spread;
  /** GPa and Å³, of a bulk. */
  readonly pressure?: Spread;
  readonly volume?: Spread;
  /** meV/atom/ps. */
  readonly drift: Line;
  /** Largest |invariant − its start|, meV/atom. */
  readonly wander: number;
  readonly rebuilds: number;
  /** Wall time of this call. */
  readonly seconds: number;
  /** Where it was watched: how far the run left the training data. */
  readonly extrapolation?: WatchResult;
  /** Means of recorded variables. */
  readonly variables?: Readonly<Record<string, Mean>>;
}

/** A text file that grows, and can be cut back to where a checkpoint saw it. */
class Log {
  readonly #file: number;
  length: number;

  constructor(path: string, length: number) {
    const there = existsSync(path) ? statSync(path).size : 0;
    if (length > there)
      throw invalid(path, `at least the ${length} bytes that the checkpoint knows of`, `${there} bytes`);
    this.#file = openSync(path, length ? "r+" : "w");
    if (length) ftruncateSync(this.#file, length);
    this.length = length;
  }

  write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    for (let done = 0; done < bytes.length;)
      done += writeSync(this.#file, bytes, done, bytes.length - done, this.length + done);
    this.length += bytes.length;
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** What the checkpoint holds beside the arrays. */
interface Meta {
  readonly settings: Readonly<Record<string, string>>;
  readonly scalars: { readonly step: number; readonly energy: number; readonly heat: number };
  readonly random: RandomState;
  readonly lengths: { readonly trajectory: number; readonly thermo: number; readonly variables?: number };
  readonly harvest?: HarvestMark;
}

const ARRAYS = ["positions", "velocities", "forces", "virial", "reference", "bath"] as const;
/** Where the structure is periodic, or metadynamics is at work. */
const OPTIONAL = ["cell", "referenceCell", "hills"] as const;

const hashOf = (data: Iterable<number>): string =>
  new Sha256().update(new Uint8Array(Float64Array.from(data).buffer)).digest();

/** Everything that must agree between a run and its continuation, in words; the length of the run may differ, unless something changes over it. */
const settingsOf = (options: MdOptions): Readonly<Record<string, string>> => {
  const { structure, ensemble, temperature, timestep, friction, seed, every, thermo, model } = options;
  const { precision = "f64", period, pressure: outer, pressurePeriod, cell } = options;
  const ramps = typeof temperature !== "number" || typeof outer !== "number";
  const baths = { temperature, friction, period, pressure: outer, pressurePeriod, "moving cell": cell };
  const counted = { ...baths, ensemble, timestep, seed, every, thermo, precision };
  return {
    model: model.slice(0, 16),
    atoms: `${formulaOf(structure.numbers)} ${hashOf(structure.numbers).slice(0, 16)}`,
    start: hashOf(structure.positions).slice(0, 16),
    cell: structure.cell ? structure.cell.join(" ") : "none",
    pbc: structure.pbc.join(" "),
    ...(ramps && { steps: String(stepsOf(options)) }),
    ...options.sampling?.settings,
    ...Object.fromEntries(Object.entries(counted).map(([k, v]) => [k, String(v)])),
  };
};

async function save(
  path: string,
  options: MdOptions,
  state: Motion,
  trajectory: Log,
  thermo: Log,
  variables: Log | undefined,
): Promise<void> {
  const meta: Meta = {
    settings: settingsOf(options),
    scalars: { step: state.step, energy: state.energy, heat: state.heat },
    random: state.random,
    lengths: {
      trajectory: trajectory.length,
      thermo: thermo.length,
      ...(variables && { variables: variables.length }),
    },
    ...(options.watch?.mark && { harvest: options.watch.mark }),
  };
  const optional = OPTIONAL.flatMap((name) => (state[name] ? [[name, state[name]] as const] : []));
  const arrays = Object.fromEntries([...ARRAYS.map((name) => [name, state[name]] as const), ...optional]);
  await writeWhole(path, packCheckpoint({ meta, arrays }));
}

async function load(
  path: string,
  options: MdOptions,
): Promise<{ readonly state: Motion; readonly meta: Meta }> {
  const { meta: stored, arrays } = unpackCheckpoint(await readWhole(path), path);
  const meta = stored as Meta;
  const now = settingsOf(options);
  const names = new Set([...Object.keys(now), ...Object.keys(meta.settings)]);
  const problems = [...names].flatMap((name) => {
    const [expected, found] = [now[name] ?? "nothing", meta.settings[name] ?? "nothing"];
    return found === expected ? [] : [{ place: `${path} ${name}`, expected, found }];
  });
  if (problems.length > 0) throw new InputError(problems);
  const { positions, velocities, forces, virial, reference, bath } = arrays;
  const { cell = null, referenceCell = null, hills } = arrays;
  const moving = { positions, velocities, forces, virial, reference, bath, cell, referenceCell };
  return { state: { ...meta.scalars, random: meta.random, ...moving, ...(hills && { hills }) }, meta };
}

const first = (span: Span): number => (typeof span === "number" ? span : span[0]);

/** A span over all steps of a run. */
const ramp = (span: Span, steps: number): Ramp =>
  typeof span === "number" ? span : { from: span[0], to: span[1], steps };

/** Steps of the whole run. */
const stepsOf = ({ time, timestep }: MdOptions): number => Math.round((1000 * time) / timestep);

function dynamics(potential: Potential, options: MdOptions): Dynamics {
  const { structure, timestep, seed, friction, period, pressurePeriod, cell, sampling } = options;
  const fixedBonds = sampling?.fixedBonds;
  const velocities = thermalVelocities(structure, first(options.temperature), { seed, fixedBonds });
  const steps = stepsOf(options);
  const make = (surface: Potential) =>
    ensembles[options.ensemble].make(structure, surface, {
      timestep,
      velocities,
      seed,
      friction: friction / 1000,
      period,
      pressurePeriod,
      cell,
      temperature: ramp(options.temperature, steps),
      pressure: ramp(options.pressure, steps),
      fixedBonds,
    });
  return sampling ? sampling.dynamics(potential, make) : make(potential);
}

const HEAD =
  "# step  time_ps  potential_eV  kinetic_eV  invariant_eV  temperature_K  pressure_GPa  volume_A3\n";

/** Dynamics with its files: trajectory.xyz, thermo.txt, checkpoint. Stops after a checkpoint when a signal asks. */
export async function runDynamics(
  potential: Potential,
  options: MdOptions,
  progress: Progress,
): Promise<MdResult> {
  const { folder, structure, timestep, every } = options;
  const path = (name: string) => join(folder, name);
  if (options.restart && !existsSync(path("checkpoint")))
    throw invalid(path("checkpoint"), "a checkpoint to restart from", "nothing there");
  const files = ["checkpoint", "trajectory.xyz", "thermo.txt", "extrapolation.xyz", "variables.txt"].map(
    path,
  );
  if (!options.restart) for (const file of files) refuseExisting(file, options.force);
  mkdirSync(folder, { recursive: true });
  const run = dynamics(potential, options);
  const found = options.restart ? await load(path("checkpoint"), options) : undefined;
  const state = found?.state ?? run.init();
  const { watch, sampling } = options;
  await watch?.open(found?.meta.harvest);
  // The checkpoint of an overwritten run must not pass for this one's.
  if (!found) for (const file of files) rmSync(file, { force: true });
  const trajectory = new Log(path("trajectory.xyz"), found?.meta.lengths.trajectory ?? 0);
  const thermo = new Log(path("thermo.txt"), found?.meta.lengths.thermo ?? 0);
  const variables = sampling && new Log(path("variables.txt"), found?.meta.lengths.variables ?? 0);
  const line = thermoLine(run, options);
  const write = () => {
    if (every && state.step % every === 0) {
      const frame = frameOf(structure, state, timestep);
      const told = options.certainty?.(structureOf(structure, state)) ?? null;
      trajectory.write(formatFrame(withDeviations(frame, told)));
    }
    if (state.step % Math.max(1, options.thermo) !== 0) return;
    thermo.write(line(state));
    variables?.write(sampling!.line(run, state, structure, timestep));
  };
  const leaves = () => watch?.after(structureOf(structure, state), state.step, timestep) ?? false;
  if (!found) {
    thermo.write(HEAD);
    variables?.write(sampling!.head);
    write();
  }
  const last = stepsOf(options);
  const began = performance.now();
  try {
    await advance(
      run,
      state,
      found || !leaves() ? last : 0,
      write,
      leaves,
      () => save(path("checkpoint"), options, state, trajectory, thermo, variables),
      progress,
      timestep,
    );
  } finally {
    progress.done();
    trajectory.close();
    thermo.close();
    variables?.close();
  }
  await watch?.close(folder);
  const seconds = (performance.now() - began) / 1000;
  return {
    ...summarise(path("thermo.txt"), structure, state.step, timestep),
    rebuilds: run.surface.rebuilds(),
    seconds,
    ...(watch && { extrapolation: watch.result }),
    ...(variables && { variables: variableMeans(path("variables.txt")) }),
  };
}

/** Steps to the end, or until one `leaves` the training data; gives way to the event loop for signals, saves every half minute and when it stops in order. */
async function advance(
  run: Dynamics,
  state: Motion,
  last: number,
  write: () => void,
  leaves: () => boolean,
  save: () => Promise<void>,
  progress: Progress,
  timestep: number,
): Promise<void> {
  const signals = watchSignals();
  const first = state.step;
  let [breath, saved, left] = [performance.now(), performance.now(), false];
  try {
    while (state.step < last && !left && !signals.asked()) {
      run.step(state);
      left = leaves();
      refuseFlight(state, timestep);
      write();
      const now = performance.now();
      if (now - breath < 50) continue;
      breath = now;
      const T = temperature(run.kinetic(state), 3 * run.masses.length);
      progress.update((state.step - first) / (last - first), `step ${state.step} of ${last}, ${show(T)} K`);
      // oxlint-disable-next-line no-await-in-loop -- signals are heard only between steps
      await (now - saved > 30_000 ? save() : new Promise((resolve) => setImmediate(resolve)));
      if (now - saved > 30_000) saved = now;
    }
  } finally {
    signals.forget();
  }
  await save();
  const signal = signals.asked();
  if (signal && state.step < last && !left)
    throw new Interrupted(
      signal,
      `surfit: stopped at step ${state.step}; go on with the same command and --restart`,
    );
}

/** No thermal atom moves as far as this in one step, Å. */
const FLIGHT = 0.5;

/** Stops a run whose atoms have fallen into a hole of the surface: what follows would mean nothing. */
function refuseFlight({ step, velocities }: Motion, timestep: number): void {
  const i = velocities.findIndex((v) => !(Math.abs(v) * timestep < FLIGHT));
  if (i < 0) return;
  const moved = Math.abs(velocities[i]) * timestep;
  throw new NumericalError(
    `step ${step}: atom ${Math.floor(i / 3) + 1} moves ${show(moved)} Å in one step: the potential has a hole where ` +
      "the run came to (fit more data there), or the time step is too long",
  );
}

function frameOf(structure: Structure, state: Motion, timestep: number): Frame {
  return {
    structure: structureOf(structure, state),
    energy: state.energy,
    forces: state.forces,
    info: { step: state.step, time_fs: state.step * timestep },
    arrays: { velocities: { kind: "real", width: 3, values: state.velocities } },
    place: `step ${state.step}`,
  };
}

/** The atoms where they are now, in the cell as it is now. */
const structureOf = (structure: Structure, { positions, cell }: Motion): Structure => ({
  ...structure,
  positions,
  cell,
});

function thermoLine(run: Dynamics, { structure, timestep, ensemble }: MdOptions): (state: Motion) => string {
  const whole = ensembles[ensemble].whole ? structure.positions.length : degreesOfFreedom(structure);
  const freedom = whole - (run.constraints?.count ?? 0);
  const bulk = structure.cell !== null && structure.pbc.every(Boolean);
  return (state) => {
    const K = run.kinetic(state);
    const V = bulk ? volume(state.cell!) : NaN;
    const numbers = [
      (state.step * timestep) / 1000,
      state.energy,
      K,
      run.invariant(state),
      temperature(K, freedom),
      bulk ? pressure(K, wholeVirial(run, state), V) : NaN,
      V,
    ];
    return `${state.step} ${numbers.map((x) => (Number.isNaN(x) ? "nan" : String(x))).join(" ")}\n`;
  };
}

/** The virial of the potential and of fixed bonds. */
function wholeVirial(
  { constraints }: Dynamics,
  { positions, velocities, forces, virial }: Motion,
): Float64Array {
  if (!constraints) return virial;
  const whole = virial.slice();
  constraints.virial(positions, constraints.tensions(positions, velocities, forces), whole);
  return whole;
}

function spread(values: readonly number[]): Spread {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return { mean, deviation: Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length) };
}

/** Rows of a thermo table: step, time (ps), potential, kinetic, invariant (eV), temperature (K), pressure (GPa), volume (Å³). */
export const readThermo = (path: string): number[][] =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line && !line.startsWith("#"))
    .map((line) => line.split(" ").map(Number));

/** Averages over the whole table, earlier parts of a restarted run included. */
export function summarise(path: string, structure: Structure, steps: number, timestep: number) {
  const rows = readThermo(path);
  const atoms = structure.numbers.length;
  const invariants = rows.map((r) => r[4]);
  return {
    atoms,
    steps,
    timestep,
    picoseconds: (steps * timestep) / 1000,
    temperature: spread(rows.map((r) => r[5])),
    potential: spread(rows.map((r) => r[2])),
    ...(Number.isFinite(rows[0][6]) && {
      pressure: spread(rows.map((r) => r[6])),
      volume: spread(rows.map((r) => r[7])),
    }),
    drift: drift(
      rows.map((r) => 1000 * r[1]),
      invariants,
      atoms,
    ),
    wander: (1000 * invariants.reduce((most, x) => Math.max(most, Math.abs(x - invariants[0])), 0)) / atoms,
  };
}
