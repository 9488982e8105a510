import { occurring } from "../../descriptors/neighbourhoods.ts";
import { reach } from "../../descriptors/reach.ts";
import type {
  SymmetryFunction,
  SymmetryFunctionsOptions,
} from "../../descriptors/symmetry-functions/options.ts";
import { symmetryFunctions } from "../../descriptors/symmetry-functions/symmetry-functions.ts";
import type { Device } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import type { Matrix } from "../../math/left-vectors.ts";
import { symbolOf } from "../../structure/elements.ts";
import { pairStatistics, tripletKey } from "../../structure/statistics.ts";
import type { PairStatistics } from "../../structure/statistics.ts";
import type { Structure } from "../../structure/structure.ts";
import { FeatureAccumulator, FeatureReader } from "../features.ts";
import { candidatesOf } from "./candidates.ts";
import type { Frame, Pool } from "./candidates.ts";
import { distributions, neighbourDensity } from "./distributions.ts";
import type { Distributions } from "./distributions.ts";
import { prune } from "./prune.ts";
import type { Verdict } from "./prune.ts";

/** What may be asked of a proposal. */
export interface ProposalRequest {
  readonly size?: Size;
  /** Functions to keep for each element, instead of what the size gives. */
  readonly features?: number;
  /** |correlation| above which two functions say the same. */
  readonly correlation?: number;
  /** Cutoff of the radial functions; auto: from the distances in the data. */
  readonly cutoff?: SymmetryFunctionsOptions["cutoff"];
}

/** One function with what was found out about it. */
export interface Candidate extends Verdict {
  readonly function: SymmetryFunction;
  readonly label: string;
  /** Pairs (radial) or triplets (angular) that it sums over, per atom. */
  readonly terms: number;
}

/** The functions proposed for a data set. */
export interface Proposal {
  readonly elements: readonly number[];
  /** Options of the descriptor `symmetry-functions`, complete. */
  readonly options: SymmetryFunctionsOptions;
  /** Every candidate of each element, the dropped ones too. */
  readonly candidates: readonly (readonly Candidate[])[];
  readonly distributions: Distributions;
  /** Structures looked at, of all. */
  readonly sampled: number;
}

const SIZES = {
  small: { pool: { radial: 12, shells: 4, angles: 4 }, radial: 12, angular: 16 },
  medium: { pool: { radial: 16, shells: 6, angles: 8 }, radial: 16, angular: 48 },
  large: { pool: { radial: 24, shells: 8, angles: 12 }, radial: 24, angular: 96 },
} satisfies Record<string, { pool: Pool; radial: number; angular: number }>;

/** How large a proposal is. */
export type Size = keyof typeof SIZES;
export const sizes = Object.keys(SIZES) as Size[];

/** Farthest that distances are looked at, Å. */
const LOOK = 6;
/** Atoms of the sample that functions are placed over and judged by. */
const ATOMS = 3000;
/** Atoms of one element whose features are compared with each other. */
const ROWS = 600;
/** Functions that vary less than this part of the most varying one tell next to nothing. */
const FAINT = 1e-5;

/**
 * Proposes symmetry functions for structures: radial ones over the distances, angular ones over the mean distances and
 * angles that occur, more and narrower where there are more; then drops what is constant, faint or said twice, and keeps
 * the wanted number by leverage. The same structures give the same functions.
 */
