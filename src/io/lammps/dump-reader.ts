import { fromFractional } from "../../structure/cell.ts";
import { findNumber } from "../../structure/elements.ts";
import type { AtomArray, Frame, InfoValue, Structure } from "../../structure/structure.ts";
import { Problems } from "../format.ts";
import { wordsOf } from "../lines.ts";
import { numberFrom } from "../number.ts";
import { boxOf } from "./dump-box.ts";
import type { Box } from "./dump-box.ts";
import { elementOfType } from "./types.ts";
import { unitStyle } from "./units.ts";

/** A snapshot being read. */
interface Draft {
  /** Line of its first item. */
  readonly line: number;
  readonly info: Record<string, InfoValue>;
  atoms: number;
  box: Box | null;
  pbc: Structure["pbc"];
  columns: readonly string[];
  rows: string[][];
}

/** Columns of a vector that one array or the positions take. */
const VECTORS = {
  plain: ["x", "y", "z"],
  unwrapped: ["xu", "yu", "zu"],
  scaled: ["xs", "ys", "zs"],
  both: ["xsu", "ysu", "zsu"],
} as const;
const TAKEN = new Set([
  "id",
  "type",
  "element",
  "vx",
  "vy",
  "vz",
  "fx",
  "fy",
  "fz",
  "q",
  ...Object.values(VECTORS).flat(),
]);

/** A dump of LAMMPS in text, read line by line; holds one snapshot; https://docs.lammps.org/dump.html. */
export class DumpReader {
  readonly #file: string;
  readonly #types: readonly string[] | undefined;
  readonly #problems = new Problems();
  #line = 0;
  #frames = 0;
  #units = "metal";
  #time: number | null = null;
  #draft: Draft | null = null;
  /** What the lines after an item are: how many are left, and what is done with each. */
  #block: { left: number; readonly take: (line: string) => void } | null = null;

  constructor(file: string, types: readonly string[] | undefined) {
    this.#file = file;
    this.#types = types;
  }

  /** One line; the snapshot that it ends. */
  take(line: string): Frame[] {
    this.#line++;
    const block = this.#block;
    if (!block) {
      if (line.startsWith("ITEM:")) return this.#item(line.slice(5).trim());
      if (line.trim() !== "") {
        this.#problem("ITEM:", `"${line.slice(0, 60)}"`);
        this.#problems.raise();
      }
      return [];
    }
    block.take(line);
    if (--block.left > 0) return [];
    this.#block = null;
    return this.#ended();
  }

  end(): void {
    if (this.#block) this.#problem(`${this.#block.left} more lines`, "the end of the file");
    else if (this.#draft || this.#time !== null) this.#problem("ITEM: ATOMS", "the end of the file");
    else if (this.#frames === 0) this.#problem("ITEM: TIMESTEP", "none");
    this.#problems.raise();
  }

  #problem(expected: string, found: string): void {
    this.#problems.add(`${this.#file}:${this.#line}`, expected, found);
  }

  #item(item: string): Frame[] {
    if (item === "UNITS") this.#lines(1, (line) => (this.#units = line.trim()));
    else if (item === "TIME") this.#lines(1, (line) => (this.#time = this.#number(line)));
    else if (item === "TIMESTEP") this.#begin();
    else if (!this.#draft) this.#problem("ITEM: TIMESTEP first", `ITEM: ${item}`);
    else if (item === "NUMBER OF ATOMS") this.#lines(1, (line) => (this.#draft!.atoms = this.#number(line)));
    else if (item.startsWith("BOX BOUNDS")) this.#box(this.#draft, item);
    else if (item.startsWith("ATOMS")) return this.#atoms(this.#draft, item);
    else this.#problem("TIMESTEP, NUMBER OF ATOMS, BOX BOUNDS or ATOMS", `ITEM: ${item.slice(0, 40)}`);
    return [];
  }

  #lines(left: number, take: (line: string) => void): void {
    this.#block = { left, take };
  }

  #number(text: string): number {
    const x = numberFrom(text.trim());
    if (x === undefined || !Number.isFinite(x)) this.#problem("a number", `"${text.trim().slice(0, 40)}"`);
    return x ?? 0;
  }

  #begin(): void {
    if (this.#draft)
      this.#problem(`ITEM: ATOMS of the snapshot in line ${this.#draft.line}`, "ITEM: TIMESTEP");
    const info: Record<string, InfoValue> = {};
    if (this.#time !== null) info["time"] = this.#time;
    this.#time = null;
    this.#draft = {
      line: this.#line,
      info,
      atoms: -1,
      box: null,
      pbc: [true, true, true],
      columns: [],
      rows: [],
    };
    this.#lines(1, (line) => (info["step"] = this.#number(line)));
  }

