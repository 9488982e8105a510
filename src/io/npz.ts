import { unzipSync } from "fflate";
import { invalid } from "../error.ts";
import { completeCell } from "../structure/cell.ts";
import { findNumber } from "../structure/elements.ts";
import type { AtomArray, Frame, InfoValue } from "../structure/structure.ts";
import type { ByteStream, Format } from "./format.ts";
import { parseNpy } from "./npy.ts";
import type { NpyArray } from "./npy.ts";
import { numberFrom } from "./number.ts";

/** NumPy archives of one molecule or cell in many geometries: rMD17, MD17, sGDML; or a folder of .npy files. */
export const npz: Format = {
  name: "npz",
  summary:
    "NumPy archive, or folder of .npy files, of many geometries (rMD17, sGDML); its units must be given",
  extensions: [".npz"],
  carries: ["cell", "pbc", "energy", "forces", "info", "arrays"],
  url: "https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html",
  statesUnits: false,
  read: readNpz,
};

// Names in order of preference: rMD17, sGDML, others.
const NUMBERS = ["nuclear_charges", "z", "Z", "atomic_numbers", "numbers", "elements", "symbols", "qm_elem"];
const POSITIONS = ["coords", "R", "positions", "coordinates", "pos", "coord", "qm_coord"];
const CELLS = ["lattice", "cell", "cells", "lattices"];
// sGDML states its units as text.
const UNITS: Readonly<Record<string, string>> = { e_unit: "energy_unit", r_unit: "length_unit" };

/** All arrays of an .npz archive by name. */
export function parseNpz(bytes: Uint8Array, file: string): Map<string, NpyArray> {
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(bytes);
  } catch (error) {
    throw invalid(file, "a whole .npz archive", `damaged data (${(error as Error).message})`);
  }
  return new Map(
    Object.entries(entries).map(([name, data]) =>
      name.endsWith(".txt")
        ? [name.slice(0, -4), parseWords(data)]
        : [name.replace(/\.npy$/, ""), parseNpy(data, `${file} ${name}`)],
    ),
  );
}

/** The words of a text, as numbers if all of them are. */
function parseWords(data: Uint8Array): NpyArray {
  const words = new TextDecoder().decode(data).split(/\s+/).filter(Boolean);
  const numbers = words.map(numberFrom);
  const numeric = numbers.every((x) => x !== undefined);
  return { shape: [words.length], values: numeric ? Float64Array.from(numbers) : words };
}

