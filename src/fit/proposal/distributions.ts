import { environments } from "../../descriptors/environments.ts";
import { findNeighbours } from "../../structure/neighbours.ts";
import { pairKey, PairAccumulator, tripletKey } from "../../structure/statistics.ts";
import type { PairStatistics } from "../../structure/statistics.ts";
import type { Structure } from "../../structure/structure.ts";
import type { Density } from "./placement.ts";

/** What is known of two neighbours of elements a ≤ b about a centre. */
export interface Triplets {
  /** Triplets per centre atom within the cutoff. */
  readonly perAtom: number;
  /** Mean distance of the two neighbours, weighted by how near both are, bins of 0.02 Å from 0 to the cutoff. */
  readonly mean: Density;
  /** Angle between them, °, weighted likewise, bins of 2° from 0 to 180°. */
  readonly angle: Density;
}

/** Distances and angles of a sample of structures. */
export interface Distributions {
  readonly pairs: PairStatistics;
  /** Atoms of each element of the sample. */
  readonly atoms: ReadonlyMap<number, number>;
  /** By tripletKey. */
  readonly triplets: ReadonlyMap<string, Triplets>;
  /** Cutoff of the angles, Å. */
  readonly angular: number;
}

const MEAN_BIN = 0.02;
const ANGLE_BIN = 2;

interface Tally {
  count: number;
  readonly mean: Float64Array;
  readonly angle: Float64Array;
}

/** Weight of a neighbour at distance r: (1 − (r/rc)²)², smooth and 0 at the cutoff. */
const nearness = (r: number, rc: number): number => (1 - (r / rc) ** 2) ** 2;

/** Distances up to `radial` and angles between neighbours up to `angular` (Å) of the structures. */
export function distributions(
  structures: readonly Structure[],
  radial: number,
  angular: number,
): Distributions {
  const pairs = new PairAccumulator(radial);
  const atoms = new Map<number, number>();
  const tallies = new Map<string, Tally>();
  for (const structure of structures) {
    pairs.add(structure);
    for (const z of structure.numbers) atoms.set(z, (atoms.get(z) ?? 0) + 1);
    countTriplets(structure, angular, tallies);
  }
  const triplets = [...tallies].map(([key, { count, mean, angle }]) => {
    const centre = atoms.get(Number(key.split(":")[0])) ?? 1;
    const density = {
      perAtom: count / centre,
      mean: { from: 0, width: MEAN_BIN, values: mean },
      angle: { from: 0, width: ANGLE_BIN, values: angle },
    };
    return [key, density] as const;
  });
  return { pairs: pairs.result(), atoms, triplets: new Map(triplets), angular };
}

function countTriplets(structure: Structure, rc: number, tallies: Map<string, Tally>): void {
  const elements = [...new Set(structure.numbers)].sort((a, b) => a - b);
  const neighbours = findNeighbours(structure, rc);
  const { count, offsets, vectors, distances, centre } = environments(
    [{ structure, neighbours }],
    elements,
    rc,
  );
  const S = elements.length;
  const elementOf = (c: number, p: number) => elements.findIndex((_, s) => p < offsets[c * S + s + 1]);
  for (let c = 0; c < count; c++) {
    const [begin, end] = [offsets[c * S], offsets[(c + 1) * S]];
    const kinds = Array.from({ length: end - begin }, (_, p) => elements[elementOf(c, begin + p)]);
    for (let p = begin; p < end; p++)
      for (let q = begin; q < p; q++) {
        const key = tripletKey(structure.numbers[centre[c]], kinds[q - begin], kinds[p - begin]);
        let tally = tallies.get(key);
        if (!tally) tallies.set(key, (tally = emptyTally(rc)));
        const [a, b] = [distances[p], distances[q]];
        const dot =
          vectors[3 * p] * vectors[3 * q] +
          vectors[3 * p + 1] * vectors[3 * q + 1] +
          vectors[3 * p + 2] * vectors[3 * q + 2];
        const weight = nearness(a, rc) * nearness(b, rc);
        const { mean, angle } = tally;
        tally.count++;
        mean[Math.min(mean.length - 1, Math.floor((a + b) / 2 / MEAN_BIN))] += weight;
        angle[Math.min(angle.length - 1, Math.floor(degrees(dot / (a * b)) / ANGLE_BIN))] += weight;
      }
  }
}

const emptyTally = (rc: number): Tally => ({
  count: 0,
  mean: new Float64Array(Math.ceil(rc / MEAN_BIN)),
  angle: new Float64Array(180 / ANGLE_BIN),
});

const degrees = (cosine: number): number => (180 / Math.PI) * Math.acos(Math.max(-1, Math.min(1, cosine)));

/** Neighbours of element b within r = 0 … cutoff of an atom of element a, per atom and bin. */
export function neighbourDensity({ pairs, atoms }: Distributions, a: number, b: number): Density {
  const counts = pairs.histogram[pairKey(a, b)] ?? new Float64Array(Math.ceil(pairs.cutoff / pairs.binWidth));
  const per = (a === b ? 2 : 1) / (atoms.get(a) ?? 1);
  return { from: 0, width: pairs.binWidth, values: counts.map((n) => n * per) };
}
