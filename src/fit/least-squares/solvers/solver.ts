import type { LeastSquaresOptions } from "../options.ts";
import type { Work } from "../../../math/work.ts";
import type { System } from "../system.ts";

/** What a solver works on. */
export interface SolverInput {
  /** All training rows. */
  readonly system: System;
  /** Number of them. */
  readonly rows: number;
  readonly options: LeastSquaresOptions;
  /** How many folds can be left out; 0 where there is nothing to leave out. */
  readonly folds: number;
  /** Calls `use` with the problem of all but one fold and with the squared error of parameters x on that fold. */
  leaveOut(use: (rest: System, errorOf: (x: Float64Array) => number) => Work<void>): Work<void>;
}

/** Parameters in the scale and order of the system's columns. */
export interface Solution {
  readonly x: Float64Array;
  /** C with C Cᵀ = covariance / noise², [P, width], rows in the order of the columns. */
  readonly factor: Float64Array;
  readonly width: number;
  /** The same way to solve, all choices kept, for other rows. */
  readonly again: (rest: System) => Work<Float64Array>;
  /** Noise of a weighted row. */
  readonly noise: number;
  /** Effective number of parameters. */
  readonly effective: number;
  /** Directions or columns in use. */
  readonly rank: number;
  /** Chosen strength λ, where there is one. */
  readonly strength: number | null;
  /** What the user should know, one sentence each. */
  readonly notes: readonly string[];
}

/** A way to solve. */
export type Solver = (input: SolverInput) => Work<Solution>;

/** The penalty of strength λ on all columns but the free ones. */
export function uniform({ columns: { free }, parameters }: System, lambda: number): Float64Array {
  return new Float64Array(parameters).fill(lambda, free);
}

/** Noise of a weighted row: the squared error over the degrees of freedom that are left. */
export const noiseOf = (error: number, rows: number, effective: number): number =>
  Math.sqrt(error / Math.max(1, rows - effective));

/** The solution with a penalty for each column; columns of infinite penalty are not used. */
export function* penalised(
  { system, rows }: SolverInput,
  penalty: Float64Array | null,
  strength: number | null,
  notes: readonly string[] = [],
): Work<Solution> {
  const { x, inverse, error, effective } = yield* system.solve(penalty);
  const P = system.parameters;
  const noise = noiseOf(error, rows, effective);
  const unused = new Set([
    ...system.empty,
    ...Array.from(penalty ?? []).flatMap((l, k) => (l < Infinity ? [] : [k])),
  ]);
  const rank = P - unused.size;
  const again = (rest: System) => rest.minimum(penalty);
  return { x, factor: inverse, width: P, again, noise, effective, rank, strength, notes };
}
