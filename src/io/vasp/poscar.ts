import { invalid } from "../../error.ts";
import { fromFractional, volume } from "../../structure/cell.ts";
import { findNumber, formulaOf, symbolOf } from "../../structure/elements.ts";
import type { AtomArray, Frame } from "../../structure/structure.ts";
import { Problems } from "../format.ts";
import type { ByteStream, Format, ReadOptions } from "../format.ts";
import { allLines, wordsOf } from "../lines.ts";
import { numberFrom } from "../number.ts";

/** POSCAR and CONTCAR of VASP: one crystal, with what may move and with velocities. */
export const poscar: Format = {
  name: "poscar",
  summary: "POSCAR and CONTCAR of VASP, versions 4 and 5: one crystal",
  extensions: ["poscar", "contcar", ".vasp"],
  carries: ["cell", "pbc"],
  keeps: ["comment", "move_mask", "velocities"],
  single: true,
  fits: ({ structure: { numbers, cell, pbc } }) => numbers.length > 0 && cell !== null && pbc.every(Boolean),
  url: "https://www.vasp.at/wiki/index.php/POSCAR",
  statesUnits: true,
  read: readPoscar,
  write: writePoscar,
};

/** The frame of a POSCAR: velocities (Å/fs) and move_mask (selective dynamics) are arrays, the title is `comment`. */
async function* readPoscar(
  bytes: ByteStream,
  file: string,
  { types }: ReadOptions = {},
): AsyncGenerator<Frame, void, undefined> {
  const reader = new Reader(await allLines(bytes, file), file);
  const frame = reader.frame(types);
  reader.problems.raise();
  yield frame;
}

/** The lines of a POSCAR, taken from top to bottom. */
class Reader {
  readonly problems = new Problems();
  readonly #lines: readonly string[];
  readonly #file: string;
  /** Lines taken. */
  #at = 0;

  constructor(lines: readonly string[], file: string) {
    this.#lines = lines;
    this.#file = file;
  }

  frame(types: readonly string[] | undefined): Frame {
    const comment = this.#take("a title").trim();
    const scale = this.#scale();
    const raw = Float64Array.from([0, 1, 2].flatMap(() => this.#numbers(3, "a lattice vector")));
    // Below, places in the cell could not be computed.
    this.problems.raise();
    const cell = this.#scaled(raw, scale);
    const numbers = this.#atoms(comment, types);
    let mode = this.#take("Direct or Cartesian").trim();
    const selective = /^s/i.test(mode);
    if (selective) mode = this.#take("Direct or Cartesian").trim();
    if (!/^[dck]/i.test(mode)) this.#problem("Direct or Cartesian", `"${mode.slice(0, 40)}"`);
    const factors = this.#factors(raw, scale);
    const { values, mask } = this.#sites(numbers.length, selective);
    const positions = /^d/i.test(mode)
      ? fromFractional(values, cell)
      : values.map((x, k) => x * factors[k % 3]);
    const velocities = this.#velocities(numbers.length);
    const arrays: Record<string, AtomArray> = {};
    if (mask) arrays["move_mask"] = { kind: "logical", width: 3, values: mask };
    if (velocities) arrays["velocities"] = { kind: "real", width: 3, values: velocities };
    return {
      structure: { numbers, positions, cell, pbc: [true, true, true] },
      info: comment === "" ? {} : { comment },
      arrays,
      place: `${this.#file}:1`,
    };
  }

  #problem(expected: string, found: string): void {
    this.problems.add(`${this.#file}:${this.#at}`, expected, found);
  }

  #take(expected: string): string {
    if (this.#at === this.#lines.length) {
      this.#at++;
      this.#problem(expected, "the end of the file");
      this.problems.raise();
    }
    return this.#lines[this.#at++];
  }

