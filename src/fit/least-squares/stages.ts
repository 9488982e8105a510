import type { Expected } from "../course.ts";
import type { SettledSolver } from "./options.ts";

/** What a fit by least squares does one after another. */
export const STAGE = {
  rows: "making rows",
  solve: "solving",
  leaveOut: "leaving parts out",
  predict: "predicting what was left out",
  deviations: "deviations",
  errors: "errors of all sets",
} as const;

/** Seconds that pieces of the work take on this machine, measured. */
export interface Rates {
  /** A row is made, and goes into a triangle. */
  readonly make: number;
  readonly reduce: number;
  /** A floating-point operation of a matrix product. */
  readonly product: number;
  /** A number of a large matrix that is read, and a triangle [P, P] made bidiagonal. */
  readonly read: number;
  readonly bidiagonal: number;
}

/** The size of a problem. */
export interface Size {
  readonly solver: SettledSolver;
  /** Rows in blocks, those without weight included, and those of frames of no training set. */
  readonly rows: number;
  readonly others: number;
  /** Energies whose deviations are worked out. */
  readonly energies: number;
  readonly parameters: number;
  readonly folds: number;
  readonly lanes: number;
  readonly prior: boolean;
  readonly threads: number;
}

/** Passes over a triangle for a condition number: a few dozen iterations of each kind. */
const PASSES = 120;
/** Parameters of lasso and relevance determination settle after so many solutions, about. */
const SOLUTIONS = 60;
/** A prediction takes about this share of making the rows of its frame. */
export const PREDICTION = 0.4;

/** Seconds in which engines compile what a stage is done with. */
const COMPILING = { rows: 0.3, solve: 0.2, errors: 0.1 };

/** The stages and their seconds, from counts of what is done and measured rates. */
export function stagesOf(size: Size, rates: Rates): Expected[] {
  const { solver, rows, parameters: P, folds: F, lanes, threads } = size;
  const triangle = (P * P) / 2;
  // A triangle is merged into another one at 2/3 P³ operations, of which m rows appended take 2 m P².
  const merge = (rates.reduce * P) / 3;
  const copy = 4 * triangle * rates.read;
  const system = copy + rates.reduce * P;
  const inverse = (2 / 3) * P ** 3 * rates.product + 2 * copy;
  const condition = PASSES * triangle * rates.read;
  const penalised = solver !== "qr" && solver !== "svd";
  const solution = inverse + copy + (penalised ? merge : 0);
  const spread = F > 1 ? F * Math.log2(F) * merge + F * system : 0;
  const all = (lanes - F + F - 1 + (size.prior ? 1 : 0)) * merge + system;
  const searched =
    solver === "ridge"
      ? spread + F * rates.bidiagonal
      : solver === "bayesian-ridge"
        ? rates.bidiagonal
        : solver === "ard" || solver === "lasso"
          ? SOLUTIONS * solution
          : condition;
  const predicted = (count: number) => (PREDICTION * rates.make * count) / threads;
  return [
    {
      name: STAGE.rows,
      seconds: COMPILING.rows + (rows * (rates.make + rates.reduce)) / Math.min(threads, lanes),
    },
    // The loss of the solution is that of a prediction.
    { name: STAGE.solve, seconds: COMPILING.solve + all + searched + solution + predicted(rows) },
    { name: STAGE.leaveOut, seconds: spread + (F > 1 && penalised ? F * merge : 0) },
    { name: STAGE.predict, seconds: F > 1 ? predicted(rows) : 0 },
    {
      name: STAGE.deviations,
      seconds: F * (2 * P ** 3 * rates.product + 2 * copy) + 2 * condition + copy + rates.reduce * P,
    },
    {
      name: STAGE.errors,
      seconds:
        COMPILING.errors + predicted(rows + size.others) + (size.energies * triangle * rates.read) / threads,
    },
  ];
}
