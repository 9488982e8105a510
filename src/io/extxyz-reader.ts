import { InputError } from "../error.ts";
import { completeCell } from "../structure/cell.ts";
import { findNumber } from "../structure/elements.ts";
import type { AtomArray, Frame, InfoValue, Structure } from "../structure/structure.ts";
import { CommentError, parseComment } from "./comment.ts";
import { Problems } from "./format.ts";
import { Words } from "./number.ts";

type Kind = AtomArray["kind"];

/** One property: `width` columns of one kind, and where the values go. */
interface Column {
  readonly name: string;
  readonly kind: Kind;
  readonly width: number;
  readonly role: ReturnType<typeof roleOf>;
  readonly values: Float64Array | Int32Array | Uint8Array | string[];
}

/** A frame being read. */
interface Draft {
  readonly atoms: number;
  /** Line of the atom count, 1-based. */
  readonly line: number;
  /** Comment and atom lines read so far. */
  lines: number;
  /** The comment line could not be read. */
  broken: boolean;
  info: Record<string, InfoValue>;
  columns: Column[];
  cell: Float64Array | null;
  pbc: Structure["pbc"];
}

const KINDS: Readonly<Record<string, Kind>> = { R: "real", I: "integer", L: "logical", S: "string" };
const SPECIES = new Set(["species", "symbols", "symbol", "element", "elements"]);
const NUMBERS = new Set(["Z", "numbers", "atomic_numbers"]);
const POSITIONS = new Set(["pos", "positions", "position"]);

// Atomic numbers by the one or two bytes of a symbol, any case, as ASE reads them.
const BY_BYTES = new Uint8Array(65536);
for (let a = 65; a <= 90; a++) {
  const one = findNumber(String.fromCharCode(a));
  if (one) BY_BYTES[a] = BY_BYTES[a + 32] = one;
  for (let b = 97; b <= 122; b++) {
    const two = findNumber(String.fromCharCode(a, b));
    if (two) for (const x of [a, a + 32]) for (const y of [b, b - 32]) BY_BYTES[x * 256 + y] = two;
  }
}

/** Extended XYZ, read from pieces of bytes of any size; holds one frame and one unfinished line at a time. */
export class ExtxyzReader {
  readonly #file: string;
  readonly #problems = new Problems();
  readonly #words = new Words();
  readonly #decoder = new TextDecoder();
  #tail = new Uint8Array(0);
  #line = 0;
  #draft: Draft | null = null;
  #lastFrame = "";

  constructor(file: string) {
    this.#file = file;
  }