  #numbers(count: number, what: string): number[] {
    const line = this.#take(what);
    const found = wordsOf(line)
      .slice(0, count)
      .map((word) => numberFrom(word));
    if (found.length === count && found.every((x) => x !== undefined && Number.isFinite(x)))
      return found as number[];
    this.#problem(`${what}: ${count} finite numbers`, `"${line.trim().slice(0, 60)}"`);
    return Array.from({ length: count }, () => 0);
  }

  /** One factor, three factors of x, y, z, or less the volume. */
  #scale(): readonly number[] {
    const line = this.#take("a scaling factor");
    const words = wordsOf(line).map((word) => numberFrom(word));
    // Whatever follows the first number is a comment, unless it makes three.
    const scale = (
      words[1] !== undefined && words[2] !== undefined ? words.slice(0, 3) : words.slice(0, 1)
    ) as number[];
    const good = scale.length === 3 ? scale.every((s) => s > 0) : Math.abs(scale[0] ?? NaN) > 0;
    if (!good || !scale.every(Number.isFinite))
      this.#problem("a factor, three positive ones, or minus the volume in Å³", `"${line.trim()}"`);
    return scale;
  }

  #factors(raw: Float64Array, scale: readonly number[]): readonly number[] {
    if (scale.length === 3) return scale;
    const [s] = scale;
    const factor = s > 0 ? s : Math.cbrt(-s / volume(raw));
    return [factor, factor, factor];
  }

  #scaled(raw: Float64Array, scale: readonly number[]): Float64Array {
    if (!(volume(raw) > 0)) {
      this.#problem("three lattice vectors that span a volume", [...raw].join(" "));
      this.problems.raise();
    }
    const factors = this.#factors(raw, scale);
    return raw.map((x, k) => x * factors[k % 3]);
  }

  /** Atomic numbers: a line of symbols and one of counts, or counts alone and symbols from the types given or the title. */
  #atoms(comment: string, types: readonly string[] | undefined): Uint8Array {
    let words = wordsOf(this.#take("symbols or numbers of atoms"));
    let symbols = types ?? [];
    if (!/^\d/.test(words[0] ?? "")) {
      symbols = words.map((word) => word.replace(/[_/.].*$/, ""));
      words = wordsOf(this.#take("numbers of atoms"));
    } else if (symbols.length === 0) symbols = wordsOf(comment);
    const end = words.findIndex((word) => !/^\d+$/.test(word));
    const counts = (end < 0 ? words : words.slice(0, end)).map(Number);
    if (counts.length === 0) this.#problem("numbers of atoms", `"${words.join(" ")}"`);
    const numbers = counts.flatMap((count, k) => {
      const z = findNumber(symbols[k] ?? "");
      if (z === undefined)
        this.#problem(
          `the element of each of ${counts.length} kinds (a line of symbols, the title, or types given)`,
          symbols[k] ?? "none",
        );
      return Array.from({ length: count }, () => z ?? 1);
    });
    if (numbers.length === 0) this.#problem("at least one atom", "none");
    this.problems.raise();
    return Uint8Array.from(numbers);
  }

  #sites(n: number, selective: boolean): { values: Float64Array; mask: Uint8Array | null } {
    const values = new Float64Array(3 * n);
    const mask = selective ? new Uint8Array(3 * n) : null;
    for (let i = 0; i < n; i++) {
      values.set(this.#numbers(3, `position ${i + 1} of ${n}`), 3 * i);
      if (!mask) continue;
      const flags = wordsOf(this.#lines[this.#at - 1]).slice(3, 6);
      if (flags.length === 3 && flags.every((flag) => /^\.?[tf]/i.test(flag)))
        mask.set(
          flags.map((flag) => Number(/^\.?t/i.test(flag))),
          3 * i,
        );
      else this.#problem("T or F for x, y and z of selective dynamics", `"${flags.join(" ")}"`);
    }
    return { values, mask };
  }

  /** Å/fs, where the file goes on after the positions; what a CONTCAR has after them belongs to VASP's integrator. */
  #velocities(n: number): Float64Array | null {
    const ended = () => this.#lines.slice(this.#at).every((line) => line.trim() === "");
    if (ended()) return null;
    // "Lattice velocities and vectors", a number, six vectors.
    if (/^\s*lattice/i.test(this.#lines[this.#at])) this.#at += 8;
    if (ended()) return null;
    const mode = this.#take("velocities").trim();
    if (/^d/i.test(mode)) this.#problem("Cartesian velocities", "Direct ones, whose time step is not known");
    else if (mode !== "" && !/^[ck]/i.test(mode))
      this.#problem(`an empty line or "Cartesian" before velocities`, `"${mode.slice(0, 40)}"`);
    this.problems.raise();
    return Float64Array.from(
      Array.from({ length: n }, (_, i) => this.#numbers(3, `velocity ${i + 1} of ${n}`)).flat(),
    );
  }
}

/** A POSCAR with the atoms in their order, positions Cartesian; velocities in Å/fs; a second frame is an error. */
async function* writePoscar(
  frames: AsyncIterable<Frame> | Iterable<Frame>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let before = "";
  for await (const frame of frames) {
    if (before !== "")
      throw invalid(frame.place, "one frame, which is what a POSCAR holds", `another after ${before}`);
    before = frame.place;
    yield new TextEncoder().encode(textOf(frame));
  }
}

/** Three numbers of row i. */
const row = (values: ArrayLike<number>, i: number): string =>
  [0, 1, 2].map((k) => text(values[3 * i + k])).join(" ");

function textOf({ structure: { numbers, positions, cell, pbc }, info, arrays, place }: Frame): string {
  if (!cell || !pbc.every(Boolean))
    throw invalid(place, "a structure that is periodic in three directions", pbc);
  if (numbers.length === 0) throw invalid(place, "at least one atom", "none");
  const title =
    String(info["comment"] ?? "")
      .replace(/\s+/g, " ")
      .trim() || formulaOf(numbers);
  const runs: [z: number, count: number][] = [];
  for (const z of numbers)
    if (runs.at(-1)?.[0] === z) runs.at(-1)![1]++;
    else runs.push([z, 1]);
  const { move_mask: mask, velocities } = arrays;
  const flags = mask?.kind === "logical" && (mask.width === 1 || mask.width === 3) ? mask : undefined;
  const flagsOf = (i: number) =>
    flags
      ? [0, 1, 2].map((k) => (flags.values[flags.width === 1 ? i : 3 * i + k] ? " T" : " F")).join("")
      : "";
  const lines = [
    title,
    "1.0",
    ...[0, 1, 2].map((k) => row(cell, k)),
    runs.map(([z]) => symbolOf(z)).join(" "),
    runs.map(([, count]) => count).join(" "),
    ...(flags ? ["Selective dynamics"] : []),
    "Cartesian",
    ...Array.from(numbers, (_, i) => row(positions, i) + flagsOf(i)),
  ];
  if (velocities?.kind === "real" && velocities.width === 3)
    lines.push("", ...Array.from(numbers, (_, i) => row(velocities.values as Float64Array, i)));
  return `${lines.join("\n")}\n`;
}

/** The shortest decimal that reads back to the same bits. */
const text = (x: number): string => (Object.is(x, -0) ? "-0.0" : String(x));
