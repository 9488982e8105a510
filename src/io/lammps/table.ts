import { invalid } from "../../error.ts";
import { CubicSpline } from "../../math/cubic-spline.ts";
import { numberFrom } from "../number.ts";
import { linesOf } from "./coefficients.ts";

/** One section of a file of LAMMPS's pair_style table. */
export interface PairTableSection {
  /** Distances, Å, ascending. */
  readonly r: Float64Array;
  /** eV. */
  readonly energy: Float64Array;
  /** −dE/dr as the file has it, eV/Å. */
  readonly force: Float64Array;
}

/** The section with a keyword; https://docs.lammps.org/pair_table.html. */
export function readTable(text: string, keyword: string, file: string): PairTableSection {
  const lines = [...linesOf(text)];
  const at = lines.findIndex(({ words }) => words.length === 1 && words[0] === keyword);
  const heads = lines.filter(({ words }) => words.length === 1).map(({ words }) => words[0]);
  if (at < 0) throw invalid(file, `a section ${keyword}`, heads.join(", ") || "none");
  const head = lines[at + 1];
  const of = (key: string) => {
    const k = head?.words.indexOf(key) ?? -1;
    return k < 0 ? undefined : head.words.slice(k + 1).map(Number);
  };
  const N = of("N")?.[0] ?? NaN;
  if (!(Number.isInteger(N) && N > 1))
    throw invalid(
      `${file}:${head?.line ?? lines[at].line}`,
      "N and the number of points",
      head?.words.join(" ") ?? "nothing",
    );
  const unknown = head.words.find(
    (word) => /^[A-Z]/i.test(word) && !["N", "R", "RSQ", "FPRIME"].includes(word),
  );
  if (unknown) throw invalid(`${file}:${head.line}`, "N, R, RSQ or FPRIME", unknown);
  const rows = lines.slice(at + 2, at + 2 + N).map(({ words, line }) => {
    const numbers = words.map(numberFrom);
    if (numbers.length !== 4 || numbers.includes(undefined))
      throw invalid(`${file}:${line}`, "a number, r, E and F", words.join(" "));
    return numbers as number[];
  });
  if (rows.length < N) throw invalid(file, `${N} points of ${keyword}`, `${rows.length}`);
  const column = (k: number) => Float64Array.from(rows, (row) => row[k]);
  return { r: distances(of("R"), of("RSQ"), column(1)), energy: column(2), force: column(3) };
}

/** LAMMPS takes the distances of R and RSQ from their ends, not from the column. */
function distances(
  even: number[] | undefined,
  squares: number[] | undefined,
  column: Float64Array,
): Float64Array {
  const n = column.length - 1;
  if (even) return column.map((_, k) => even[0] + ((even[1] - even[0]) * k) / n);
  if (!squares) return column;
  const [a, b] = [squares[0] ** 2, squares[1] ** 2];
  return column.map((_, k) => Math.sqrt(a + ((b - a) * k) / n));
}

/** Energies where atoms can be, eV. */
const REACHED = 100;

/**
 * Largest difference of a table's forces from the slope of the spline through its energies, relative to 1 eV/Å or more,
 * where energies are below 100 eV.
 */
export function inconsistency({ r, energy, force }: PairTableSection): {
  readonly r: number;
  readonly error: number;
} {
  const spline = new CubicSpline(r, energy, -force[0], -force[r.length - 1]);
  let [worst, where] = [0, r[0]];
  r.forEach((x, k) => {
    if (energy[k] > REACHED) return;
    spline.evaluate(x);
    const error = Math.abs(spline.slope + force[k]) / Math.max(1, Math.abs(force[k]));
    if (error > worst) [worst, where] = [error, x];
  });
  return { r: where, error: worst };
}

/**
 * The text of a section: `points` distances whose squares are evenly spaced, as `pair_style table spline` has them, so
 * that LAMMPS computes with these numbers themselves.
 */
export function writeTable(
  keyword: string,
  spline: CubicSpline,
  first: number,
  last: number,
  points: number,
  title: string,
): string {
  const [a, b] = [first * first, last * last];
  const lines = [`# ${title}`, "", keyword, `N ${points} RSQ ${first} ${last}`, ""];
  for (let k = 0; k < points; k++) {
    const r = k === 0 ? first : k === points - 1 ? last : Math.sqrt(a + ((b - a) * k) / (points - 1));
    spline.evaluate(r);
    lines.push(`${k + 1} ${r} ${spline.value} ${-spline.slope}`);
  }
  return `${lines.join("\n")}\n`;
}