  /** Frames that these bytes complete. */
  push(bytes: Uint8Array): Frame[] {
    let buffer = bytes;
    if (this.#tail.length > 0) {
      buffer = new Uint8Array(this.#tail.length + bytes.length);
      buffer.set(this.#tail);
      buffer.set(bytes, this.#tail.length);
    }
    const frames: Frame[] = [];
    let start = 0;
    for (;;) {
      const end = buffer.indexOf(10, start);
      if (end < 0) break;
      this.#take(buffer, start, end, frames);
      start = end + 1;
    }
    this.#tail = buffer.slice(start);
    return frames;
  }

  /** The frame that ends without a line end, if any; throws everything that was wrong. */
  end(): Frame[] {
    const frames: Frame[] = [];
    if (this.#tail.length > 0) this.#take(this.#tail, 0, this.#tail.length, frames);
    const draft = this.#draft;
    if (draft) {
      const found =
        draft.lines === 0 ? "the end of the file" : `the end of the file after ${draft.lines - 1}`;
      this.#problem(draft.line, `a comment line and ${draft.atoms} atom lines`, found);
    }
    this.#problems.raise();
    return frames;
  }

  /** One line; a finished frame goes to `frames` unless something was wrong before. */
  #take(buffer: Uint8Array, start: number, end: number, frames: Frame[]): void {
    this.#line++;
    if (end > start && buffer[end - 1] === 13) end--;
    if (this.#line === 1 && buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf) start += 3;
    const draft = this.#draft;
    if (!draft) this.#begin(buffer, start, end);
    else if (draft.lines === 0) {
      draft.lines = 1;
      this.#header(draft, buffer, start, end);
    } else this.#atom(draft, buffer, start, end);
    const open = this.#draft;
    if (open && open.lines === open.atoms + 1) {
      this.#draft = null;
      this.#finish(open, frames);
    }
  }

  #problem(line: number, expected: string, found: string): void {
    this.#problems.add(`${this.#file}:${line}`, expected, found);
  }

  /** The line with the number of atoms; empty lines between frames are allowed. */
  #begin(buffer: Uint8Array, start: number, end: number): void {
    const text = this.#decoder.decode(buffer.subarray(start, Math.min(end, start + 200))).trim();
    if (text === "") return;
    if (!/^\d+$/.test(text)) {
      this.#problem(this.#line, `the number of atoms of a frame${this.#lastFrame}`, `"${text.slice(0, 60)}"`);
      // Where the next frame starts is anyone's guess from here.
      this.#problems.raise();
    }
    const atoms = Number(text);
    if (atoms > 100_000_000) {
      this.#problem(this.#line, "at most 100 million atoms", text);
      this.#problems.raise();
    }
    this.#draft = {
      atoms,
      line: this.#line,
      lines: 0,
      broken: false,
      info: {},
      columns: [],
      cell: null,
      pbc: [false, false, false],
    };
  }

  #header(draft: Draft, buffer: Uint8Array, start: number, end: number): void {
    try {
      const info = parseComment(this.#decoder.decode(buffer.subarray(start, end)));
      const { Properties: properties = null, ...rest } = takeCell(info, draft);
      draft.info = rest;
      draft.columns = properties === null ? [] : parseProperties(properties, draft.atoms);
    } catch (error) {
      if (!(error instanceof CommentError)) throw error;
      this.#problem(this.#line, error.expected, error.found);
      // What the atom lines mean is not known: they are counted, not read.
      draft.broken = true;
    }
  }

  #atom(draft: Draft, buffer: Uint8Array, start: number, end: number): void {
    const words = this.#words;
    const i = draft.lines - 1;
    draft.lines++;
    if (draft.broken) return;
    if (draft.columns.length === 0) {
      words.set(buffer, start, end);
      let count = 0;
      for (; words.more(); words.skip()) count++;
      draft.columns = plainColumns(draft.atoms, count);
    }
    words.set(buffer, start, end);
    for (const column of draft.columns)
      for (let k = 0; k < column.width; k++) {
        if (!words.more()) return this.#short(draft, buffer, start, end);
        if (!this.#store(column, i, k)) return;
      }
    if (!words.more()) return;
    const width = draft.columns.reduce((sum, c) => sum + c.width, 0);
    this.#problem(this.#line, `${width} columns`, `more: "${words.text().slice(0, 30)}"`);
  }

  #short(draft: Draft, buffer: Uint8Array, start: number, end: number): void {
    const text = this.#decoder.decode(buffer.subarray(start, Math.min(end, start + 200))).trim();
    const width = draft.columns.reduce((sum, c) => sum + c.width, 0);
    if (/^\d*$/.test(text)) {
      const expected = `${draft.atoms} atom lines after ${this.#file}:${draft.line}`;
      this.#problem(this.#line, expected, `${draft.lines - 2}, then "${text}"`);
      this.#problems.raise();
    }
    this.#problem(this.#line, `${width} columns (${describe(draft.columns)})`, `"${text.slice(0, 60)}"`);
  }

