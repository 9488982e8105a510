import { createHash } from "node:crypto";
import { createDevice } from "../device/device.ts";
import type { Device, Precision } from "../device/device.ts";
import { InputError, NumericalError, invalid } from "../error.ts";
import { readModel } from "../io/model.ts";
import { buildPotential } from "../potentials/build.ts";
import type { Model } from "../potentials/potential.ts";
import type { Potential } from "../potentials/potential.ts";
import { sum } from "../potentials/sum.ts";
import type { Sum } from "../potentials/sum.ts";
import { openProgram, programOf } from "../outside/programs.node.ts";
import { volume } from "../structure/cell.ts";
import { symbolOf } from "../structure/elements.ts";
import { findNeighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";
import { readWhole } from "./files.ts";
import { isPotentialFile, readPotential } from "./potential-file.ts";

/** A model read from its file and made ready on this thread. */
export interface Engine {
  readonly model: Model;
  /** SHA-256 of the file. */
  readonly hash: string;
  readonly potential: Sum;
  readonly device: Device;
  /** An outside program gives the forces: there is no model to hand to other threads. */
  readonly program: boolean;
}

/** SHA-256: Node's own, for model files may be large. */
/** SHA-256 in hexadecimal digits. */
export const hashOf = (content: Uint8Array | string): string =>
  createHash("sha256").update(content).digest("hex");

/** The engine of an outside program. */
function programEngine(place: string, precision: Precision): Engine {
  return {
    model: { elements: [], terms: [], provenance: { program: place } },
    hash: hashOf(place),
    potential: sum(openProgram(place)),
    device: createDevice({ precision }),
    program: true,
  };
}

/** Bytes of a model file from which on its device has more memory than usual. */
const LARGE = 2 ** 27;

/** A device for a model whose file has so many bytes: what it holds is copied to where kernels see it. */
export const deviceFor = (bytes: number, precision: Precision = "f64"): Device =>
  createDevice({
    precision,
    ...(bytes > LARGE && { bytes: Math.min(2 ** 30 + bytes, 2 ** 32 - 2 ** 16) }),
  });

/** Starts the outside program that is named, reads a model file, or a YAML file of known potentials, and builds its potential. */
export async function openModel(path: string, precision: Precision = "f64"): Promise<Engine> {
  if (programOf(path)) return programEngine(path, precision);
  const bytes = await readWhole(path);
  const model = isPotentialFile(path)
    ? readPotential(new TextDecoder().decode(bytes), path)
    : readModel(bytes, path);
  sayBaseline(model, path);
  const hash = hashOf(bytes);
  const device = deviceFor(bytes.length, precision);
  return { model, hash, device, potential: buildPotential(model, device), program: false };
}

/** Warns of a model whose energies are differences to another method's, which alone are no surface to move on. */
function sayBaseline({ provenance }: Model, path: string): void {
  const { baseline } = provenance;
  if (typeof baseline !== "object" || baseline === null) return;
  const less = Object.entries(baseline).filter(([, key]) => key !== null);
  const text = less.map(([label, key]) => `${label} less ${String(key)}`).join(", ");
  process.stderr.write(`note: ${path} gives differences to other labels: ${text}\n`);
}

/** Energy, forces and stress of one structure. */
export interface Answer {
  /** eV. */
  readonly energy: number;
  /** [n, 3], eV/Å. */
  readonly forces: Float64Array;
  /** [3, 3], eV/Å³; only where all three directions are periodic. */
  readonly stress?: Float64Array;
  /** [3], e Å; only of a potential that tells one. */
  readonly dipole?: Float64Array;
}

/** Evaluates a potential once; `place` names the structure in errors. */
export function evaluateOnce(potential: Potential, structure: Structure, place: string): Answer {
  refuseStrangers(potential, structure, place);
  const n = structure.numbers.length;
  const dipole = potential.dipole ? new Float64Array(3) : undefined;
  const plain = { energy: 0, forces: new Float64Array(3 * n), virial: new Float64Array(9) };
  const out = dipole ? { ...plain, dipole } : plain;
  placing(place, () => potential.evaluate(structure, findNeighbours(structure, potential.cutoff), out));
  if (!Number.isFinite(out.energy) || !out.forces.every(Number.isFinite))
    throw new NumericalError(`${place}: the energy or a force is not finite`);
  const { cell, pbc } = structure;
  const V = cell && pbc.every(Boolean) ? volume(cell) : 0;
  return {
    energy: out.energy,
    forces: out.forces,
    ...(V > 0 && { stress: out.virial.map((w) => -w / V) }),
    ...(dipole && potential.dipole && { dipole }),
  };
}

/** Does something with a structure; what is said against "structure" is said against its place. */
export function placing<T>(place: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(error.problems.map((p) => (p.place === "structure" ? { ...p, place } : p)));
  }
}

/** An error that names the elements a model does not know. */
export function refuseStrangers(potential: Potential, structure: Structure, place: string): void {
  const { elements } = potential;
  if (!elements) return;
  const strange = [...new Set(structure.numbers)].filter((z) => !elements.includes(z)).map(symbolOf);
  if (strange.length)
    throw invalid(
      place,
      `the elements of the model (${elements.map(symbolOf).join(", ")})`,
      strange.join(", "),
    );
}

/** What the terms that see no surroundings (the isolated atoms) say of a structure, eV: the zero of energies in tables. */
export function baselineOf({ potential }: Engine, structure: Structure): number {
  const n = structure.numbers.length;
  const none = {
    cutoff: 0,
    offsets: new Int32Array(n + 1),
    index: new Int32Array(0),
    shift: new Int32Array(0),
  };
  const out = { energy: 0, forces: new Float64Array(3 * n), virial: new Float64Array(9) };
  for (const { potential: part } of potential.parts)
    if (part.cutoff === 0) part.evaluate(structure, none, out);
  return out.energy;
}
