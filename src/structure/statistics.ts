/** Distances found in a data set, per pair of elements a ≤ b. */
export interface PairStatistics {
  /** Atomic numbers, ascending. */
  readonly elements: readonly number[];
  readonly structures: number;
  readonly atoms: number;
  readonly periodic: boolean;
  /** Largest distance looked at, Å. */
  readonly cutoff: number;
  /** Shortest distance of each pair, key "6-8" (ascending numbers), Å. */
  readonly shortest: Readonly<Record<string, number>>;
  /** Counts of distances in bins of width `binWidth` from 0 to cutoff, per pair. */
  readonly histogram: Readonly<Record<string, Float64Array>>;
  readonly binWidth: number;
  /** Mean number of neighbours within the cutoff. */
  readonly meanNeighbours: number;
}