  /** Three rows of bounds; "abc origin": rows of a lattice vector and a component of the origin. */
  #box(draft: Draft, item: string): void {
    const words = wordsOf(item).slice(2);
    const general = words.includes("abc");
    const flags = words.filter((word) => /^[pfsm]{2}$/.test(word));
    const width = general ? 4 : words.includes("xy") ? 3 : 2;
    // Files without flags are older than they are; periodic is what they were for.
    if (flags.length === 3) {
      const [a, b, c] = flags.map((flag) => flag === "pp");
      draft.pbc = [a, b, c];
    }
    const rows: number[][] = [];
    this.#lines(3, (line) => {
      const row = wordsOf(line).map((word) => this.#number(word));
      if (row.length !== width) this.#problem(`${width} numbers of the box`, `"${line.trim()}"`);
      rows.push(row);
      if (rows.length < 3) return;
      draft.box = general
        ? { cell: Float64Array.from(rows.flatMap((r) => r.slice(0, 3))), origin: rows.map((r) => r[3]) }
        : boxOf(rows);
    });
  }

  #atoms(draft: Draft, item: string): Frame[] {
    draft.columns = wordsOf(item).slice(1);
    if (!(Number.isInteger(draft.atoms) && draft.atoms >= 0) || !draft.box) {
      this.#problem("NUMBER OF ATOMS and BOX BOUNDS before ATOMS", "ATOMS");
      this.#problems.raise();
    }
    if (draft.columns.length === 0) {
      this.#problem("names of columns, which dumps of style custom and atom have", "none");
      this.#problems.raise();
    }
    const width = draft.columns.length;
    if (draft.atoms === 0) return this.#finish(draft);
    this.#lines(draft.atoms, (line) => {
      const words = wordsOf(line);
      if (words.length !== width) this.#problem(`${width} columns`, `"${line.trim().slice(0, 60)}"`);
      draft.rows.push(words);
    });
    return [];
  }

  /** After a block: the atoms are the last one of a snapshot. */
  #ended(): Frame[] {
    const draft = this.#draft;
    return draft && draft.columns.length > 0 ? this.#finish(draft) : [];
  }

  #finish(draft: Draft): Frame[] {
    this.#draft = null;
    if (this.#problems.list.length > 0) return [];
    const frame = this.#frame(draft);
    this.#frames++;
    return this.#problems.list.length > 0 ? [] : [frame];
  }

  #frame({ line, info, box, pbc, columns, rows }: Draft): Frame {
    const id = columns.indexOf("id");
    if (id >= 0) rows.sort((a, b) => Number(a[id]) - Number(b[id]));
    const has = (names: readonly string[]) => names.every((name) => columns.includes(name));
    const numbersOf = (names: readonly string[]): Float64Array => {
      const places = names.map((name) => columns.indexOf(name));
      return Float64Array.from(
        rows.flatMap((row) => places.map((k) => this.#value(row[k], columns[k], line))),
      );
    };
    const { declared, velocity } = unitStyle(this.#units, `${this.#file}:${line}`);
    const arrays: Record<string, AtomArray> = {};
    const put = (name: string, names: readonly string[], factor: number) => {
      if (!has(names)) return;
      const values = numbersOf(names);
      arrays[name] = {
        kind: "real",
        width: names.length,
        values: factor === 1 ? values : values.map((x) => x * factor),
      };
    };
    put("velocities", ["vx", "vy", "vz"], velocity);
    put("forces", ["fx", "fy", "fz"], 1);
    put("charges", ["q"], 1);
    for (const name of columns)
      if (!TAKEN.has(name) && rows.every((row) => numberFrom(row[columns.indexOf(name)]) !== undefined))
        put(name, [name], 1);
    const { plain, unwrapped, scaled, both } = VECTORS;
    const cartesian = [unwrapped, plain].find(has);
    const fractions = [both, scaled].find(has);
    if (!cartesian && !fractions) {
      this.#problems.add(
        `${this.#file}:${line}`,
        "columns x y z, xu yu zu, xs ys zs or xsu ysu zsu",
        columns.join(" "),
      );
      return this.#problems.raise() as never;
    }
    const { cell, origin } = box!;
    return {
      structure: {
        numbers: this.#elements(columns, rows, line),
        positions: cartesian
          ? numbersOf(cartesian)
          : fromFractional(numbersOf(fractions!), cell).map((x, k) => x + origin[k % 3]),
        cell,
        pbc,
      },
      info: { ...declared, ...info },
      arrays,
      place: `${this.#file}:${line}`,
    };
  }

  #value(text: string, name: string, line: number): number {
    const x = numberFrom(text);
    if (x === undefined || !Number.isFinite(x))
      this.#problems.add(`${this.#file}:${line}`, `numbers for ${name} in this snapshot`, `"${text}"`);
    return x ?? 0;
  }

  /** By the column element, or by type and mass; types given go first. */
  #elements(columns: readonly string[], rows: readonly string[][], line: number): Uint8Array {
    const [element, type, mass] = ["element", "type", "mass"].map((name) => columns.indexOf(name));
    const known = new Map<string, number>();
    return Uint8Array.from(rows, (row) => {
      const name = [row[element], row[type], row[mass]].join(" ");
      const before = known.get(name);
      if (before !== undefined) return before;
      const notes = { label: row[type], ...(mass >= 0 && { mass: numberFrom(row[mass]) }) };
      const z =
        this.#types || element < 0
          ? elementOfType(Number(row[type]), notes, this.#types)
          : findNumber(row[element]);
      if (z === undefined)
        this.#problems.add(
          `${this.#file}:${line}`,
          "a column element or mass, or the elements of the types given (types)",
          `type ${row[type] ?? "none"}${element < 0 ? "" : `, element "${row[element]}"`}`,
        );
      known.set(name, z ?? 0);
      return z ?? 0;
    });
  }
}