/** Frames of an .npz archive; every array with one entry per geometry goes to info or arrays under its own name. */
export async function* readNpz(bytes: ByteStream, file: string): AsyncGenerator<Frame, void, undefined> {
  const pieces: Uint8Array[] = [];
  for await (const piece of bytes) pieces.push(piece);
  const whole = new Uint8Array(pieces.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  yield* framesOf(parseNpz(whole, file), file);
}

function* framesOf(all: Map<string, NpyArray>, file: string): Generator<Frame, void, undefined> {
  const [positionKey, coords] = pick(all, POSITIONS, file, "positions");
  const [numberKey, charges] = pickNumbers(all, file);
  const [count, n, three] = coords.shape;
  if (coords.shape.length !== 3 || three !== 3)
    throw invalid(
      `${file} ${positionKey}`,
      "the shape [geometries, atoms, 3]",
      `[${coords.shape.join(", ")}]`,
    );
  const each = charges.shape.length === 2;
  if (charges.shape.at(-1) !== n || (each && charges.shape[0] !== count))
    throw invalid(
      `${file} ${numberKey}`,
      `the shape [${n}] or [${count}, ${n}]`,
      `[${charges.shape.join(", ")}]`,
    );
  const cellKey = CELLS.find((key) => all.has(key));
  const rest = [...all].filter(([key]) => key !== positionKey && key !== numberKey && key !== cellKey);
  for (let g = 0; g < count; g++) {
    const place = `${file}[${g}]`;
    const numbers = (charges.values as Float64Array).slice(each ? g * n : 0, each ? (g + 1) * n : n);
    // Molecules of different size are padded with zeros.
    const present = [...numbers.keys()].filter((i) => numbers[i] !== 0);
    const bad = present.find((i) => !(numbers[i] >= 1 && numbers[i] <= 118 && Number.isInteger(numbers[i])));
    if (bad !== undefined)
      throw invalid(`${place} ${numberKey}`, "atomic numbers from 1 to 118", numbers[bad]);
    const positions = select(coords, g, n, 3, present);
    if (!positions.every(Number.isFinite))
      throw invalid(`${place} ${positionKey}`, "finite coordinates", "others");
    const cell = cellKey === undefined ? null : cellOf(all.get(cellKey)!, g, count, `${place} ${cellKey}`);
    const periodic = cell !== null;
    yield {
      structure: {
        numbers: Uint8Array.from(present, (i) => numbers[i]),
        positions,
        cell,
        pbc: [periodic, periodic, periodic],
      },
      ...dataOf(rest, g, count, n, present),
      place,
    };
  }
}

function pick(
  all: Map<string, NpyArray>,
  names: readonly string[],
  file: string,
  what: string,
): [string, NpyArray] {
  const key = names.find((name) => all.has(name));
  const found = key === undefined ? undefined : all.get(key);
  if (key !== undefined && found && found.values instanceof Float64Array) return [key, found];
  const list = [...all].map(([name, a]) => `${name} [${a.shape.join(", ")}]`).join("; ");
  throw invalid(file, `${what} under one of ${names.join(", ")}`, list || "an empty archive");
}

/** Atomic numbers, also where they are given as symbols. */
function pickNumbers(all: Map<string, NpyArray>, file: string): [string, NpyArray] {
  const key = NUMBERS.find((name) => all.has(name));
  const found = key === undefined ? undefined : all.get(key)!;
  if (key === undefined || !found || found.values instanceof Float64Array)
    return pick(all, NUMBERS, file, "atomic numbers");
  const numbers = found.values.map((symbol) => findNumber(symbol));
  const strange = numbers.indexOf(undefined);
  if (strange >= 0) throw invalid(`${file} ${key}`, "chemical symbols", found.values[strange]);
  return [key, { shape: found.shape, values: Float64Array.from(numbers, (z) => z!) }];
}

/** Rows of geometry g, width numbers per atom, padding left out. */
function select(
  array: NpyArray,
  g: number,
  n: number,
  width: number,
  present: readonly number[],
): Float64Array {
  const values = array.values as Float64Array;
  const out = new Float64Array(present.length * width);
  present.forEach((i, row) =>
    out.set(values.subarray((g * n + i) * width, (g * n + i + 1) * width), row * width),
  );
  return out;
}

function cellOf({ shape, values }: NpyArray, g: number, count: number, place: string): Float64Array {
  const one = shape.length === 2 && shape[0] === 3 && shape[1] === 3;
  const many = shape.length === 3 && shape[0] === count && shape[1] === 3 && shape[2] === 3;
  if ((!one && !many) || !(values instanceof Float64Array))
    throw invalid(place, `the shape [3, 3] or [${count}, 3, 3]`, `[${shape.join(", ")}]`);
  const cell = values.slice(one ? 0 : 9 * g, one ? 9 : 9 * g + 9);
  completeCell(cell, [true, true, true]); // throws when the vectors do not span a volume
  return cell;
}

/** What the other arrays say about geometry g. */
function dataOf(
  rest: readonly [string, NpyArray][],
  g: number,
  count: number,
  n: number,
  present: readonly number[],
): { info: Record<string, InfoValue>; arrays: Record<string, AtomArray> } {
  const info: [string, InfoValue][] = [];
  const arrays: [string, AtomArray][] = [];
  for (const [key, array] of rest) {
    const { shape, values } = array;
    const numeric = values instanceof Float64Array;
    if (numeric && shape.length === 3 && shape[0] === count && shape[1] === n)
      arrays.push([key, { kind: "real", width: shape[2], values: select(array, g, n, shape[2], present) }]);
    else if (shape.length <= 1 && values.length === 1) info.push([UNITS[key] ?? key, values[0]]);
    else if (shape[0] === count) {
      const size = values.length / count;
      const own = Array.from<InfoValue>(values.slice(g * size, (g + 1) * size));
      info.push([key, size === 1 ? own[0] : own]);
    } else info.push([key, [...values] as InfoValue[]]);
  }
  return { info: Object.fromEntries(info), arrays: Object.fromEntries(arrays) };
}
