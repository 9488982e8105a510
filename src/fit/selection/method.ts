import type { Matrix } from "../../math/left-vectors.ts";

/** Scaled features of the atoms of one element: rows [atoms, width], and the candidate of each atom, ascending. */
export interface AtomRows {
  readonly width: number;
  readonly rows: Float64Array;
  readonly frame: Int32Array;
}

/** What is known of the frames to choose from; what a method does not need may be absent. */
export interface Candidates {
  readonly count: number;
  /** eV per atom above the lowest of the same composition, [count]. */
  readonly energies?: Float64Array;
  /** One vector per frame, in scaled features. */
  readonly means?: Matrix;
  /** One entry per element; where present, frames are compared atom by atom. */
  readonly atoms?: readonly AtomRows[];
}

/** What the user may say; a method names those that it uses. */
export interface SelectionOptions {
  /** How many candidates to choose. */
  readonly count: number;
  /** The first one chosen. */
  readonly start?: number;
  /** Number of singular vectors. */
  readonly rank?: number;
  /** Of the random draw. */
  readonly seed?: number;
}

/** Candidates in the order in which they were chosen, and a number that says why. */
export interface Selection {
  readonly chosen: readonly number[];
  readonly scores: readonly number[];
}

/** What the table of methods holds: adding one is one file, one line in `table.ts`, one line in docs/select.md. */
export interface SelectionMethod {
  readonly name: string;
  readonly summary: string;
  /** What a score is, with its unit. */
  readonly score: string;
  /** What of the candidates must be there. */
  readonly needs: readonly ("energies" | "means")[];
  /** Options beside `count` that change the choice, and "atoms" if it can compare atom by atom. */
  readonly uses: readonly ("start" | "rank" | "seed" | "atoms")[];
  /** Chooses `options.count` of the candidates, which are at least as many; ties go to the lower number. */
  readonly select: (candidates: Candidates, options: SelectionOptions) => Selection;
}

/** A part of the candidates that a method needs, or a fault of the caller. */
export function need<K extends "energies" | "means">(
  candidates: Candidates,
  part: K,
): NonNullable<Candidates[K]> {
  const found = candidates[part];
  if (!found) throw new Error(`the candidates have no ${part}`);
  return found;
}

/** The number with the greatest value among those that are open, the lower one of equals; −1 where none is open. */
export function greatest(values: Float64Array, open: (k: number) => boolean): number {
  let best = -1;
  for (let k = 0; k < values.length; k++) if (open(k) && (best < 0 || values[k] > values[best])) best = k;
  return best;
}
