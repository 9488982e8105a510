import { invalid } from "../../error.ts";
import { formatJson, parseJson } from "./json.ts";
import type { Json } from "./json.ts";

/** Arrays that ULM stores as bytes, 64-bit integers as numbers here. */
export interface UlmArray {
  readonly shape: readonly number[];
  readonly kind: "float64" | "int64";
  readonly values: ArrayLike<number>;
}

/** A value of an item: JSON, an array, or a record of these. */
export type UlmValue = Json | UlmArray | UlmRecord;
export interface UlmRecord {
  readonly [key: string]: UlmValue;
}

/** Whether a value is an array of bytes, and no JSON. */
export const isArray = (value: UlmValue | undefined): value is UlmArray =>
  typeof value === "object" && value !== null && "shape" in value && "values" in value;

const MAGIC = "- of Ulm";
const VERSION = 3;
/** Magic, tag, version, number of items, place of their offsets. */
const HEAD = 48;

/**
 * A ULM file of ASE, whole: the head, then of each item the arrays (on multiples of 8 bytes) and a JSON text that says
 * where they are, then the offsets of these texts; https://wiki.fysik.dtu.dk/ase/ase/io/ulm.html.
 */
export class UlmWriter {
  readonly #pieces: Uint8Array[] = [];
  readonly #offsets: number[] = [];
  #length = HEAD;

  /** Adds an item. */
  item(record: UlmRecord): void {
    const json = new TextEncoder().encode(formatJson(this.#described(record)));
    this.#offsets.push(this.#length);
    this.#push(int64([json.length]));
    this.#push(json);
    this.#align();
  }

  /** The bytes of the file. */
  *bytes(tag: string): Generator<Uint8Array, void, undefined> {
    const head = new Uint8Array(HEAD);
    head.set(new TextEncoder().encode(MAGIC + tag.padEnd(16)));
    head.set(int64([VERSION, this.#offsets.length, this.#length]), 24);
    yield head;
    yield* this.#pieces;
    yield int64(this.#offsets);
  }

  /** The record as JSON; its arrays go into the file. Names of arrays and records end with a dot. */
  #described(record: UlmRecord): Json {
    return Object.fromEntries(
      Object.entries(record).map(([key, value]): [string, Json] => {
        if (!isArray(value)) return [key, value as Json];
        const at = this.#length;
        this.#push(value.kind === "int64" ? int64(value.values) : float64(value.values));
        return [`${key}.`, { ndarray: [value.shape, value.kind, at] }];
      }),
    );
  }

  /** Nested records, such as a calculator's results. */
  record(record: UlmRecord): Json {
    return this.#described(record);
  }

  #push(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
    this.#length += bytes.length;
  }

  #align(): void {
    const rest = this.#length % 8;
    if (rest > 0) this.#push(new Uint8Array(8 - rest));
  }
}

function int64(values: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(8 * values.length);
  const view = new DataView(bytes.buffer);
  for (let k = 0; k < values.length; k++) view.setBigInt64(8 * k, BigInt(values[k]), true);
  return bytes;
}

function float64(values: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(8 * values.length);
  const view = new DataView(bytes.buffer);
  for (let k = 0; k < values.length; k++) view.setFloat64(8 * k, values[k], true);
  return bytes;
}

/** Items of a ULM file, arrays read; versions 1 to 3, either byte order. */
export function* readUlm(bytes: Uint8Array, file: string, tag: string): Generator<UlmRecord> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = (from: number, to: number) => new TextDecoder().decode(bytes.subarray(from, to));
  if (bytes.length < HEAD || !["- of Ulm", "AFFormat"].includes(text(0, 8)))
    throw invalid(file, `a ULM file ("${MAGIC}")`, `"${text(0, 8).replace(/[^ -~]/g, "?")}"`);
  if (text(8, 24).trim() !== tag) throw invalid(file, `a ULM file of ${tag}`, text(8, 24).trim());
  const integer = (at: number): number => {
    if (!(at >= 0 && at + 8 <= bytes.length))
      throw invalid(file, `a whole file (${at + 8} bytes at least)`, `${bytes.length} bytes`);
    return Number(view.getBigInt64(at, true));
  };
  if (!(integer(24) >= 1 && integer(24) <= VERSION))
    throw invalid(file, `ULM version 1 to ${VERSION}`, integer(24));
  const [count, table] = [integer(32), integer(40)];
  if (!(count >= 0 && table >= HEAD && table + 8 * count <= bytes.length))
    throw invalid(file, `the offsets of ${count} items at byte ${table}`, `${bytes.length} bytes`);
  for (let k = 0; k < count; k++) {
    const at = integer(table + 8 * k);
    const end = at + 8 + integer(at);
    const place = `${file}:frame ${k + 1}`;
    if (!(end <= bytes.length))
      throw invalid(place, `a whole item (to byte ${end})`, `${bytes.length} bytes`);
    yield itemOf(text(at + 8, end), view, place);
  }
}

function itemOf(text: string, view: DataView, place: string): UlmRecord {
  let json: Json;
  try {
    json = parseJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw invalid(place, "JSON", `"${text.slice(0, 60)}" (${error.message})`);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw invalid(place, "a record", text.slice(0, 60));
  const record = json as { readonly [key: string]: Json };
  return recordOf(record, view, record["_little_endian"] !== false, place);
}

function recordOf(
  json: { readonly [key: string]: Json },
  view: DataView,
  little: boolean,
  place: string,
): UlmRecord {
  return Object.fromEntries(
    Object.entries(json).map(([key, value]): [string, UlmValue] => {
      if (!key.endsWith(".") || typeof value !== "object" || value === null) return [key, value];
      const name = key.slice(0, -1);
      const own = value as { readonly [key: string]: Json };
      const stored = own["ndarray"];
      if (stored === undefined) return [name, recordOf(own, view, little, `${place} ${name}`)];
      return [name, arrayOf(stored, view, little, `${place} ${name}`)];
    }),
  );
}

type Get = (view: DataView, at: number, little: boolean) => number;
const READERS: Readonly<Record<string, readonly [bytes: number, get: Get]>> = {
  float64: [8, (v, at, little) => v.getFloat64(at, little)],
  float32: [4, (v, at, little) => v.getFloat32(at, little)],
  int64: [8, (v, at, little) => Number(v.getBigInt64(at, little))],
  int32: [4, (v, at, little) => v.getInt32(at, little)],
  int8: [1, (v, at) => v.getInt8(at)],
  uint8: [1, (v, at) => v.getUint8(at)],
  bool: [1, (v, at) => v.getUint8(at)],
};

function arrayOf(stored: Json, view: DataView, little: boolean, place: string): UlmArray {
  const [shape, dtype, at] = stored as readonly [readonly number[], string, number];
  const reader = READERS[dtype];
  if (!reader) throw invalid(place, `an array of ${Object.keys(READERS).join(", ")}`, dtype);
  const [size, get] = reader;
  const n = shape.reduce((a, b) => a * b, 1);
  if (!(at >= 0 && at + n * size <= view.byteLength))
    throw invalid(place, `${n} numbers at byte ${at}`, `a file of ${view.byteLength} bytes`);
  const values = new Float64Array(n);
  for (let k = 0; k < n; k++) values[k] = get(view, at + k * size, little);
  return { shape, kind: dtype.startsWith("float") ? "float64" : "int64", values };
}
