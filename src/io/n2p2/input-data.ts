import { invalid } from "../../error.ts";
import { findNumber, symbolOf } from "../../structure/elements.ts";
import type { AtomArray, Frame, InfoValue, Structure } from "../../structure/structure.ts";
import { unit } from "../../structure/units.ts";
import type { ByteStream, Format } from "../format.ts";
import { Problems } from "../format.ts";
import { readLines } from "../lines.ts";
import { numberFrom } from "../number.ts";

/** input.data of n2p2 and RuNNer: structures with energies, forces and charges as text. */
export const n2p2: Format = {
  name: "n2p2",
  summary: "input.data of n2p2 and RuNNer: text; units must be given",
  extensions: ["input.data", "output.data", "train.data", "test.data", ".n2p2"],
  carries: ["cell", "energy", "forces"],
  keeps: ["charge", "charges", "comment"],
  fits: ({ structure: { numbers, cell, pbc }, energy, forces }) =>
    numbers.length > 0 &&
    (energy !== undefined || forces !== undefined) &&
    pbc.every((flag) => flag === (cell !== null)),
  url: "https://compphysvienna.github.io/n2p2/topics/cfg_file.html",
  statesUnits: false,
  read: readInputData,
  write: writeInputData,
};

/** A structure being read, between "begin" and "end". */
interface Draft {
  readonly line: number;
  readonly numbers: number[];
  readonly positions: number[];
  readonly lattice: number[];
  readonly forces: number[];
  readonly charges: number[];
  readonly info: Record<string, InfoValue>;
}

/** Frames of an input.data file, in its own units; see Format.read. */
export async function* readInputData(
  bytes: ByteStream,
  file: string,
): AsyncGenerator<Frame, void, undefined> {
  const reader = new Reader(file);
  for await (const lines of readLines(bytes, file)) for (const line of lines) yield* reader.take(line);
  reader.end();
}

class Reader {
  readonly #file: string;
  readonly #problems = new Problems();
  #line = 0;
  #draft: Draft | null = null;

  constructor(file: string) {
    this.#file = file;
  }

  /** One line; the frame that it ends, unless something was wrong before. */
  take(line: string): Frame[] {
    this.#line++;
    const [key, ...words] = line.trim().split(/\s+/);
    if (key === "" || key.startsWith("#")) return [];
    const draft = this.#draft;
    if (key === "begin") {
      if (draft) this.#problem(`"end" of the structure that begins in line ${draft.line}`, "begin");
      this.#draft = {
        line: this.#line,
        numbers: [],
        positions: [],
        lattice: [],
        forces: [],
        charges: [],
        info: {},
      };
    } else if (!draft) {
      this.#problem(`"begin"`, `"${line.slice(0, 60)}"`);
      this.#problems.raise();
    } else if (key === "end") {
      this.#draft = null;
      const frame = this.#finish(draft);
      if (frame && this.#problems.list.length === 0) return [frame];
    } else this.#content(draft, key, words, line);
    return [];
  }

  end(): void {
    if (this.#draft)
      this.#problem(`"end" of the structure that begins in line ${this.#draft.line}`, "the end of the file");
    this.#problems.raise();
  }

  #problem(expected: string, found: string): void {
    this.#problems.add(`${this.#file}:${this.#line}`, expected, found);
  }

  #content(draft: Draft, key: string, words: readonly string[], line: string): void {
    if (key === "comment") this.#comment(draft, line.trim().slice("comment".length).trimStart());
    else if (key === "lattice") draft.lattice.push(...this.#numbers(words, 3));
    else if (key === "atom") this.#atom(draft, words);
    else if (key === "energy" || key === "charge") draft.info[key] = this.#numbers(words, 1)[0];
    else this.#problem("comment, lattice, atom, energy, charge or end", `"${key}"`);
  }

