import { InputError } from "../error.ts";
import { cellFromParameters } from "../structure/cell.ts";
import { findNumber } from "../structure/elements.ts";
import type { AtomArray, Frame, InfoValue } from "../structure/structure.ts";
import { Problems } from "./format.ts";
import type { ByteStream, Format } from "./format.ts";
import { readLines } from "./lines.ts";
import { numberFrom } from "./number.ts";

/** Protein Data Bank: atoms with their names and residues, one frame for each model. */
export const pdb: Format = {
  name: "pdb",
  summary: "PDB: atoms, names and residues, cell; one frame for each MODEL",
  extensions: [".pdb", ".ent"],
  carries: ["cell", "pbc"],
  url: "https://www.wwpdb.org/documentation/file-format",
  statesUnits: true,
  read: readPdb,
};

/** Frames of a PDB file: names, residues and chains are arrays; alternative places of an atom are an error. */
async function* readPdb(bytes: ByteStream, file: string): AsyncGenerator<Frame, void, undefined> {
  const reader = new Reader(file);
  for await (const lines of readLines(bytes, file)) for (const line of lines) yield* reader.take(line);
  yield* reader.end();
}

interface Model {
  /** Line at which it begins. */
  readonly line: number;
  readonly number: number | null;
  readonly numbers: number[];
  readonly positions: number[];
  readonly names: string[];
  readonly residues: string[];
  readonly chains: string[];
  readonly residueNumbers: number[];
}

class Reader {
  readonly #file: string;
  readonly #problems = new Problems();
  #line = 0;
  #frames = 0;
  #cell: Float64Array | null = null;
  #title: string[] = [];
  #model: Model | null = null;
  /** The mark of alternative places that the first atom with one has. */
  #alternative = " ";

  constructor(file: string) {
    this.#file = file;
  }

  take(line: string): Frame[] {
    this.#line++;
    const record = line.slice(0, 6).trimEnd();
    if (record === "ATOM" || record === "HETATM") this.#atom(line);
    else if (record === "CRYST1") this.#crystal(line);
    else if (record === "TITLE") this.#title.push(line.slice(10).trim());
    else if (record === "MODEL") this.#begin(line);
    else if (record === "ENDMDL" || record === "END") return this.#finish();
    return [];
  }

  end(): Frame[] {
    if (this.#model && this.#model.number !== null)
      this.#problem(`ENDMDL of the model that begins in line ${this.#model.line}`, "the end of the file");
    const last = this.#finish();
    if (this.#frames === 0) this.#problem("ATOM or HETATM", "none");
    this.#problems.raise();
    return last;
  }

  #problem(expected: string, found: string): void {
    this.#problems.add(`${this.#file}:${this.#line}`, expected, found);
  }

  #begin(line: string): void {
    if (this.#model) this.#problem(`ENDMDL of the model that begins in line ${this.#model.line}`, "MODEL");
    this.#model = this.#empty(Number(line.slice(6).trim()));
  }

  #empty(number: number | null): Model {
    return {
      line: this.#line,
      number,
      numbers: [],
      positions: [],
      names: [],
      residues: [],
      chains: [],
      residueNumbers: [],
    };
  }

  /** Columns 7 to 54: three lengths, three angles. A cell of 1 Å stands for none, as in entries that are no crystals. */
  #crystal(line: string): void {
    const fields = [line.slice(6, 15), line.slice(15, 24), line.slice(24, 33)];
    const angles = [line.slice(33, 40), line.slice(40, 47), line.slice(47, 54)];
    const numbers = [...fields, ...angles].map((text) => numberFrom(text.trim()) ?? NaN);
    if (numbers.slice(0, 3).every((x) => x === 1 || x === 0)) return;
    try {
      this.#cell = cellFromParameters(numbers.slice(0, 3), numbers.slice(3));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.#problem("lengths and angles of a cell in columns 7 to 54", `"${line.trim()}"`);
    }
  }

  #atom(line: string): void {
    const model = (this.#model ??= this.#empty(null));
    const place = [30, 38, 46].map((at) => numberFrom(line.slice(at, at + 8).trim()));
    if (place.some((x) => x === undefined || !Number.isFinite(x)))
      this.#problem("x, y, z in columns 31 to 54", `"${line.slice(30, 54)}"`);
    const z = elementOf(line);
    if (z === undefined)
      this.#problem("an element in columns 77 and 78 or in the atom's name", `"${line.slice(12, 16)}"`);
    const mark = line.charAt(16);
    if (mark.trim() !== "") {
      if (this.#alternative === " ") this.#alternative = mark;
      if (mark !== this.#alternative)
        this.#problem(`one place for each atom (column 17: "${this.#alternative}" alone)`, `"${mark}"`);
    }
    model.numbers.push(z ?? 0);
    model.positions.push(...place.map((x) => x ?? 0));
    model.names.push(line.slice(12, 16).trim());
    model.residues.push(line.slice(17, 20).trim());
    model.chains.push(line.charAt(21).trim());
    model.residueNumbers.push(Number(line.slice(22, 26)));
  }

  #finish(): Frame[] {
    const model = this.#model;
    this.#model = null;
    if (!model) return [];
    this.#frames++;
    if (model.numbers.length === 0) this.#problem("at least one atom in a model", "none");
    if (this.#problems.list.length > 0) return [];
    const { numbers, positions, residueNumbers } = model;
    const periodic = this.#cell !== null;
    const info: Record<string, InfoValue> = {};
    if (this.#title.length > 0) info["comment"] = this.#title.join(" ");
    if (model.number !== null && Number.isFinite(model.number)) info["model"] = model.number;
    const arrays: Record<string, AtomArray> = {};
    for (const [name, values] of [
      ["name", model.names],
      ["residue", model.residues],
      ["chain", model.chains],
    ] as const)
      if (values.every((word) => /^\S+$/.test(word))) arrays[name] = { kind: "string", width: 1, values };
    if (residueNumbers.every((x) => Number.isInteger(x) && (x | 0) === x))
      arrays["residue_number"] = { kind: "integer", width: 1, values: Int32Array.from(residueNumbers) };
    return [
      {
        structure: {
          numbers: Uint8Array.from(numbers),
          positions: Float64Array.from(positions),
          cell: this.#cell && this.#cell.slice(),
          pbc: [periodic, periodic, periodic],
        },
        info,
        arrays,
        place: `${this.#file}:${model.line}`,
      },
    ];
  }
}

const known = (text: string): number | undefined =>
  findNumber(text.charAt(0).toUpperCase() + text.slice(1).toLowerCase());

/**
 * Columns 77 and 78; where they are empty, the first two of the name, in which a symbol stands to the right: " CA " is a
 * carbon, "CA  " calcium, "HG11" and "1HB " are hydrogens.
 */
function elementOf(line: string): number | undefined {
  const own = line.slice(76, 78).trim();
  if (own !== "") return known(own);
  const name = line.slice(12, 16);
  const [first, second] = [name.charAt(0), name.charAt(1)];
  if (/[\s\d]/.test(first)) return known(second);
  // A name of four characters has no room for its indent.
  if (/^[A-Z]\S{3}$/i.test(name) && /^h/i.test(name)) return 1;
  return known(first + second.trim()) ?? known(first);
}
