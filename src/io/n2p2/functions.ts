import type { SymmetryFunction } from "../../descriptors/symmetry-functions/options.ts";
import { invalid } from "../../error.ts";
import { findNumber, numberOf, symbolOf } from "../../structure/elements.ts";
import { numberFrom } from "../number.ts";
import type { Setting } from "./settings.ts";

type Cutoff = NonNullable<Extract<SymmetryFunction, { type: "G2" }>["cutoff"]>;
/** Cutoff function and, where it is not 0, inner radius of all functions of a folder. */
export type CommonCutoff = Pick<Cutoff, "type" | "inner">;

/** surfit's names of n2p2's cutoff_type 0 … 8. */
export const CUTOFF_TYPES = [
  "hard",
  "cosine",
  "tanh3",
  "tanh3-one",
  "exponential",
  "poly1",
  "poly2",
  "poly3",
  "poly4",
] as const;

/** surfit's names of the shapes of compact functions. */
const SHAPES = { p1: "poly1", p2: "poly2", p3: "poly3", p4: "poly4", e: "exponential" } as const;

/** What the numbers on a line are, in the order in which they stand, by type. */
const PARAMETERS: Readonly<Record<number, readonly string[]>> = {
  2: ["eta", "rs", "rc"],
  3: ["eta", "lambda", "zeta", "rc", "rs"],
  9: ["eta", "lambda", "zeta", "rc", "rs"],
  12: ["eta", "rs", "rc"],
  13: ["eta", "rs", "lambda", "zeta", "rc"],
  20: ["rl", "rc"],
  21: ["rl", "rc", "left", "right"],
  22: ["rl", "rc", "left", "right"],
  23: ["rl", "rc"],
  24: ["rl", "rc", "left", "right"],
  25: ["rl", "rc", "left", "right"],
};
/** How many neighbour elements a line names, by type; 0 for weighted functions. */
export const NEIGHBOURS: Readonly<Record<number, number>> = { 2: 1, 3: 2, 9: 2, 20: 1, 21: 2, 22: 2 };

/** A symfunction_short line: lengths in the file's unit, neighbours as ascending atomic numbers. */
export interface FunctionLine {
  readonly type: number;
  readonly neighbours: readonly number[];
  readonly values: Readonly<Record<string, number>>;
  /** "p2", "p2a", "e" … of compact functions, else "". */
  readonly subtype: string;
}

/** Reads type and what follows from the words of a line, without the centre element. */
export function parseFunction(words: readonly string[], { place }: Setting): FunctionLine {
  const type = Number(words[0]);
  const names = PARAMETERS[type];
  if (!names)
    throw invalid(place, `a symmetry function of type ${Object.keys(PARAMETERS).join(", ")}`, words[0]);
  const own = NEIGHBOURS[type] ?? 0;
  const neighbours = words.slice(1, 1 + own).map((s) => findNumber(s) ?? 0);
  const compact = type >= 20;
  const numbers = words.slice(1 + own, compact ? -1 : undefined).map(numberFrom);
  // The shift of types 3 and 9 may be left out.
  if (names.at(-1) === "rs" && numbers.length === names.length - 1) numbers.push(0);
  const subtype = compact ? (words.at(-1) ?? "") : "";
  const good =
    neighbours.length === own &&
    neighbours.every((z) => z > 0) &&
    numbers.length === names.length &&
    numbers.every((x) => x !== undefined && Number.isFinite(x)) &&
    (!compact || /^(p[1-4]a?|e)$/.test(subtype));
  const form = ["elements", "element", "two elements"];
  if (!good)
    throw invalid(
      place,
      `type ${type}, ${own ? `${form[own]}, ` : ""}${names.join(", ")}${compact ? ", p1 … p4, p1a … p4a or e" : ""}`,
      words.join(" "),
    );
  const values = Object.fromEntries(names.map((name, k) => [name, numbers[k]!]));
  return { type, neighbours: neighbours.toSorted((a, b) => a - b), values, subtype };
}

/** The words of a line behind the centre element. */
export function formatFunction({ type, neighbours, values, subtype }: FunctionLine): string {
  const names = PARAMETERS[type];
  return [type, ...neighbours.map(symbolOf), ...names.map((name) => values[name]), subtype].join(" ").trim();
}

/** Names by which n2p2 sorts functions of a type: the order of features in its scaling and weight files. */
const EXPONENTIAL_KEYS = ["rc", "eta", "rs", "zeta", "lambda", "e1", "e2"];
const COMPACT_KEYS = ["e1", "e2", "rc", "rl", "left", "right"];

