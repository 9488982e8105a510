import type { PairStatistics } from "../structure/statistics.ts";

/** What the distances in the data ask of a descriptor, Å, rounded to 0.01. */
export interface Reach {
  /** Where Gaussians start: the shortest distance. */
  readonly start: number;
  /** Cutoff of radial functions: the whole molecule, or 6 Å. */
  readonly radial: number;
  /** Cutoff of angular functions, whose number of terms grows with the square of the neighbours. */
  readonly angular: number;
}

const LONGEST = 6;
const LONGEST_ANGULAR = 4.5;
/** With this many neighbours an atom has 276 triplets; more cost time and tell little. */
const ANGULAR_NEIGHBOURS = 24;

/** Cutoffs and first shift for a data set. */
export function reach(statistics: PairStatistics): Reach {
  const { binWidth, atoms, periodic } = statistics;
  const bins = total(statistics);
  const longest = binWidth * (bins.findLastIndex((count) => count > 0) + 1);
  // Beyond a molecule's longest distance the cutoff has room to fall without hiding it.
  const radial = !periodic && longest > 0 ? Math.min(LONGEST, Math.max(3, 1.2 * longest)) : LONGEST;
  const shortest = Math.min(radial / 2, ...Object.values(statistics.shortest));
  return {
    start: round(shortest),
    radial: round(radial),
    angular: round(Math.min(radial, LONGEST_ANGULAR, Math.max(3.5, crowded(bins, binWidth, atoms)))),
  };
}

/** Where the mean number of neighbours reaches ANGULAR_NEIGHBOURS. */
function crowded(bins: Float64Array, binWidth: number, atoms: number): number {
  let neighbours = 0;
  for (let b = 0; b < bins.length; b++) {
    neighbours += (2 * bins[b]) / atoms;
    if (neighbours > ANGULAR_NEIGHBOURS) return b * binWidth;
  }
  return Infinity;
}

/** Histogram over all pairs of elements. */
function total({ histogram }: PairStatistics): Float64Array {
  const all = Object.values(histogram);
  return Float64Array.from({ length: all[0]?.length ?? 0 }, (_, b) => all.reduce((n, h) => n + h[b], 0));
}

const round = (x: number): number => Math.round(100 * x) / 100;

/** `count` shifts from start towards rc, the last one spacing before it: r_k = start + k (rc − start)/count. */
export const evenShifts = (start: number, rc: number, count: number): number[] =>
  Array.from({ length: count }, (_, k) => digits(start + (k * (rc - start)) / count));

/** η of Gaussians exp(−η (r − r_s)²) whose standard deviation is `ratio` of their spacing; ANI-1x: 0.66 and 0.38. */
export const gaussianWidth = (spacing: number, ratio = 0.65): number =>
  digits(1 / (2 * (ratio * spacing) ** 2));

/** Eight digits: enough for a grid, readable in a file, and the same whatever the engine's power function. */
export const digits = (x: number): number => Number(x.toPrecision(8));
