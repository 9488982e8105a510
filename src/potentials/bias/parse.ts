import { invalid } from "../../error.ts";
import type { Expr } from "../../formula/expression.ts";
import { functions, switching } from "./functions.ts";
import type { GeometricFunction } from "./functions.ts";

/** c·f summed over groups of atoms, counted from 0. */
export interface Part extends Omit<GeometricFunction, "help" | "atoms"> {
  readonly name: string;
  readonly factor: number;
  readonly formula: Expr;
  readonly groups: readonly (readonly number[])[];
}

/** Reads words of a text one after another; errors tell the column. */
export class Reader {
  readonly text: string;
  readonly place: string;
  #at = 0;

  constructor(text: string, place: string) {
    this.text = text;
    this.place = place;
  }

  #space(): void {
    while (this.text[this.#at] === " ") this.#at++;
  }

  /** What the pattern finds next, without moving past it. */
  #match(pattern: RegExp): string | undefined {
    this.#space();
    const sticky = new RegExp(pattern.source, "uy");
    sticky.lastIndex = this.#at;
    return sticky.exec(this.text)?.[0];
  }

  /** What the pattern finds next; undefined, and nothing read, where it does not. */
  take(pattern: RegExp): string | undefined {
    const found = this.#match(pattern);
    this.#at += found?.length ?? 0;
    return found;
  }

  need(pattern: RegExp, expected: string): string {
    return this.take(pattern) ?? this.fail(expected);
  }

  /** A number; degrees with "deg" become radians. */
  number(expected = "a number"): number {
    const x = Number(this.need(/[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/, expected));
    return this.take(/deg\b/) ? (x * Math.PI) / 180 : x;
  }

  positive(expected = "a positive number"): number {
    const at = this.#at;
    const x = this.number(expected);
    if (x > 0) return x;
    this.#at = at;
    return this.fail(expected);
  }

  /** How far it has read. */
  get at(): number {
    return this.#at;
  }

  get done(): boolean {
    this.#space();
    return this.#at >= this.text.length;
  }

  fail(expected: string): never {
    this.#space();
    const rest = this.text.slice(this.#at, this.#at + 24);
    throw invalid(
      `${this.place} "${this.text}" at column ${this.#at + 1}`,
      expected,
      rest ? `"${rest}"` : "the end",
    );
  }
}

/** The numbers of atoms in a text count from 1. */
function atom(reader: Reader): number {
  return Number(reader.need(/[1-9]\d*/, "the number of an atom, from 1 on")) - 1;
}

/** "2,3,7-9" */
function atomList(reader: Reader): number[] {
  const atoms: number[] = [];
  do {
    const first = atom(reader);
    const last = reader.take(/-/) ? atom(reader) : first;
    if (last < first) reader.fail(`an atom after ${first + 1} to end the range`);
    for (let i = first; i <= last; i++) atoms.push(i);
  } while (reader.take(/,/));
  return atoms;
}

/** "1;2,3,4;r0=1.2;n=6;m=12" */
function coordination(reader: Reader, factor: number): Part {
  const centres = atomList(reader);
  reader.need(/;/, '";" and the atoms that are counted');
  const others = atomList(reader);
  const given: Record<string, number> = {};
  while (reader.take(/;/)) {
    const name = reader.need(/r0|n|m/, "r0=, n= or m=");
    reader.need(/=/, '"="');
    given[name] = reader.positive();
  }
  const { r0, n = 6, m = 2 * n } = given;
  if (r0 === undefined) reader.fail("r0=, the distance in Å at which a pair counts n/m");
  if (!(Number.isInteger(n) && Number.isInteger(m) && m > n && m <= 64))
    reader.fail("whole exponents n < m ≤ 64");
  const groups = centres.flatMap((i) => others.filter((j) => j !== i).map((j) => [i, j]));
  if (groups.length === 0) reader.fail("two different atoms");
  return {
    name: "coordination",
    factor,
    formula: switching({ r0, n, m }),
    groups,
    unit: "",
    period: 0,
    external: false,
  };
}

/** "distance(1,2)" */
function call(reader: Reader, factor: number): Part {
  const names = [...Object.keys(functions), "coordination"];
  const name = reader.need(/[a-z]+(?=\s*\()/, `a function (${names.join(", ")})`);
  reader.need(/\(/, '"("');
  if (name === "coordination") {
    const part = coordination(reader, factor);
    reader.need(/\)/, '")"');
    return part;
  }
  const known = functions[name];
  if (!known) throw invalid(`${reader.place} "${reader.text}"`, `a function (${names.join(", ")})`, name);
  const atoms: number[] = [];
  while (atoms.length < (known.atoms ?? 0)) {
    if (atoms.length > 0) reader.need(/,/, `${known.atoms} atoms for ${name}, "," between them`);
    const next = atom(reader);
    if (atoms.includes(next)) reader.fail(`${known.atoms} different atoms for ${name}`);
    atoms.push(next);
  }
  reader.need(/\)/, `")" after ${known.atoms} atoms of ${name}`);
  return { ...known, name, factor, groups: [atoms] };
}

/** "distance(1,2) - 0.5*distance(3,4)": a sum of functions of atoms, each with a factor. */
export function parseParts(reader: Reader): Part[] {
  const parts: Part[] = [];
  let sign = reader.take(/-/) ? -1 : 1;
  for (;;) {
    const scale = reader.take(/(?=[\d.])/) === undefined ? 1 : scaled(reader);
    parts.push(call(reader, sign * scale));
    const next = reader.take(/[-+]/);
    if (!next) return parts;
    sign = next === "-" ? -1 : 1;
  }
}

/** Variables with "," between them: text and parts of each. */
export function parseVariables(reader: Reader): { readonly text: string; readonly parts: Part[] }[] {
  const found: { text: string; parts: Part[] }[] = [];
  do {
    const from = reader.at;
    const parts = parseParts(reader);
    found.push({ text: reader.text.slice(from, reader.at), parts });
  } while (reader.take(/,/));
  return found;
}

function scaled(reader: Reader): number {
  const scale = reader.positive("a factor above 0");
  reader.need(/\*/, '"*" and a function');
  return scale;
}