export function propose(
  structures: readonly Structure[],
  device: Device,
  { size = "medium", features, correlation = 0.999, cutoff: asked }: ProposalRequest = {},
  statistics: PairStatistics = pairStatistics(structures, LOOK),
): Proposal {
  if (structures.length === 0) throw invalid("data", "at least one structure", "none");
  const { elements } = statistics;
  const range = reach(statistics);
  const radial = asked && asked.radius !== "auto" ? asked.radius : range.radial;
  const angular = Math.min(radial, range.angular);
  const cutoff = { type: "poly2" as const, ...asked, radius: radial };
  const frame: Frame = {
    radial,
    angular,
    elements,
    type: cutoff.type,
    neighbourhoods: occurring(statistics, radial, angular),
  };
  const sample = sampleOf(structures);
  const found = distributions(sample, radial, angular);
  const choice = SIZES[size];
  const lists = elements.map((_, e) => candidatesOf(found, frame, e, choice.pool));
  const named = (of: readonly SymmetryFunction[][]) =>
    Object.fromEntries(elements.map((z, e) => [symbolOf(z), of[e]]));
  const options = { cutoff, functions: named(lists) };
  const descriptor = symmetryFunctions.build(options, elements, device);
  const rows = featureRows(new FeatureReader(descriptor, device), sample);
  const candidates = elements.map((z, e) => {
    const count = features ?? wanted(lists[e], choice);
    const verdicts = prune(rows[e].rows, rows[e].statistics, { count, faint: FAINT, correlation });
    const labels = descriptor.labels(e);
    return lists[e].map((f, t): Candidate => ({
      ...verdicts[t],
      function: f,
      label: labels[t],
      terms: termsOf(found, z, f),
    }));
  });
  const kept = candidates.map((list) => list.flatMap((c) => (c.reason === "kept" ? [c.function] : [])));
  return {
    elements,
    options: { cutoff, functions: named(kept) },
    candidates,
    distributions: found,
    sampled: sample.length,
  };
}

/** Functions that a size gives an element: so many for each neighbour and each pair of neighbours that occurs. */
function wanted(
  list: readonly SymmetryFunction[],
  { radial, angular }: { radial: number; angular: number },
): number {
  const kinds = new Set(
    list.map((f) => JSON.stringify("neighbours" in f ? f.neighbours : "neighbour" in f && f.neighbour)),
  );
  return [...kinds].reduce((sum, kind) => sum + (kind.startsWith("[") ? angular : radial), 0);
}

/** Structures evenly through the data, as many as have ATOMS atoms, and every one that brings something new. */
function sampleOf(structures: readonly Structure[]): Structure[] {
  const atoms = structures.reduce((sum, { numbers }) => sum + numbers.length, 0);
  const every = Math.max(1, atoms / ATOMS);
  return structures.filter((_, k) => Math.floor(k / every) !== Math.floor((k - 1) / every));
}

/** Features of the sample's atoms by element: statistics of all, rows of evenly chosen ones. */
function featureRows(reader: FeatureReader, sample: readonly Structure[]) {
  const sums = reader.sizes.map((size) => new FeatureAccumulator(size));
  const all: Float64Array[][] = reader.sizes.map(() => []);
  for (const structure of sample) {
    const { matrices, counts } = reader.read(structure);
    for (const [e, size] of reader.sizes.entries())
      for (let c = 0; c < counts[e]; c++) {
        const row = matrices[e].slice(c * size, (c + 1) * size);
        sums[e].add(row);
        all[e].push(row);
      }
  }
  return reader.sizes.map((width, e) => {
    const every = Math.max(1, all[e].length / ROWS);
    const some = all[e].filter((_, k) => Math.floor(k / every) !== Math.floor((k - 1) / every));
    const rows = new Float64Array(some.length * width);
    some.forEach((row, k) => rows.set(row, k * width));
    const matrix: Matrix = { count: some.length, width, rows };
    return { rows: matrix, statistics: sums[e].result };
  });
}

/** Pairs or triplets per atom of element z that a function sums over. */
function termsOf(found: Distributions, z: number, f: SymmetryFunction): number {
  const numbers = found.pairs.elements;
  if ("neighbours" in f && f.neighbours) {
    const [a, b] = f.neighbours.map((s) => numbers.find((n) => symbolOf(n) === s) ?? 0);
    return found.triplets.get(tripletKey(z, a, b))?.perAtom ?? 0;
  }
  const neighbour = "neighbour" in f ? numbers.find((n) => symbolOf(n) === f.neighbour) : undefined;
  return neighbour === undefined
    ? 0
    : neighbourDensity(found, z, neighbour).values.reduce((a, b) => a + b, 0);
}
