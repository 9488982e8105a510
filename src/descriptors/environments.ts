import type { Neighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";

/**
 * The surroundings of a set of centre atoms of one or several structures, laid out for the loop skeletons.
 * Centres are sorted by element (stable), so the features of one element form one contiguous matrix.
 * The pairs of a centre are sorted by the neighbour's element (stable).
 */
export interface Environments {
  /** Number of centres. */
  readonly count: number;
  /** Number of atoms of all structures together. */
  readonly atoms: number;
  /** Atomic numbers of the model; element indices below point into it. */
  readonly elements: readonly number[];
  /** Centres of element e are rows starts[e] … starts[e+1], [S + 1]. */
  readonly starts: Int32Array;
  /** Atom number of each centre, [count]. */
  readonly centre: Int32Array;
  /** Structure number of each centre, [count] (all 0 for one structure). */
  readonly structure: Int32Array;
  /** Pairs of centre c with neighbours of element s are offsets[c*S + s] … offsets[c*S + s + 1], [count*S + 1]. */
  readonly offsets: Int32Array;
  /** Atom number of each pair's neighbour, [pairs]. */
  readonly neighbour: Int32Array;
  /** r_ij, [pairs, 3], Å. */
  readonly vectors: Float64Array;
  /** |r_ij|, [pairs], Å; all < cutoff. */
  readonly distances: Float64Array;
}

/** Atom range [first, last) whose members are centres; all atoms by default. */
export type Range = readonly [first: number, last: number];

export declare function environments(
  structures: readonly { structure: Structure; neighbours: Neighbours }[],
  elements: readonly number[],
  cutoff: number,
  range?: Range,
): Environments;
