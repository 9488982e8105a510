import { InputError, invalid } from "../../error.ts";
import { findNumber } from "../../structure/elements.ts";
import { Problems } from "../format.ts";
import { numberFrom } from "../number.ts";

/** What a `.snapcoeff` file says of one element. */
export interface ElementCoefficients {
  readonly symbol: string;
  /** radelem: half of what its cutoff is of rcutfac. */
  readonly radius: number;
  /** wj: what it adds to the density of a neighbour. */
  readonly weight: number;
  /** β₀, β₁ … β_K, and of a quadratic model the upper triangle of α row by row; eV. */
  readonly coefficients: Float64Array;
}

/** Lines of a file of LAMMPS that are neither empty nor a comment, with their numbers. */
export function* linesOf(text: string): Generator<{ words: string[]; line: number }> {
  for (const [k, whole] of text.split("\n").entries()) {
    const content = whole.split("#")[0].trim();
    if (content !== "") yield { words: content.split(/\s+/), line: k + 1 };
  }
}

/** The elements of a `.snapcoeff` file, in its order; https://docs.lammps.org/pair_snap.html. */
export function readCoefficients(text: string, file: string): ElementCoefficients[] {
  const lines = [...linesOf(text)];
  const problems = new Problems();
  const [head] = lines;
  if (!head) throw invalid(file, "the number of elements and of coefficients", "an empty file");
  const [elements, count] = head.words.map(Number);
  if (!(Number.isInteger(elements) && elements > 0 && Number.isInteger(count) && count > 0))
    throw invalid(`${file}:${head.line}`, "the number of elements and of coefficients", head.words.join(" "));
  const expected = 1 + elements * (count + 1);
  if (lines.length !== expected)
    throw invalid(
      file,
      `${expected} lines with content: a head, and ${count} coefficients of each of ${elements} elements`,
      `${lines.length}`,
    );
  const found = Array.from({ length: elements }, (_, e) =>
    elementOf(lines.slice(1 + e * (count + 1), 1 + (e + 1) * (count + 1)), file, problems),
  );
  problems.raise();
  const twice = found.find(({ symbol }, k) => found.findIndex((other) => other.symbol === symbol) < k);
  if (twice) throw invalid(file, "each element once", `${twice.symbol} twice`);
  return found;
}

function elementOf(
  lines: readonly { words: string[]; line: number }[],
  file: string,
  problems: Problems,
): ElementCoefficients {
  const [{ words, line }, ...rest] = lines;
  const [symbol, radius, weight] = [words[0], numberFrom(words[1] ?? ""), numberFrom(words[2] ?? "")];
  if (findNumber(symbol) === undefined || radius === undefined || weight === undefined || words.length !== 3)
    problems.add(`${file}:${line}`, "an element, its radius and its weight", words.join(" "));
  const coefficients = Float64Array.from(rest, (row) => {
    const value = row.words.length === 1 ? numberFrom(row.words[0]) : undefined;
    if (value === undefined || !Number.isFinite(value))
      problems.add(`${file}:${row.line}`, "one coefficient", row.words.join(" "));
    return value ?? 0;
  });
  return { symbol, radius: radius ?? 0, weight: weight ?? 0, coefficients };
}

/** The text of a `.snapcoeff` file; `names` are written behind the coefficients, `title` above them. */
export function writeCoefficients(
  elements: readonly ElementCoefficients[],
  title: string,
  names: readonly string[] = [],
): string {
  const count = elements[0].coefficients.length;
  const odd = elements.find(({ coefficients }) => coefficients.length !== count);
  if (odd)
    throw new InputError([
      {
        place: `coefficients of ${odd.symbol}`,
        expected: `${count}, as of ${elements[0].symbol}`,
        found: String(odd.coefficients.length),
      },
    ]);
  const lines = [`# ${title}`, "", `${elements.length} ${count}`];
  for (const { symbol, radius, weight, coefficients } of elements) {
    lines.push(`${symbol} ${radius} ${weight}`);
    coefficients.forEach((x, k) => {
      const number = ` ${digits(x)}`;
      lines.push(names[k] === undefined ? number : `${number.padEnd(32)}#  ${names[k]}`);
    });
  }
  return `${[...lines, "", "# End of potential"].join("\n")}\n`;
}

/** The shortest decimal that reads back to the same bits, in a form that every reader of LAMMPS takes. */
export const digits = (x: number): string =>
  Object.is(x, -0) ? "-0.0" : Number.isInteger(x) ? `${x}.0`.replace(/e(.*)\.0$/, "e$1") : String(x);
