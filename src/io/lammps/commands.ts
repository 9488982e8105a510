import type { ZblOptions } from "../../potentials/zbl.ts";
import { numberOf } from "../../structure/elements.ts";
import { pairKey } from "../../structure/statistics.ts";
import { numberFrom } from "../number.ts";

/** One style of `pair_style hybrid/overlay`, or the only one. */
export interface PairStyle {
  readonly name: string;
  readonly args: readonly string[];
  readonly place: string;
}

/** One line `pair_coeff`: types of both atoms, which of the styles, what follows. */
export interface PairCoefficients {
  readonly types: readonly [string, string];
  readonly style: PairStyle;
  readonly args: readonly string[];
  readonly place: string;
}

/** Says that something at a place is wrong. */
export type Complain = (place: string, expected: string, found: string) => void;

/** Styles that mean something here, with the number of arguments they take at least. */
const STYLES: Readonly<Record<string, number>> = { zero: 1, zbl: 2, snap: 0, table: 2, pace: 0 };

/** What the lines `pair_style` and `pair_coeff` of a LAMMPS input say; https://docs.lammps.org/pair_hybrid.html. */
export class LammpsCommands {
  readonly styles: PairStyle[] = [];
  readonly coefficients: PairCoefficients[] = [];
  #hybrid = false;
  readonly #complain: Complain;

  constructor(complain: Complain) {
    this.#complain = complain;
  }

  /** The words after `pair_style`. */
  pairStyle(text: string, place: string): void {
    const [first = "", ...words] = text.trim().split(/\s+/);
    this.#hybrid = first.startsWith("hybrid");
    if (first === "hybrid") this.#complain(place, "hybrid/overlay, where styles add up", first);
    let open: { name: string; args: string[]; place: string } | undefined;
    for (const word of this.#hybrid ? words : [first, ...words]) {
      const starts = /^[a-z]/i.test(word) && (word in STYLES || !open || this.#full(open));
      if (!starts) open?.args.push(word);
      else this.styles.push((open = { name: word, args: [], place }));
      if (starts && !(word in STYLES))
        this.#complain(place, `styles among ${Object.keys(STYLES).join(", ")}`, word);
    }
    for (const { name, args } of this.styles)
      if (args.length < (STYLES[name] ?? 0))
        this.#complain(place, `${STYLES[name]} arguments of ${name}`, args.join(" ") || "none");
  }

  /** Words such as the `spline` of a table are no styles until a style has its arguments. */
  #full({ name, args }: { readonly name: string; readonly args: readonly string[] }): boolean {
    return args.length >= (STYLES[name] ?? 0);
  }

  /** The words after `pair_coeff`. */
  pairCoeff(text: string, place: string): void {
    const [i = "", j = "", ...rest] = text.trim().split(/\s+/);
    const style = this.#hybrid ? this.#styleOf(rest, place) : this.styles[0];
    if (!style) this.#complain(place, "a pair_style before pair_coeff", text);
    else this.coefficients.push({ types: [i, j], style, args: rest, place });
  }

  /** The style that a line names, its words taken off; a number tells apart styles of one name. */
  #styleOf(words: string[], place: string): PairStyle | undefined {
    const name = words.shift() ?? "";
    const named = this.styles.filter((style) => style.name === name);
    if (named.length < 2) {
      if (named.length === 0)
        this.#complain(place, `one of the styles ${this.styles.map((s) => s.name).join(", ")}`, name);
      return named[0] ?? this.styles[0];
    }
    const which = Number(words.shift());
    if (!(which >= 1 && which <= named.length))
      this.#complain(place, `${name} and which of them, 1 … ${named.length}`, String(which));
    return named[which - 1] ?? named[0];
  }

  /** The lines of the styles of a name. */
  linesOf(name: string): PairCoefficients[] {
    return this.coefficients.filter(({ style }) => style.name === name);
  }

  /** Types, from 0, of the atoms that a word such as 2, *, 1*3 means. */
  types(word: string, count: number, place: string): number[] {
    const match = /^(?:(\d+)|(\d*)\*(\d*))$/.exec(word);
    if (!match) this.#complain(place, "a type, or types with *", word);
    const [, one, from, to] = match ?? [];
    const [first, last] = one ? [Number(one), Number(one)] : [Number(from || 1), Number(to || count)];
    if (!(first >= 1 && last <= count)) this.#complain(place, `types 1 … ${count}`, word);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, k) => first - 1 + k);
  }

  /** Pairs of types, the smaller first, that a line is about. */
  pairs({ types: [i, j], place }: PairCoefficients, count: number): [number, number][] {
    const second = this.types(j, count, place);
    const found = this.types(i, count, place).flatMap((a) =>
      second.map((b): [number, number] => [Math.min(a, b), Math.max(a, b)]),
    );
    return found.filter(([a, b], k) => found.findIndex(([c, d]) => a === c && b === d) === k);
  }

  /** The screened repulsion of the lines of style zbl, for elements by type; false where there are none. */
  zbl(elements: readonly string[]): ZblOptions | false {
    const pairs: ZblOptions["pairs"] = {};
    const seen = new Set<string>();
    const numbers = elements.map((symbol) => numberOf(symbol));
    const keyOf = (a: number, b: number) => pairKey(numbers[a], numbers[b]);
    for (const line of this.linesOf("zbl")) {
      const { style, args, place } = line;
      const [inner, outer] = style.args.map((word) => numberFrom(word) ?? NaN);
      if (!(inner >= 0 && inner < outer))
        this.#complain(style.place, "an inner and a larger outer radius of zbl", style.args.join(" "));
      for (const [a, b] of this.pairs(line, elements.length)) {
        const charges = args.map(Number).toSorted((x, y) => x - y);
        const known = [numbers[a], numbers[b]].toSorted((x, y) => x - y);
        if (charges.length !== 2 || charges.some((Z, k) => Z !== known[k]))
          this.#complain(place, `the atomic numbers of ${elements[a]} and ${elements[b]}`, args.join(" "));
        // Types may share an element; a pair of types that two lines name feels both.
        const [before, own] = [pairs[keyOf(a, b)], `${a} ${b}`];
        if (seen.has(own) || (before && (before.inner !== inner || before.outer !== outer)))
          this.#complain(place, "zbl once for each pair of elements", line.types.join(" "));
        seen.add(own);
        pairs[keyOf(a, b)] = { inner, outer };
      }
    }
    if (Object.keys(pairs).length === 0) return false;
    for (const [a] of elements.entries()) for (const [b] of elements.entries()) pairs[keyOf(a, b)] ??= null;
    return { pairs };
  }
}
