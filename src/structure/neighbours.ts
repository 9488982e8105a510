import type { Structure } from "./structure.ts";

/**
 * Full list of pairs (i, j): both i→j and j→i are listed, images included, i→i images too, never i→i itself.
 * r_ij = r_j + shift·cell − r_i.
 */
export interface Neighbours {
  /** Every pair closer than this is listed, Å (cutoff + skin; pairs beyond the potential's own cutoff may be listed). */
  readonly cutoff: number;
  /** Pairs of atom i are offsets[i] … offsets[i+1], [n + 1]. */
  readonly offsets: Int32Array;
  /** Atom j of each pair, [pairs]. */
  readonly index: Int32Array;
  /** Lattice translation of j, [pairs, 3]. */
  readonly shift: Int32Array;
}

export declare function findNeighbours(structure: Structure, cutoff: number): Neighbours;
