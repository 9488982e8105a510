import { symbolOf } from "./elements.ts";
import { findNeighbours, pairDistance } from "./neighbours.ts";
import type { Neighbours } from "./neighbours.ts";
import type { Structure } from "./structure.ts";

/** Distances found in a data set, per pair of elements a ≤ b. */
export interface PairStatistics {
  /** Atomic numbers, ascending. */
  readonly elements: readonly number[];
  readonly structures: number;
  readonly atoms: number;
  readonly periodic: boolean;
  /** Largest distance looked at, Å. */
  readonly cutoff: number;
  /** Shortest distance of each pair, key "6-8" (ascending numbers), Å; a pair never closer than the cutoff is absent. */
  readonly shortest: Readonly<Record<string, number>>;
  /** Counts of distances in bins of width `binWidth` from 0 to cutoff, per pair; every pair of atoms counts once. */
  readonly histogram: Readonly<Record<string, Float64Array>>;
  /**
   * Radius of the smallest sphere about an atom that was found to hold two neighbours, key "6:1-8" for H and O about C,
   * Å; absent where no atom has both within the cutoff.
   */
  readonly triplets: Readonly<Record<string, number>>;
  /** Å. */
  readonly binWidth: number;
  /** Mean number of neighbours of an atom within the cutoff. */
  readonly meanNeighbours: number;
}

/** Key of a pair of elements in PairStatistics: pairKey(8, 6) = "6-8". */
export const pairKey = (a: number, b: number): string => (a <= b ? `${a}-${b}` : `${b}-${a}`);

/** Key of a centre with two neighbours in PairStatistics: tripletKey(6, 8, 1) = "6:1-8". */
export const tripletKey = (centre: number, a: number, b: number): string => `${centre}:${pairKey(a, b)}`;

/** Pair key in words, for reports: pairName("6-8") = "C-O". */
export const pairName = (key: string): string =>
  key
    .split("-")
    .map((z) => symbolOf(Number(z)))
    .join("-");

interface Tally {
  shortest: number;
  readonly histogram: Float64Array;
}

/** Collects PairStatistics from structures given one at a time. */
export class PairAccumulator {
  readonly cutoff: number;
  readonly binWidth: number;
  readonly #bins: number;
  readonly #elements = new Set<number>();
  readonly #tallies = new Map<number, Tally>();
  readonly #triplets = new Map<string, number>();
  /** Nearest and second nearest neighbour of each element about one atom, Å. */
  readonly #nearest = new Map<number, [first: number, second: number]>();
  #structures = 0;
  #atoms = 0;
  #pairs = 0;
  #periodic = false;

  /** Both in Å. */
  constructor(cutoff: number, binWidth = 0.02) {
    this.cutoff = cutoff;
    this.binWidth = binWidth;
    this.#bins = Math.ceil(cutoff / binWidth);
  }

  /** Counts one more structure; neighbours, when at hand, must reach at least to the cutoff. */
  add(structure: Structure, neighbours: Neighbours = findNeighbours(structure, this.cutoff)): void {
    const { numbers, pbc } = structure;
    const { offsets, index } = neighbours;
    for (let i = 0; i < numbers.length; i++) {
      this.#elements.add(numbers[i]);
      this.#nearest.clear();
      for (let p = offsets[i]; p < offsets[i + 1]; p++)
        this.#count(numbers[i], numbers[index[p]], pairDistance(structure, neighbours, i, p));
      this.#join(numbers[i]);
    }
    this.#structures++;
    this.#atoms += numbers.length;
    this.#periodic ||= pbc.some(Boolean);
  }

  #count(a: number, b: number, r: number): void {
    if (r >= this.cutoff) return;
    const key = a <= b ? a * 256 + b : b * 256 + a;
    let tally = this.#tallies.get(key);
    if (!tally)
      this.#tallies.set(key, (tally = { shortest: Infinity, histogram: new Float64Array(this.#bins) }));
    tally.shortest = Math.min(tally.shortest, r);
    // The list holds every pair twice, once from each side.
    tally.histogram[Math.min(this.#bins - 1, Math.floor(r / this.binWidth))] += 0.5;
    this.#pairs++;
    const near = this.#nearest.get(b);
    if (!near) this.#nearest.set(b, [r, Infinity]);
    else if (r < near[0]) [near[0], near[1]] = [r, near[0]];
    else if (r < near[1]) near[1] = r;
  }

  /** Takes down which pairs of neighbours one atom of element `centre` has, and how near. */
  #join(centre: number): void {
    for (const [a, [first, second]] of this.#nearest)
      for (const [b, [other]] of this.#nearest) {
        const radius = a === b ? second : Math.max(first, other);
        if (a > b || radius === Infinity) continue;
        const key = tripletKey(centre, a, b);
        this.#triplets.set(key, Math.min(radius, this.#triplets.get(key) ?? Infinity));
      }
  }

  /** What has been counted so far; independent of later additions. */
  result(): PairStatistics {
    const shortest: Record<string, number> = {};
    const histogram: Record<string, Float64Array> = {};
    for (const [code, tally] of [...this.#tallies].toSorted(([a], [b]) => a - b)) {
      const key = pairKey(code >> 8, code & 255);
      shortest[key] = tally.shortest;
      histogram[key] = tally.histogram.slice();
    }
    return {
      elements: [...this.#elements].toSorted((a, b) => a - b),
      structures: this.#structures,
      atoms: this.#atoms,
      periodic: this.#periodic,
      cutoff: this.cutoff,
      shortest,
      histogram,
      triplets: Object.fromEntries(
        [...this.#triplets].toSorted(([a], [b]) => a.localeCompare(b, "en", { numeric: true })),
      ),
      binWidth: this.binWidth,
      meanNeighbours: this.#atoms > 0 ? this.#pairs / this.#atoms : 0,
    };
  }
}

/** Statistics of all distances below `cutoff` (Å) in the structures. */
export function pairStatistics(structures: Iterable<Structure>, cutoff: number): PairStatistics {
  const accumulator = new PairAccumulator(cutoff);
  for (const structure of structures) accumulator.add(structure);
  return accumulator.result();
}
