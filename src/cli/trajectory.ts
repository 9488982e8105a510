import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { NumericalError, invalid } from "../error.ts";
import { formatFrame } from "../io/extxyz.ts";
import type { Potential } from "../potentials/potential.ts";
import type { Dynamics, Motion } from "../run/dynamics.ts";
import { ensembles } from "../run/ensembles.ts";
import { temperature } from "../run/observe.ts";
import type { Ramp } from "../run/schedule.ts";
import { thermalVelocities } from "../run/velocities.ts";
import type { Frame, Structure } from "../structure/structure.ts";
import { Log, load, save } from "./checkpoint.ts";
import { withDeviations } from "./deviations.ts";
import { stepsOf } from "./dynamics-options.ts";
import type { MdOptions, MdResult, Span } from "./dynamics-options.ts";
import { refuseExisting } from "./files.ts";
import type { Progress } from "./progress.ts";
import { variableMeans } from "./sampling.ts";
import { Interrupted, watchSignals } from "./signals.ts";
import { show } from "./table.ts";
import { HEAD, ensembleLine, summarise, thermoLine } from "./thermo.ts";

const first = (span: Span): number => (typeof span === "number" ? span : span[0]);

/** A span over all steps of a run. */
const ramp = (span: Span, steps: number): Ramp =>
  typeof span === "number" ? span : { from: span[0], to: span[1], steps };

function dynamics(potential: Potential, options: MdOptions): Dynamics {
  const { structure, timestep, seed, friction, period, pressurePeriod, compressibility, cell, sampling } =
    options;
  const fixed = sampling?.fixed;
  const steps = stepsOf(options);
  const make = (surface: Potential) =>
    ensembles[options.ensemble].make(structure, surface, {
      timestep,
      velocities: thermalVelocities(structure, first(options.temperature), {
        seed,
        external: surface.external,
        ...fixed,
      }),
      seed,
      friction: friction / 1000,
      period,
      pressurePeriod,
      compressibility,
      cell,
      temperature: ramp(options.temperature, steps),
      pressure: ramp(options.pressure, steps),
      ...fixed,
    });
  return sampling ? sampling.dynamics(potential, make) : make(potential);
}

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
  const run = dynamics(potential, options);
  mkdirSync(folder, { recursive: true });
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
    thermo.write(HEAD + ensembleLine(run, options));
    variables?.write(sampling!.head);
    write();
  }
  const last = stepsOf(options);
  const began = performance.now();
  const keep = () => save(path("checkpoint"), options, state, trajectory, thermo, variables);
  try {
    await advance(
      run,
      state,
      found || !leaves() ? last : 0,
      { write, leaves, save: keep },
      progress,
      options,
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

/** s between checkpoints, unless told. */
const CHECKPOINT = 30;

/** What is done between steps. */
interface Between {
  readonly write: () => void;
  /** Whether the run has left the training data. */
  readonly leaves: () => boolean;
  readonly save: () => Promise<void>;
}

/** Steps to the end, or until one `leaves` the training data; gives way to the event loop for signals, saves now and then and when it stops in order. */
async function advance(
  run: Dynamics,
  state: Motion,
  last: number,
  { write, leaves, save }: Between,
  progress: Progress,
  { timestep, checkpoint = CHECKPOINT, sampling }: Pick<MdOptions, "timestep" | "checkpoint" | "sampling">,
): Promise<void> {
  const signals = watchSignals();
  const first = state.step;
  const stopped = () => signals.asked() !== undefined;
  let [breath, saved, left] = [performance.now(), performance.now(), false];
  const share = sampling?.share;
  const isDue = () => share?.isDue(run, state) ?? false;
  try {
    while ((state.step < last || isDue()) && !left && !stopped()) {
      if (!isDue()) run.step(state);
      // oxlint-disable-next-line no-await-in-loop -- one step after another
      if (isDue() && !(await share!.settle(run, state, stopped))) break;
      left = leaves();
      refuseFlight(state, timestep);
      write();
      const now = performance.now();
      if (now - breath < 50) continue;
      breath = now;
      const T = temperature(run.kinetic(state), 3 * run.masses.length);
      progress.update((state.step - first) / (last - first), `step ${state.step} of ${last}, ${show(T)} K`);
      // oxlint-disable-next-line no-await-in-loop -- signals are heard only between steps
      await (now - saved > 1000 * checkpoint ? save() : new Promise((resolve) => setImmediate(resolve)));
      if (now - saved > 1000 * checkpoint) saved = now;
    }
  } finally {
    signals.forget();
  }
  await save();
  const signal = signals.asked();
  if (signal && (state.step < last || isDue()) && !left)
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
    info: {
      step: state.step,
      time_fs: state.step * timestep,
      // e Å, as ASE reads it.
      ...(state.dipole && { dipole: [...state.dipole] }),
    },
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
