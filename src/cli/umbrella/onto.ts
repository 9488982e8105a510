import { existsSync } from "node:fs";
import { join } from "node:path";
import { invalid } from "../../error.ts";
import type { Variable } from "../../potentials/bias/variable.ts";
import { perturb } from "../../run/free-energy/perturbation.ts";
import type { Compared, Perturbed } from "../../run/free-energy/perturbation.ts";
import type { Frame } from "../../structure/structure.ts";
import { kB } from "../../structure/units.ts";
import { evaluateOnce } from "../engine.ts";
import type { Engine } from "../engine.ts";
import { runJobs } from "../jobs.ts";
import type { Progress } from "../progress.ts";
import { readAllLabelled, readStructures } from "../structures.ts";
import { show } from "../table.ts";
import type { Sampled } from "./sampled.ts";
import { windowFolder } from "./windows.ts";
import type { WindowFlags } from "./windows.ts";

/** A profile on another surface, and how far that one is from the sampled one on the frames. */
export interface Onto {
  readonly name: string;
  readonly perturbed: Perturbed;
  readonly frames: number;
  /** Root mean square of the differences of force components, eV/Å. */
  readonly forces: number;
}

const trajectory = (folder: string, k: number): string => join(windowFolder(folder, k), "trajectory.xyz");
/** Each surface has a file of its own: what one said must not pass for what another says. */
const labelled = (folder: string, k: number, name: string): string =>
  join(windowFolder(folder, k), `onto-${name.replaceAll(/[^\w.-]+/g, "-")}.xyz`);

/** Whether the surface has said all of a window's frames; a run that goes on adds some. */
async function isLabelled(folder: string, k: number, name: string): Promise<boolean> {
  const file = labelled(folder, k, name);
  if (!existsSync(file)) return false;
  const [all, done] = await Promise.all([trajectory(folder, k), file].map((f) => readStructures([f], {})));
  return done.length === all.length;
}

/** Evaluates the frames of all windows on another surface, so many windows at once; those that are there stay. */
export async function labelWindows(
  name: string,
  count: number,
  folder: string,
  { jobs, restart }: Pick<WindowFlags, "jobs" | "restart">,
  progress: Progress,
): Promise<void> {
  const missing: number[] = [];
  for (let k = 0; k < count; k++)
    // oxlint-disable-next-line no-await-in-loop -- one window after another keeps memory small
    if (!restart || !(await isLabelled(folder, k, name))) missing.push(k);
  const all = missing.map((k) => ({
    name: `${name} on the frames of window ${k + 1}`,
    words: ["predict", name, trajectory(folder, k), "-o", labelled(folder, k, name), "--force"],
  }));
  await runJobs(all, jobs, `windows by ${name}`, (done, said) => progress.update(done, said));
}

/** What the surface said of a frame; under REF_energy stands what moved the run, umbrella and all. */
const SAID = { keys: { energy: "energy", forces: "forces", gradient: null } };

/** The profile on the surface that the frames were evaluated on. */
export async function readOnto(
  name: string,
  { potential }: Engine,
  variable: Variable,
  { found, windows }: Sampled,
  folder: string,
  { equilibration, temperature }: Pick<WindowFlags, "equilibration" | "temperature">,
): Promise<Onto> {
  let [squares, components] = [0, 0];
  const compared: Compared[] = [];
  for (const k of windows.keys()) {
    // oxlint-disable-next-line no-await-in-loop -- one window after another keeps memory small
    const all = await readAllLabelled([labelled(folder, k, name)], SAID);
    const frames = all.frames.filter(({ info }) => Number(info["time_fs"]) >= 1000 * equilibration);
    const own = frames.map(({ structure, place }) => evaluateOnce(potential, structure, place));
    frames.forEach(({ forces }, n) => {
      forces!.forEach((f, i) => (squares += (f - own[n].forces[i]) ** 2));
      components += forces!.length;
    });
    compared.push({
      samples: Float64Array.from(frames, ({ structure }) => variable.evaluate(structure)),
      differences: Float64Array.from(frames, (frame, n) => energyOf(frame) - own[n].energy),
    });
  }
  const frames = compared.reduce((sum, { samples }) => sum + samples.length, 0);
  if (frames === 0) throw invalid("--onto", "frames of the windows: --every above 0", "none");
  const perturbed = perturb(found, windows, compared, kB * temperature);
  return { name, perturbed, frames, forces: Math.sqrt(squares / components) };
}

function energyOf({ energy, place }: Frame): number {
  if (energy === undefined) throw invalid(place, "an energy", "none");
  return energy;
}

/** What it came to, in words. */
export function describeOnto({ name, perturbed, frames, forces }: Onto, centres: Float64Array): string {
  const { energies, errors, spread, efficiency } = perturbed;
  const top = energies.reduce((best, F, b) => (F > (energies[best] || 0) ? b : best), 0);
  return (
    `on ${name}, by perturbation of ${frames} frames: lowest at ${show(centres[energies.indexOf(0)], 4)}, highest ` +
    `${show(energies[top], 4)} ± ${show(errors[top])} eV at ${show(centres[top], 4)}; the energies' differences spread by ` +
    `${show(1000 * spread)} meV, which leaves ${show(100 * efficiency)} % of the frames' weight; forces differ by ` +
    `${show(1000 * forces)} meV/Å (root mean square)`
  );
}