/** Which of two functions of a centre n2p2 puts first: < 0 for a, > 0 for b. */
export function compareFunctions(a: FunctionLine, b: FunctionLine): number {
  if (a.type !== b.type) return a.type - b.type;
  if (a.subtype !== b.subtype) return a.subtype < b.subtype ? -1 : 1;
  const value = ({ values, neighbours: [e1 = 0, e2 = 0] }: FunctionLine, key: string): number =>
    key === "e1" ? e1 : key === "e2" ? e2 : (values[key] ?? 0);
  for (const key of a.type < 20 ? EXPONENTIAL_KEYS : COMPACT_KEYS) {
    const d = value(a, key) - value(b, key);
    if (d !== 0) return d;
  }
  return 0;
}

/** The function of a line; `length`: what one of the file's lengths is in Å. */
export function toFunction(line: FunctionLine, common: CommonCutoff, length: number): SymmetryFunction {
  const { type, values, subtype } = line;
  const symbols = line.neighbours.map(symbolOf);
  const one = symbols.length > 0 ? { neighbour: symbols[0] } : {};
  const two = symbols.length > 0 ? { neighbours: [symbols[0], symbols[1]] as [string, string] } : {};
  const radius = values.rc * length;
  if (type < 20) {
    const width = { eta: values.eta / length / length, shift: values.rs * length };
    const cutoff = { ...common, radius };
    if (type === 2 || type === 12) return { type: "G2", ...one, ...width, cutoff };
    const { zeta, lambda } = values;
    return { type: type === 9 ? "G5" : "G4", ...two, ...width, zeta, lambda, cutoff };
  }
  const shape = SHAPES[subtype.replace("a", "") as keyof typeof SHAPES];
  const support = { from: values.rl * length, to: radius, shape, asymmetric: subtype.endsWith("a") };
  if (type === 20 || type === 23) return { type: "C2", ...one, ...support };
  const angles: [number, number] = [values.left, values.right];
  return { type: type === 21 || type === 24 ? "C4" : "C5", ...two, ...support, angles };
}

/** Symbols of the neighbours that a function is of; none for a weighted one. */
function neighboursOf(f: SymmetryFunction): readonly string[] {
  if ("neighbours" in f) return f.neighbours ?? [];
  return "neighbour" in f && f.neighbour !== undefined ? [f.neighbour] : [];
}

/** The line of a function; `cutoff` is the one of the set. Throws where n2p2 has no such function. */
export function fromFunction(
  f: SymmetryFunction,
  cutoff: Cutoff,
  length: number,
  place: string,
): FunctionLine {
  const neighbours = neighboursOf(f)
    .map(numberOf)
    .toSorted((a, b) => a - b);
  const weighted = neighbours.length === 0;
  if (f.type === "C2" || f.type === "C4" || f.type === "C5") {
    const [subtype] = Object.entries(SHAPES).find(([, shape]) => shape === f.shape)!;
    if (f.asymmetric && subtype === "e")
      throw invalid(place, "a symmetric exponential bump", "an asymmetric one");
    const angles: Record<string, number> = f.type === "C2" ? {} : { left: f.angles[0], right: f.angles[1] };
    const type = { C2: 20, C4: 21, C5: 22 }[f.type] + (weighted ? 3 : 0);
    const values = { rl: f.from / length, rc: f.to / length, ...angles };
    return { type, neighbours, values, subtype: f.asymmetric ? `${subtype}a` : subtype };
  }
  const rc = (f.cutoff ?? cutoff).radius / length;
  const width = (eta: number, shift: number) => ({ eta: eta * length * length, rs: shift / length, rc });
  if (f.type === "G1") return { type: weighted ? 12 : 2, neighbours, values: width(0, 0), subtype: "" };
  if (f.type === "G2")
    return { type: weighted ? 12 : 2, neighbours, values: width(f.eta, f.shift), subtype: "" };
  if (f.type === "G3" || f.type === "ANI")
    throw invalid(place, "a function that n2p2 knows", `${f.type}, which it does not`);
  if (f.type === "G5" && weighted)
    throw invalid(place, "a function that n2p2 knows", "a weighted G5, which it does not");
  const values = { ...width(f.eta, f.shift), lambda: f.lambda, zeta: f.zeta };
  return { type: f.type === "G5" ? 9 : weighted ? 13 : 3, neighbours, values, subtype: "" };
}
