import { findNumber } from "../../structure/elements.ts";
import type { AtomArray, Frame, InfoValue } from "../../structure/structure.ts";
import { Problems } from "../format.ts";
import { wordsOf } from "../lines.ts";
import { numberFrom } from "../number.ts";
import { elementOfType } from "./types.ts";
import type { TypeNotes } from "./types.ts";
import { unitStyle } from "./units.ts";

/** What the columns of a line of Atoms are, image flags aside. */
const STYLES: Readonly<Record<string, readonly string[]>> = {
  atomic: ["id", "type", "x", "y", "z"],
  charge: ["id", "type", "q", "x", "y", "z"],
  molecular: ["id", "molecule", "type", "x", "y", "z"],
  full: ["id", "molecule", "type", "q", "x", "y", "z"],
};
/** Styles whose lines look like another's. */
const ALIAS: Readonly<Record<string, string>> = { bond: "molecular", angle: "molecular" };

const COUNT =
  /^\s*(\d+)\s+((?:extra\s+)?(?:atoms|bonds|angles|dihedrals|impropers|ellipsoids|lines|triangles|bodies)|\w+ types|extra .* per atom)\b/;
const SECTION =
  /^(Atoms|Velocities|Masses|Atom Type Labels|(?:Bond|Angle|Dihedral|Improper) Type Labels|Bonds|Angles|Dihedrals|Impropers|Ellipsoids|Lines|Triangles|Bodies|(?:Pair|PairIJ|Bond|Angle|Dihedral|Improper|[A-Z]\w+ ?\w*) Coeffs)\s*(?:#\s*(\S+).*)?$/;

/** A data file of LAMMPS, read line by line; https://docs.lammps.org/read_data.html. */
export class DataReader {
  readonly #file: string;
  readonly #types: readonly string[] | undefined;
  readonly #problems = new Problems();
  #line = 0;
  #title = "";
  #section = "";
  #style: readonly string[] | null = null;
  #atoms = -1;
  readonly #bounds: ([number, number] | null)[] = [null, null, null];
  #tilt = [0, 0, 0];
  /** Rows avec, bvec, cvec of a general triclinic box. */
  readonly #vectors: (number[] | null)[] = [null, null, null];
  readonly #notes = new Map<number, { label?: string; mass?: number; comment?: string }>();
  readonly #labels = new Map<string, number>();
  readonly #rows = new Map<number, { words: string[]; line: number }>();
  readonly #velocities = new Map<number, number[]>();

  constructor(file: string, types: readonly string[] | undefined) {
    this.#file = file;
    this.#types = types;
  }

  take(line: string): void {
    this.#line++;
    if (this.#line === 1) this.#title = line.trim();
    else {
      const [content, comment] = split(line);
      if (content !== "") this.#content(content, comment, line);
    }
  }

  end(): Frame {
    const line = this.#line;
    this.#line = 1;
    if (this.#atoms < 0) this.#problem('a line "<number> atoms" at the head', "none");
    const cell = this.#cell();
    this.#line = line;
    if (this.#rows.size !== Math.max(this.#atoms, 0))
      this.#problem(`${this.#atoms} atoms in a section Atoms`, `${this.#rows.size}`);
    this.#problems.raise();
    const frame = this.#frame(cell);
    this.#problems.raise();
    return frame;
  }

  #problem(expected: string, found: string, line = this.#line): void {
    this.#problems.add(`${this.#file}:${line}`, expected, found);
  }

  #content(content: string, comment: string, line: string): void {
    const section = SECTION.exec(line.trim());
    if (section) {
      this.#section = section[1];
      if (section[1] === "Atoms") this.#setStyle(section[2]);
    } else if (this.#section === "") this.#head(content);
    else if (this.#section === "Masses") this.#mass(content, comment);
    else if (this.#section === "Atom Type Labels") this.#label(content);
    else if (this.#section === "Atoms") this.#atom(content);
    else if (this.#section === "Velocities") this.#velocity(content);
    else if (/^[A-Za-z]/.test(content))
      this.#problem("a section of a data file", `"${content.slice(0, 40)}"`);
    // What else there is, bonds and coefficients, is no part of a structure.
  }

  #head(content: string): void {
    const words = wordsOf(content);
    const count = COUNT.exec(content);
    if (count) {
      if (count[2] === "atoms") this.#atoms = Number(count[1]);
      return;
    }
    const name = words.slice(words.findIndex((word) => numberFrom(word) === undefined)).join(" ");
    const numbers = words.map((word) => numberFrom(word)).filter((x) => x !== undefined);
    const axis = ["xlo xhi", "ylo yhi", "zlo zhi"].indexOf(name);
    const row = ["avec", "bvec", "cvec"].indexOf(name);
    if (axis >= 0 && numbers.length === 2 && numbers[1] > numbers[0])
      this.#bounds[axis] = [numbers[0], numbers[1]];
    else if (name === "xy xz yz" && numbers.length === 3) this.#tilt = numbers;
    else if (row >= 0 && numbers.length === 3) this.#vectors[row] = numbers;
    else if (name !== "abc origin" || numbers.length !== 3)
      this.#problem(
        "numbers of atoms and types, xlo xhi, xy xz yz, or a section",
        `"${content.slice(0, 60)}"`,
      );
  }

  #setStyle(name: string | undefined): void {
    if (name === undefined) return;
    const style = STYLES[ALIAS[name] ?? name];
    if (style) this.#style = style;
    else this.#problem(`atom_style ${Object.keys(STYLES).join(", ")}`, name);
  }

  /** Without a comment the number of columns tells, where it can. */
  #guess(columns: number): readonly string[] | null {
    const fit = Object.entries(STYLES).filter(
      ([, { length }]) => length === columns || length + 3 === columns,
    );
    if (fit.length === 1) return fit[0][1];
    this.#problem(
      'the style behind the section\'s name, such as "Atoms # charge"',
      `${columns} columns, which ${fit.length ? fit.map(([name]) => name).join(" and ") : "no style"} would have`,
    );
    this.#problems.raise();
    return null;
  }

  #mass(content: string, comment: string): void {
    const [type, mass] = wordsOf(content);
    const [t, m] = [this.#type(type), numberFrom(mass ?? "")];
    if (m === undefined || !(m > 0)) this.#problem("a type and its mass", `"${content}"`);
    else Object.assign(this.#note(t), { mass: m, comment });
  }

  #label(content: string): void {
    const [type, label = ""] = wordsOf(content);
    this.#labels.set(label, Number(type));
    this.#note(Number(type)).label = label;
  }

  #note(type: number): { label?: string; mass?: number; comment?: string } {
    const found = this.#notes.get(type) ?? {};
    this.#notes.set(type, found);
    return found;
  }

  /** Types may be written by their labels. */
  #type(word: string): number {
    return this.#labels.get(word) ?? (/^[1-9]\d*$/.test(word) ? Number(word) : 0);
  }

  #atom(content: string): void {
    const words = wordsOf(content);
    const style = (this.#style ??= this.#guess(words.length));
    if (!style) return;
    if (words.length !== style.length && words.length !== style.length + 3)
      this.#problem(`${style.join(" ")}, with or without three image flags`, `"${content.slice(0, 80)}"`);
    const id = Number(words[0]);
    if (!(Number.isInteger(id) && id > 0)) this.#problem("a positive number of an atom", `"${words[0]}"`);
    if (this.#rows.has(id)) this.#problem("every atom once", `atom ${id} twice`);
    this.#rows.set(id, { words, line: this.#line });
  }

  #velocity(content: string): void {
    const [id, ...words] = wordsOf(content);
    const v = words.map((word) => numberFrom(word));
    if (v.length !== 3 || v.includes(undefined)) this.#problem("an atom and its velocity", `"${content}"`);
    this.#velocities.set(Number(id), v as number[]);
  }

  #cell(): Float64Array {
    if (this.#vectors.every((row) => row !== null)) return Float64Array.from(this.#vectors.flat());
    const lengths = this.#bounds.map((bound, k) => {
      if (!bound) this.#problem(`a line with ${"xyz"[k]}lo ${"xyz"[k]}hi`, "none");
      return bound ? bound[1] - bound[0] : 1;
    });
    const [xy, xz, yz] = this.#tilt;
    return Float64Array.of(lengths[0], 0, 0, xy, lengths[1], 0, xz, yz, lengths[2]);
  }

  #frame(cell: Float64Array): Frame {
    const ids = [...this.#rows.keys()].toSorted((a, b) => a - b);
    const style = this.#style ?? STYLES.atomic;
    const rows = ids.map((id) => this.#rows.get(id)!);
    const column = (name: string) => {
      const k = style.indexOf(name);
      return k < 0
        ? undefined
        : Float64Array.from(rows, ({ words, line }) => {
            const x = numberFrom(words[k]);
            if (x === undefined || !Number.isFinite(x))
              this.#problem(`a number for ${name}`, `"${words[k]}"`, line);
            return x ?? 0;
          });
    };
    const [x, y, z] = [column("x")!, column("y")!, column("z")!];
    const arrays: Record<string, AtomArray> = {};
    const q = column("q");
    const molecule = column("molecule");
    if (q) arrays["charges"] = { kind: "real", width: 1, values: q };
    if (molecule) arrays["molecule"] = { kind: "integer", width: 1, values: Int32Array.from(molecule) };
    const flags = rows.map(({ words }) => words.slice(style.length).map(Number));
    if (flags.length > 0 && flags.every((three) => three.length === 3))
      arrays["images"] = { kind: "integer", width: 3, values: Int32Array.from(flags.flat()) };
    const [, units = "metal"] = /\bunits\s*=?\s*(\w+)/.exec(this.#title) ?? [];
    const { declared, velocity } = unitStyle(units, `${this.#file}:1`);
    if (this.#velocities.size > 0) {
      const missing = ids.find((id) => !this.#velocities.has(id));
      if (missing !== undefined || this.#velocities.size !== ids.length)
        this.#problem(
          "a velocity for every atom",
          missing === undefined ? "more" : `none for atom ${missing}`,
        );
      const values = Float64Array.from(
        ids.flatMap((id) => this.#velocities.get(id) ?? [0, 0, 0]),
        (v) => v * velocity,
      );
      arrays["velocities"] = { kind: "real", width: 3, values };
    }
    const free = /\bboundary f f f\b/.test(this.#title);
    const info: Record<string, InfoValue> = { ...declared };
    if (this.#title !== "") info["comment"] = this.#title;
    return {
      structure: {
        numbers: this.#numbers(rows, style.indexOf("type")),
        positions: Float64Array.from(
          { length: 3 * ids.length },
          (_, k) => [x, y, z][k % 3][Math.floor(k / 3)],
        ),
        cell,
        pbc: [!free, !free, !free],
      },
      info,
      arrays,
      place: `${this.#file}:1`,
    };
  }

  #numbers(rows: readonly { words: string[]; line: number }[], k: number): Uint8Array {
    const known = new Map<string, number>();
    return Uint8Array.from(rows, ({ words, line }) => {
      const word = words[k];
      const before = known.get(word);
      if (before !== undefined) return before;
      const type = this.#type(word);
      const notes: TypeNotes = this.#notes.get(type) ?? {};
      const z = type === 0 ? findNumber(word) : elementOfType(type, notes, this.#types);
      if (z === undefined)
        this.#problem(
          `the element of type ${word} (given as types, an Atom Type Label, the comment of its mass, or its mass)`,
          notes.mass === undefined ? "no mass" : `mass ${notes.mass}`,
          line,
        );
      known.set(word, z ?? 0);
      return z ?? 0;
    });
  }
}

/** A line's content and what stands behind "#". */
function split(line: string): [content: string, comment: string] {
  const at = line.indexOf("#");
  return at < 0 ? [line.trim(), ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
}
