import type { Device } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { symbolOf } from "../../structure/elements.ts";
import type { PairStatistics } from "../../structure/statistics.ts";
import type { Descriptor, DescriptorMethod } from "../descriptor.ts";
import { sumDescriptor } from "../loops/sum.ts";
import type { AngularTerms } from "../loops/sum.ts";
import { neighbourhoodOf, occurring } from "../neighbourhoods.ts";
import { evenShifts, gaussianWidth, reach } from "../reach.ts";
import { options } from "./options.ts";
import type { AngularSet, AniOptions, RadialSet } from "./options.ts";
import { angularTerms, radialTerms } from "./terms.ts";

/** Atomic environment vectors of ANI, Smith 2017: DOI 10.1039/C6SC05720A. */
export const ani: DescriptorMethod<AniOptions> = {
  name: "ani",
  summary:
    "Atomic environment vectors: shells of distance and of angle, resolved by element (ANI, Smith 2017)",
  options,
  resolve,
  build,
};

/**
 * Chosen by force error on held-out frames of ethanol (rMD17, 300 to train on, the same short training): small 44,
 * medium 31, large 30 meV/Å. Finer shells help more than finer angles, and narrower ones more than a larger cutoff.
 */
const SIZES = {
  small: { radial: 12, shells: 4, angles: 4 },
  medium: { radial: 16, shells: 6, angles: 8 },
  large: { radial: 24, shells: 8, angles: 12 },
};

function resolve({ size = "medium", ...given }: AniOptions, statistics: PairStatistics): AniOptions {
  const range = reach(statistics);
  const { radial, shells, angles } = SIZES[size];
  const set = {
    radial: given.radial === "auto" ? radialGrid(range.start, range.radial, radial) : given.radial,
    angular:
      given.angular === "auto" ? angularGrid(range.start, range.angular, shells, angles) : given.angular,
  };
  const neighbours = given.neighbours ?? occurring(statistics, set.radial.cutoff, set.angular.cutoff);
  return { ...given, ...set, neighbours };
}

/** Radial shells spaced evenly from `start` to the cutoff (Å), their width matched to the spacing. */
export const radialGrid = (start: number, cutoff: number, count: number): RadialSet => ({
  cutoff,
  eta: gaussianWidth((cutoff - start) / count),
  shifts: evenShifts(start, cutoff, count),
});

/** Shells from `start` to the cutoff (Å) and angles θ_k = (2k + 1)π/2n, as in ANI-1; widths matched to the spacings. */
export const angularGrid = (start: number, cutoff: number, shells: number, angles: number): AngularSet => ({
  cutoff,
  eta: gaussianWidth((cutoff - start) / shells, 0.5),
  // ((1 + cos x)/2)^ζ ≈ exp(−ζx²/4): standard deviation 0.64 of the spacing; a power of two costs least.
  zeta: 2 ** Math.round(Math.log2(2 * (angles / (0.64 * Math.PI)) ** 2)),
  shifts: evenShifts(start, cutoff, shells),
  angles: Array.from({ length: angles }, (_, k) =>
    Number((((2 * k + 1) * Math.PI) / (2 * angles)).toPrecision(8)),
  ),
});

function build(
  { radial, angular, cutoff, neighbours: given }: AniOptions,
  elements: readonly number[],
  device: Device,
): Descriptor {
  if (radial === "auto" || angular === "auto")
    throw invalid("ani", "explicit radial and angular functions (resolve the options first)", {
      radial,
      angular,
    });
  const shared = { radial: radialTerms(radial, cutoff), angular: angularTerms(angular, cutoff) };
  const neighbours = [...elements.keys()];
  const centres = neighbours.map((e) => {
    const sees = neighbourhoodOf(given, elements, e, "ani.neighbours");
    return {
      radial: neighbours.filter(sees.radial).map((neighbour) => ({ neighbour, terms: shared.radial })),
      angular: neighbours.flatMap((a) =>
        neighbours
          .slice(a)
          .filter((b) => sees.angular(a, b))
          .map((b): AngularTerms => ({ neighbours: [a, b], terms: shared.angular, narrow: false })),
      ),
    };
  });
  return sumDescriptor(elements, elements.map(symbolOf), centres, device);
}
