import { invalid } from "../../error.ts";
import { massOf } from "../../structure/elements.ts";
import type { AtomArray, Frame, InfoValue } from "../../structure/structure.ts";
import { AMU_A2_FS2 } from "../../structure/units.ts";
import type { ByteStream, Format } from "../format.ts";
import { gunzip } from "../gzip.ts";
import { formatJson } from "./json.ts";
import type { Json } from "./json.ts";
import { isArray, readUlm, UlmWriter } from "./ulm.ts";
import type { UlmArray, UlmRecord, UlmValue } from "./ulm.ts";
import { VOIGT } from "../../math/symmetric.ts";

const TAG = "ASE-Trajectory";

/** Trajectories of ASE, binary: structures with momenta, charges and the results of a calculator. */
export const traj: Format = {
  name: "traj",
  summary: "trajectory of ASE, binary: energies, forces, stresses, velocities; held in memory whole",
  extensions: [".traj"],
  carries: ["cell", "pbc", "energy", "forces", "stress", "config_type", "info"],
  keeps: ["initial_charges", "initial_magmoms", "masses", "tags", "velocities"],
  fits: ({ info }) => Object.keys(info).every((key) => !reserved(key)),
  url: "https://wiki.fysik.dtu.dk/ase/ase/io/trajectory.html",
  statesUnits: true,
  read: readTraj,
  write: writeTraj,
};

/** Results of a calculator that hold for the whole, and those with a row for each atom. */
const TOTALS = ["energy", "free_energy", "stress", "dipole", "magmom"];
/** Keys that mean something else in the file. */
const reserved = (key: string): boolean => key.endsWith(".") || TOTALS.includes(key) || key === "constraints";

/** √(amu Å²/eV) in fs: ASE's unit of time; its momenta are amu·Å over it. */
const TIME = Math.sqrt(AMU_A2_FS2);