  /** Stores the word at hand; false after a problem. */
  #store(column: Column, i: number, k: number): boolean {
    const words = this.#words;
    const at = i * column.width + k;
    const { values } = column;
    if (column.role === "species") {
      const z = this.#species();
      if (z === 0) return this.#wrong("a chemical symbol");
      (values as Uint8Array)[at] = z;
    } else if (column.kind === "string") {
      (values as string[])[at] = words.text();
    } else if (column.kind === "logical") {
      const text = words.text();
      if (!/^(T|F|True|False|true|false|TRUE|FALSE|1|0)$/.test(text))
        return this.#wrong(`T or F for ${column.name}`);
      (values as Uint8Array)[at] = /^[Tt1]/.test(text) ? 1 : 0;
    } else {
      const x = words.number();
      if (x === undefined) return this.#wrong(`a number for ${column.name}`);
      if (column.role === "position" && !Number.isFinite(x)) return this.#wrong("finite coordinates");
      if (column.kind === "integer" && (x | 0) !== x)
        return this.#wrong(`a 32-bit integer for ${column.name}`);
      if (column.role === "number" && !(x >= 1 && x <= 118))
        return this.#wrong("an atomic number from 1 to 118");
      (values as Float64Array)[at] = x;
    }
    return true;
  }

  #wrong(expected: string): boolean {
    const { bytes, start, end } = this.#words;
    let stop = start;
    while (stop < end && bytes[stop] > 32 && stop < start + 40) stop++;
    this.#problem(this.#line, expected, `"${this.#decoder.decode(bytes.subarray(start, stop))}"`);
    return false;
  }

  /** Atomic number of a symbol or of a number in place of one; 0 when it is neither. */
  #species(): number {
    const words = this.#words;
    words.skip();
    const { bytes, start, position } = words;
    const length = position - start;
    if (length === 1 && bytes[start] > 57) return BY_BYTES[bytes[start]];
    if (length === 2 && bytes[start] > 57) return BY_BYTES[bytes[start] * 256 + bytes[start + 1]];
    const z = Number(this.#decoder.decode(bytes.subarray(start, position)));
    return Number.isInteger(z) && z >= 1 && z <= 118 ? z : 0;
  }

  #finish(draft: Draft, frames: Frame[]): void {
    this.#lastFrame = `, ${draft.atoms} atoms after ${this.#file}:${draft.line}`;
    const place = `${this.#file}:${draft.line}`;
    const by = (role: Column["role"]) => draft.columns.find((c) => c.role === role)?.values;
    const positions = (by("position") ?? new Float64Array(0)) as Float64Array;
    const z = by("number") as Int32Array | undefined;
    const species = by("species") as Uint8Array | undefined;
    if (z && species && z.some((x, i) => x !== species[i]))
      this.#problem(
        draft.line,
        "the same element under species and Z",
        `two for atom ${z.findIndex((x, i) => x !== species[i])}`,
      );
    if (this.#problems.list.length > 0) return;
    const kept: [string, AtomArray][] = [];
    for (const { role, name, kind, width, values } of draft.columns)
      if (role === "array" || (role === "number" && species)) kept.push([name, { kind, width, values }]);
    const numbers = species ?? Uint8Array.from(z ?? []);
    const structure = { numbers, positions, cell: draft.cell, pbc: draft.pbc };
    frames.push({ structure, info: { ...draft.info }, arrays: Object.fromEntries(kept), place });
  }
}

const describe = (columns: readonly Column[]) => columns.map((c) => `${c.name} ${c.width}`).join(", ");

/** What a property of this name and shape is. */
export function roleOf(name: string, kind: Kind, width: number): "species" | "number" | "position" | "array" {
  if (SPECIES.has(name) && kind === "string" && width === 1) return "species";
  if (NUMBERS.has(name) && kind === "integer" && width === 1) return "number";
  return POSITIONS.has(name) && kind === "real" && width === 3 ? "position" : "array";
}

function makeColumn(name: string, kind: Kind, width: number, atoms: number): Column {
  const size = width * atoms;
  const role = roleOf(name, kind, width);
  if (role === "species") return { name, kind, width, role, values: new Uint8Array(size) };
  const make = {
    real: () => new Float64Array(size),
    integer: () => new Int32Array(size),
    logical: () => new Uint8Array(size),
    string: () => Array.from({ length: size }, () => ""),
  };
  return { name, kind, width, role, values: make[kind]() };
}

