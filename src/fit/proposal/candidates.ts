import type { Neighbourhoods } from "../../descriptors/neighbourhoods.ts";
import { neighbourhoodOf } from "../../descriptors/neighbourhoods.ts";
import type { CutoffName } from "../../descriptors/cutoffs.ts";
import { digits } from "../../descriptors/reach.ts";
import type { SymmetryFunction } from "../../descriptors/symmetry-functions/options.ts";
import { symbolOf } from "../../structure/elements.ts";
import { tripletKey } from "../../structure/statistics.ts";
import { neighbourDensity } from "./distributions.ts";
import type { Distributions } from "./distributions.ts";
import { places } from "./placement.ts";
import type { Density, Place } from "./placement.ts";

/** How many functions there are to choose from. */
export interface Pool {
  /** Radial functions of each neighbour element. */
  readonly radial: number;
  /** Shells and angles of each pair of neighbour elements; every shell goes with every angle. */
  readonly shells: number;
  readonly angles: number;
}

/** Cutoffs, Å, and what each centre can see. */
export interface Frame {
  readonly radial: number;
  readonly angular: number;
  readonly elements: readonly number[];
  readonly neighbourhoods: Neighbourhoods;
  /** Cutoff function of all. */
  readonly type: CutoffName;
}

/** Standard deviations over the spacing, chosen by held-out errors on a molecule and two crystals: see docs/init.md. */
const RADIAL = 0.9;
const SHELL = 0.7;
const ANGLE = 0.64;
/** What lies outside of the data at either end and is given functions nevertheless, Å: flanks see changes best. */
const MARGIN = 0.5;
/** Part of the weighted neighbours that may lie outside at either end. */
const TAIL = 0.001;

/** exp(−η x²) has the standard deviation σ. */
const etaOf = (sigma: number): number => digits(1 / (2 * sigma ** 2));

/** ((1 + cos x)/2)^ζ ≈ exp(−ζx²/4) has the standard deviation σ (°); a power of two costs least. */
const zetaOf = (sigma: number): number =>
  2 ** Math.max(0, Math.round(Math.log2(2 / ((sigma * Math.PI) / 180) ** 2)));

/**
 * The part of a distribution of distances that functions are placed over: per volume, less towards the cutoff, where
 * functions are held down to 0; all but its tails, and MARGIN on either side. Null where there is nothing.
 */
export function reachable({ width, values }: Density, rc: number): Density | null {
  const near = (r: number) => Math.max(0, 1 - (r / rc) ** 2) ** 2;
  const weighted = values.map((n, b) => {
    const r = (b + 0.5) * width;
    return (n * near(r)) / (r * r);
  });
  const total = weighted.reduce((a, b) => a + b, 0);
  if (total === 0) return null;
  let sum = 0;
  const inside = [...weighted].map((n) => [sum, (sum += n)] as const);
  const margin = Math.round(MARGIN / width);
  const first = inside.findIndex(([, after]) => after > TAIL * total) - margin;
  const last = inside.findLastIndex(([before]) => before < (1 - TAIL) * total) + 1 + margin;
  const [from, to] = [Math.max(0, first), Math.min(values.length, last)];
  return { from: from * width, width, values: weighted.slice(from, to) };
}

/** The candidate functions of the centre of element index e: only of neighbours that occur. */
export function candidatesOf(found: Distributions, frame: Frame, e: number, pool: Pool): SymmetryFunction[] {
  const { elements, neighbourhoods } = frame;
  const sees = neighbourhoodOf(neighbourhoods, elements, e, "neighbours");
  const one = elements.filter((_, a) => sees.radial(a));
  const two = elements.flatMap((a, i) =>
    elements.flatMap((b, j) => (j >= i && sees.angular(i, j) ? [[a, b] as const] : [])),
  );
  const list = [
    ...one.flatMap((z) => radialCandidates(found, frame, elements[e], z, pool)),
    ...two.flatMap(([a, b]) => angularCandidates(found, frame, elements[e], a, b, pool)),
  ];
  // An atom that is always alone still needs a feature.
  return list.length > 0 ? list : [{ type: "G1" }];
}

function radialCandidates(
  found: Distributions,
  { radial: rc }: Frame,
  centre: number,
  z: number,
  pool: Pool,
): SymmetryFunction[] {
  const density = reachable(neighbourDensity(found, centre, z), rc);
  if (density === null) return [];
  return places(density, pool.radial, RADIAL).map(({ centre: shift, sigma }) => ({
    type: "G2",
    neighbour: symbolOf(z),
    eta: etaOf(sigma),
    shift,
  }));
}

function angularCandidates(
  found: Distributions,
  { angular: radius, radial, type }: Frame,
  centre: number,
  a: number,
  b: number,
  pool: Pool,
): SymmetryFunction[] {
  const triplets = found.triplets.get(tripletKey(centre, a, b));
  const means = triplets && reachable(triplets.mean, radius);
  if (!means) return [];
  const shells = places(means, pool.shells, SHELL);
  const angles = places(triplets.angle, pool.angles, ANGLE);
  const cutoff = radius < radial ? { cutoff: { type, radius } } : {};
  const neighbours: [string, string] = [symbolOf(a), symbolOf(b)];
  return shells.flatMap((shell) =>
    angles.map((angle) => ({ type: "ANI" as const, neighbours, ...bell(shell, angle), ...cutoff })),
  );
}

const bell = (shell: Place, angle: Place) => ({
  eta: etaOf(shell.sigma),
  zeta: zetaOf(angle.sigma),
  shift: shell.centre,
  angle: angle.centre,
});