/** Frames of a trajectory: `velocities` in Å/fs, results under ASE's names, constraints as the JSON text that ASE has for them. */
async function* readTraj(bytes: ByteStream, file: string): AsyncGenerator<Frame, void, undefined> {
  const pieces: Uint8Array[] = [];
  for await (const piece of gunzip(bytes, file)) pieces.push(piece);
  const whole = new Uint8Array(pieces.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  let first: UlmRecord | null = null;
  let k = 0;
  for (const item of readUlm(whole, file, TAG)) {
    // Old files have what does not change in the first item alone.
    first ??= item;
    yield frameOf({ numbers: first.numbers, pbc: first.pbc, ...item }, `${file}:frame ${++k}`);
  }
}

function frameOf(item: UlmRecord, place: string): Frame {
  const numbers = numbersIn(item.numbers, `${place} numbers`);
  const n = numbers.length;
  const positions = numbersIn(item.positions, `${place} positions`);
  if (positions.length !== 3 * n) throw invalid(`${place} positions`, `${n} × 3 numbers`, positions.length);
  const box =
    item.cell === undefined ? new Float64Array(9) : cellOf(numbersIn(item.cell, `${place} cell`), place);
  const flags = item.pbc === undefined ? [false] : numbersIn(item.pbc, `${place} pbc`);
  const [a, b, c] = [0, 1, 2].map((k) => Boolean(flags[flags.length === 1 ? 0 : k]));
  const arrays: Record<string, AtomArray> = {};
  const info = infoOf(item, place);
  for (const [name, value] of Object.entries(item)) {
    if (!isArray(value) || ["numbers", "positions", "cell", "pbc"].includes(name) || value.shape[0] !== n)
      continue;
    if (name === "momenta") arrays["velocities"] = velocitiesOf(value, item.masses, numbers);
    else arrays[name === "charges" || name === "magmoms" ? `initial_${name}` : name] = arrayOf(value);
  }
  const calculator = item.calculator as UlmRecord | undefined;
  for (const [name, value] of Object.entries(calculator ?? {})) {
    if (isArray(value) && value.shape[0] === n && !TOTALS.includes(name)) arrays[name] = arrayOf(value);
    else if (!["name", "parameters"].includes(name)) {
      if (info[name] !== undefined) info[`${name}_info`] = info[name];
      info[name] = isArray(value) ? rowsOf(value) : plain(value as Json);
    }
  }
  return {
    structure: {
      numbers: Uint8Array.from(numbers),
      positions,
      cell: box.some((x) => x !== 0) ? box : null,
      pbc: [a, b, c],
    },
    info,
    arrays,
    place,
  };
}

function numbersIn(value: UlmValue | undefined, place: string): Float64Array {
  if (isArray(value)) return Float64Array.from(value.values);
  const flat = [value as Json].flat(3);
  if (value === undefined || !flat.every((x) => typeof x === "number" || typeof x === "boolean"))
    throw invalid(place, "numbers", value === undefined ? "none" : formatJson(value as Json).slice(0, 60));
  return Float64Array.from(flat, Number);
}

/** Three lattice vectors; old files have three lengths. */
function cellOf(numbers: Float64Array, place: string): Float64Array {
  if (numbers.length === 9) return numbers;
  if (numbers.length !== 3) throw invalid(`${place} cell`, "nine numbers, or three", numbers.length);
  return Float64Array.of(numbers[0], 0, 0, 0, numbers[1], 0, 0, 0, numbers[2]);
}

const arrayOf = ({ shape, kind, values }: UlmArray): AtomArray => {
  const width = shape.slice(1).reduce((a, b) => a * b, 1);
  return kind === "int64"
    ? { kind: "integer", width, values: Int32Array.from(values) }
    : { kind: "real", width, values: Float64Array.from(values) };
};

function velocitiesOf(momenta: UlmArray, masses: UlmValue | undefined, numbers: Float64Array): AtomArray {
  const m = isArray(masses) ? Float64Array.from(masses.values) : numbers.map(massOf);
  const values = Float64Array.from(momenta.values, (p, k) => p / m[Math.floor(k / 3)] / TIME);
  return { kind: "real", width: 3, values };
}

function rowsOf({ shape, values }: UlmArray): InfoValue {
  const flat = Array.from(values);
  if (shape.length !== 2) return flat;
  return Array.from({ length: shape[0] }, (_, i) => flat.slice(i * shape[1], (i + 1) * shape[1]));
}

function infoOf(item: UlmRecord, place: string): Record<string, InfoValue> {
  const own = item.info ?? {};
  if (typeof own !== "object" || Array.isArray(own)) throw invalid(`${place} info`, "a record", String(own));
  const info = Object.fromEntries(Object.entries(own as Record<string, Json>).map(([k, v]) => [k, plain(v)]));
  if (typeof item.constraints === "string") info["constraints"] = item.constraints;
  return info;
}

/** JSON as a value of a frame: NumPy's arrays as lists, records and null as text. */
function plain(value: Json): InfoValue {
  if (Array.isArray(value)) return (value as Json[]).map(plain);
  if (value === null || typeof value !== "object") return value ?? "None";
  const { __ndarray__: stored } = value as { readonly [key: string]: Json };
  if (!Array.isArray(stored)) return formatJson(value);
  const [shape, , values] = stored as unknown as readonly [readonly number[], string, readonly number[]];
  return rowsOf({ shape, kind: "float64", values });
}

const real = (values: ArrayLike<number>, ...shape: number[]): UlmArray => ({
  shape,
  kind: "float64",
  values,
});

/** A trajectory that ASE reads; what a frame has beside structure, labels, velocities, charges, tags and info has no place in it. */
async function* writeTraj(
  frames: AsyncIterable<Frame> | Iterable<Frame>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const writer = new UlmWriter();
  let first = true;
  for await (const frame of frames) {
    writer.item(itemOf(frame, writer, first));
    first = false;
  }
  if (!first) yield* writer.bytes(TAG);
}

/** Per-atom arrays that ASE stores, by our names. */
const STORED: Readonly<Record<string, string>> = {
  initial_charges: "charges",
  initial_magmoms: "magmoms",
  masses: "masses",
  tags: "tags",
};

function itemOf(frame: Frame, writer: UlmWriter, first: boolean): UlmRecord {
  const { structure, energy, forces, stress, configType, info, arrays, place } = frame;
  const { numbers, positions, cell, pbc } = structure;
  const n = numbers.length;
  const strange = Object.keys(info).find((key) => key.endsWith("."));
  if (strange !== undefined)
    throw invalid(`${place} info`, "keys that do not end with a dot", `"${strange}"`);
  const rows = cell ?? new Float64Array(9);
  const item: Record<string, UlmValue> = {
    ...(first && { version: 1 }),
    pbc: [...pbc],
    numbers: { shape: [n], kind: "int64", values: numbers },
    positions: real(positions, n, 3),
    cell: [0, 1, 2].map((k) => [...rows.subarray(3 * k, 3 * k + 3)]),
  };
  if (typeof info["constraints"] === "string") item["constraints"] = info["constraints"];
  for (const [name, stored] of Object.entries(STORED)) {
    const array = arrays[name];
    if (!array || array.width !== 1 || array.kind === "string") continue;
    const values = array.values as Float64Array;
    item[stored] = { shape: [n], kind: name === "tags" ? "int64" : "float64", values };
  }
  const { velocities } = arrays;
  if (velocities?.kind === "real" && velocities.width === 3)
    item["momenta"] = real(momentaOf(velocities.values as Float64Array, arrays["masses"], numbers), n, 3);
  const results: Record<string, UlmValue> = {
    ...(energy !== undefined && { energy }),
    ...(forces && { forces: real(forces, n, 3) }),
    ...(stress && { stress: VOIGT.map((k) => stress[k]) }),
  };
  for (const name of TOTALS) if (info[name] !== undefined) results[name] ??= info[name];
  if (Object.keys(results).length > 0)
    item["calculator."] = writer.record({ name: "unknown", parameters: {}, ...results });
  const rest = Object.entries(info).filter(([key]) => !TOTALS.includes(key) && key !== "constraints");
  if (configType !== undefined) rest.push(["config_type", configType]);
  if (rest.length > 0) item["info"] = Object.fromEntries(rest);
  return item;
}

function momentaOf(v: Float64Array, masses: AtomArray | undefined, numbers: Uint8Array): Float64Array {
  const own = masses?.kind === "real" && masses.width === 1 ? (masses.values as Float64Array) : undefined;
  return v.map((x, k) => {
    const i = Math.floor(k / 3);
    return x * (own?.[i] ?? massOf(numbers[i])) * TIME;
  });
}
