import type { Group } from "./groups.ts";

/** Truth and prediction of one frame, what is known (REFERENCE, ESHIFT) taken away from both. */
export interface Judged {
  /** "Training" or "Testing". */
  readonly set: string;
  readonly group: string;
  readonly weights: Group["weights"];
  /** eV per atom, eV/Å, and six components in bar. */
  readonly rows: Readonly<Record<Quantity, Rows>>;
}

interface Rows {
  readonly predicted: ArrayLike<number>;
  readonly reference: ArrayLike<number>;
}

const QUANTITIES = ["Energy", "Force", "Stress"] as const;
type Quantity = (typeof QUANTITIES)[number];

const WEIGHT = { Energy: "energy", Force: "forces", Stress: "stress" } as const;

/** Sums from which the errors of some rows follow. */
class Errors {
  count = 0;
  #absolute = 0;
  #squares = 0;
  readonly #references: number[] = [];

  add({ predicted, reference }: Rows, weight: number): void {
    for (let k = 0; k < reference.length; k++) {
      const error = weight * (predicted[k] - reference[k]);
      this.count++;
      this.#absolute += Math.abs(error);
      this.#squares += error * error;
      this.#references.push(weight * reference[k]);
    }
  }

  /** ncount, mae, rmse, rsq. */
  get cells(): string[] {
    const n = this.count;
    const mean = this.#references.reduce((sum, x) => sum + x, 0) / n;
    const spread = this.#references.reduce((sum, x) => sum + (x - mean) ** 2, 0);
    const numbers = [this.#absolute / n, Math.sqrt(this.#squares / n), 1 - this.#squares / spread];
    return [String(n), ...numbers.map(general)];
  }
}

/** Six significant digits as C's %g prints them. */
function general(x: number): string {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
  if (x === 0) return "0";
  const exponent = Number(x.toExponential(5).split("e")[1]);
  if (exponent < -4 || exponent >= 6) {
    const [digits, power] = x.toExponential(5).split("e");
    const trimmed = digits.replace(/\.?0+$/, "");
    return `${trimmed}e${power[0]}${power.slice(1).padStart(2, "0")}`;
  }
  const fixed = x.toFixed(5 - exponent);
  return fixed.includes(".") ? fixed.replace(/\.?0+$/, "") : fixed;
}

/** FitSNAP's table of errors, of all frames and of each group, with and without the weights of their rows. */
export function metricsTable(frames: readonly Judged[]): string {
  const sets = new Set(frames.map(({ set }) => set));
  const table = new Map<string, Errors>();
  const groups = [...new Set(frames.map(({ group }) => group))].toSorted();
  const nameOf = (group: string, kind: string, set: string, quantity: Quantity) =>
    `(${[group, kind, ...(sets.size > 1 ? [set] : []), quantity].map((word) => `'${word}'`).join(", ")})`;
  for (const group of ["*ALL", ...groups])
    for (const set of sets)
      for (const kind of ["Unweighted", "Weighted"])
        for (const quantity of QUANTITIES) table.set(nameOf(group, kind, set, quantity), new Errors());
  for (const { set, group, weights, rows } of frames)
    for (const quantity of QUANTITIES)
      for (const name of ["*ALL", group]) {
        table.get(nameOf(name, "Unweighted", set, quantity))!.add(rows[quantity], 1);
        table.get(nameOf(name, "Weighted", set, quantity))!.add(rows[quantity], weights[WEIGHT[quantity]]);
      }
  const lines = [...table]
    .filter(([, errors]) => errors.count > 0)
    .map(([name, errors]) => [name, ...errors.cells]);
  return layOut([["", "ncount", "mae", "rmse", "rsq"], ...lines]);
}

function layOut(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, c) => Math.max(...rows.map((row) => row[c].length)));
  const text = rows.map(
    (row) =>
      `| ${row.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))).join(" | ")} |`,
  );
  const rule = `|${widths.map((w, c) => (c === 0 ? `:${"-".repeat(w + 1)}` : `${"-".repeat(w + 1)}:`)).join("|")}|`;
  return `${[text[0], rule, ...text.slice(1)].join("\n")}\n`;
}