  /** Units that a comment declares are taken out of it; everything else is kept. */
  #comment(draft: Draft, text: string): void {
    const rest = text.replace(/\b(energy_unit|length_unit)=(\S+)\s?/g, (_, key: string, name: string) => {
      draft.info[key] = name;
      return "";
    });
    if (rest === "" && rest !== text) return;
    const before = draft.info.comment;
    draft.info.comment = before === undefined ? rest : `${String(before)}\n${rest}`;
  }

  #atom(draft: Draft, words: readonly string[]): void {
    const z = findNumber(words[3] ?? "");
    if (z === undefined) this.#problem("atom x y z element charge n fx fy fz", words.join(" "));
    draft.numbers.push(z ?? 0);
    draft.positions.push(...this.#numbers(words, 3));
    draft.charges.push(words.length > 4 ? this.#numbers(words.slice(4), 1)[0] : 0);
    if (words.length > 6) draft.forces.push(...this.#numbers(words.slice(6), 3));
  }

  #numbers(words: readonly string[], count: number): number[] {
    const numbers = Array.from({ length: count }, (_, k) => numberFrom(words[k] ?? ""));
    if (!numbers.includes(undefined)) return numbers as number[];
    this.#problem(count === 1 ? "a number" : `${count} numbers`, words.join(" "));
    return numbers.map((x) => x ?? 0);
  }

  #finish({ line, numbers, positions, lattice, forces, charges, info }: Draft): Frame | null {
    const periodic = lattice.length > 0;
    if (periodic && lattice.length !== 9)
      this.#problem("three lattice lines or none", `${lattice.length / 3}`);
    if (numbers.length === 0) this.#problem("at least one atom", "none");
    if (forces.length > 0 && forces.length !== positions.length)
      this.#problem("forces of all atoms or of none", `forces of ${forces.length / 3} of ${numbers.length}`);
    if (this.#problems.list.length > 0) return null;
    const structure: Structure = {
      numbers: Uint8Array.from(numbers),
      positions: Float64Array.from(positions),
      cell: periodic ? Float64Array.from(lattice) : null,
      pbc: [periodic, periodic, periodic],
    };
    const arrays: Record<string, AtomArray> = {};
    if (forces.length > 0) arrays.forces = real(forces, 3);
    if (charges.some((q) => q !== 0)) arrays.charges = real(charges, 1);
    return { structure, info, arrays, place: `${this.#file}:${line}` };
  }
}

/**
 * Bytes of an input.data file, one structure at a time; see Format.write. The units are those that info.energy_unit and
 * info.length_unit name, eV and Å where there are none, and are declared in a comment.
 */
export async function* writeInputData(
  frames: AsyncIterable<Frame> | Iterable<Frame>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const encoder = new TextEncoder();
  for await (const frame of frames) yield encoder.encode(formatStructure(frame));
}

function formatStructure({ structure, energy, forces, info, arrays, place }: Frame): string {
  const { numbers, positions, cell, pbc } = structure;
  if (numbers.length === 0) throw invalid(place, "at least one atom", "none");
  if (energy === undefined && forces === undefined)
    throw invalid(place, "an energy or forces, found and in known units (--labels)", "neither");
  if (pbc.some(Boolean) && !(cell && pbc.every(Boolean)))
    throw invalid(place, "a structure that is periodic in all three directions or in none", pbc);
  const [E, L] = [info.energy_unit ?? "eV", info.length_unit ?? "Angstrom"].map(String);
  const e = unit("energy", E, `${place} energy_unit`);
  const l = unit("length", L, `${place} length_unit`);
  const three = (values: Float64Array, i: number, factor: number) =>
    [0, 1, 2].map((k) => text(values[3 * i + k] / factor)).join(" ");
  const comment = info.comment === undefined ? [] : String(info.comment).split("\n");
  const lines = ["begin", `comment energy_unit=${E} length_unit=${L}`, ...comment.map((c) => `comment ${c}`)];
  if (cell && pbc[0]) for (let k = 0; k < 3; k++) lines.push(`lattice ${three(cell, k, l)}`);
  const charges = arrays.charges?.kind === "real" ? (arrays.charges.values as Float64Array) : undefined;
  for (const [i, z] of numbers.entries()) {
    const head = `atom ${three(positions, i, l)} ${symbolOf(z)} ${text(charges?.[i] ?? 0)} 0.0`;
    lines.push(forces ? `${head} ${three(forces, i, e / l)}` : head);
  }
  if (energy !== undefined)
    lines.push(`energy ${text(energy / e)}`, `charge ${text(Number(info.charge ?? 0))}`);
  return `${[...lines, "end"].join("\n")}\n`;
}

const real = (values: readonly number[], width: number): AtomArray => ({
  kind: "real",
  width,
  values: Float64Array.from(values),
});

/** The shortest decimal that reads back to the same bits. */
const text = (x: number): string => (Object.is(x, -0) ? "-0" : String(x));