/** Plain XYZ: symbol, x, y, z; further columns, which nothing names, become the array "columns". */
function plainColumns(atoms: number, count: number): Column[] {
  const plain = [makeColumn("species", "string", 1, atoms), makeColumn("pos", "real", 3, atoms)];
  return count > 4 ? [...plain, makeColumn("columns", "real", count - 4, atoms)] : plain;
}

function parseProperties(value: InfoValue, atoms: number): Column[] {
  const fields = String(value).split(":");
  if (typeof value !== "string" || fields.length % 3 !== 0)
    throw new CommentError("Properties=name:type:columns:…", String(value));
  const columns: Column[] = [];
  for (let f = 0; f < fields.length; f += 3) {
    const [name, type, width] = fields.slice(f, f + 3);
    if (!Object.hasOwn(KINDS, type) || !/^[1-9]\d{0,4}$/.test(width) || name === "")
      throw new CommentError(
        "Properties=name:type:columns with type R, I, L or S",
        `${name}:${type}:${width}`,
      );
    if (columns.some((c) => c.name === name)) throw new CommentError("every property once", `${name} twice`);
    columns.push(makeColumn(name, KINDS[type], Number(width), atoms));
  }
  const roles = columns.map((c) => c.role);
  if (roles.filter((r) => r === "position").length !== 1)
    throw new CommentError("one property pos:R:3", value);
  if (!roles.includes("species") && !roles.includes("number"))
    throw new CommentError("a property species:S:1 or Z:I:1", value);
  for (const role of ["species", "number"])
    if (roles.filter((r) => r === role).length > 1) throw new CommentError(`one ${role} property`, value);
  return columns;
}

/** Moves Lattice and pbc from the info to the draft; rows of the nine numbers are the lattice vectors. */
function takeCell(info: Record<string, InfoValue>, draft: Draft): Record<string, InfoValue> {
  const rest: Record<string, InfoValue> = Object.create(null) as Record<string, InfoValue>;
  let lattice: InfoValue | undefined;
  let pbc: InfoValue | undefined;
  for (const [key, value] of Object.entries(info)) {
    const lower = key.toLowerCase();
    if (lower === "lattice" && lattice === undefined) lattice = value;
    else if (lower === "pbc" && pbc === undefined) pbc = value;
    else rest[key] = value;
  }
  const vectors = lattice === undefined ? null : Float64Array.from(flatten(lattice, "Lattice", [9]));
  const cell = vectors?.some((x) => x !== 0) ? vectors : null;
  const flags = pbc === undefined ? [cell !== null] : flatten(pbc, "pbc", [1, 3]);
  if (flags.some((f) => f !== 0 && f !== 1 && typeof f !== "boolean"))
    throw new CommentError("pbc of T or F", flags.join(" "));
  const [a, b, c] = flags.length === 1 ? [flags[0], flags[0], flags[0]] : flags;
  draft.pbc = [Boolean(a), Boolean(b), Boolean(c)];
  draft.cell = cell;
  if (vectors?.some((x) => !Number.isFinite(x)))
    throw new CommentError("nine finite numbers for Lattice", vectors.join(" "));
  try {
    completeCell(draft.cell, draft.pbc);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new CommentError(error.problems[0].expected, error.problems[0].found);
  }
  return rest;
}

function flatten(value: InfoValue, name: string, sizes: readonly number[]): number[] {
  const flat = [value].flat(2);
  const good = flat.every((v) => typeof v === "number" || (name === "pbc" && typeof v === "boolean"));
  if (!good || !sizes.includes(flat.length))
    throw new CommentError(
      `${sizes.join(" or ")} ${name === "pbc" ? "flags" : "numbers"} for ${name}`,
      JSON.stringify(value),
    );
  return flat.map(Number);
}
