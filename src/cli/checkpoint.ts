import { closeSync, existsSync, ftruncateSync, openSync, statSync, writeSync } from "node:fs";
import { invalid } from "../error.ts";
import { packCheckpoint, unpackCheckpoint } from "../fit/checkpoint.ts";
import type { RandomState } from "../math/random.ts";
import type { Motion } from "../run/dynamics.ts";
import { formulaOf } from "../structure/elements.ts";
import { stepsOf } from "./dynamics-options.ts";
import type { MdOptions } from "./dynamics-options.ts";
import { readWhole, writeWhole } from "./files.ts";
import { hashOf, refuseOthers } from "./saved-state.ts";
import type { HarvestMark } from "./harvest.ts";

/** A text file that grows, and can be cut back to where a checkpoint saw it. */
export class Log {
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
/** Where the structure is periodic, metadynamics is at work, or the potential tells a dipole. */
const OPTIONAL = ["cell", "referenceCell", "hills", "dipole"] as const;

/** Everything that must agree between a run and its continuation, in words; the length of the run may differ, unless something changes over it. */
const settingsOf = (options: MdOptions): Readonly<Record<string, string>> => {
  const { structure, ensemble, temperature, timestep, friction, seed, every, thermo, model } = options;
  const { precision = "f64", period, pressure: outer, pressurePeriod, compressibility, cell } = options;
  const ramps = typeof temperature !== "number" || typeof outer !== "number";
  const baths = {
    temperature,
    friction,
    period,
    pressure: outer,
    pressurePeriod,
    compressibility: compressibility ?? "default",
    "moving cell": cell,
  };
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

/** Writes where a run is, with how long its files are then. */
export async function save(
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

/** Reads it back; another run's is an InputError that names what differs. */
export async function load(
  path: string,
  options: MdOptions,
): Promise<{ readonly state: Motion; readonly meta: Meta }> {
  const { meta: stored, arrays } = unpackCheckpoint(await readWhole(path), path);
  const meta = stored as Meta;
  refuseOthers(path, settingsOf(options), meta.settings);
  const { positions, velocities, forces, virial, reference, bath } = arrays;
  const { cell = null, referenceCell = null, hills, dipole } = arrays;
  const moving = { positions, velocities, forces, virial, reference, bath, cell, referenceCell };
  const optional = { ...(hills && { hills }), ...(dipole && { dipole }) };
  return { state: { ...meta.scalars, random: meta.random, ...moving, ...optional }, meta };
}
