import type { Device } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { add, div, exp, less, mul, pow, powi, select, sub, type Expr } from "../../formula/expression.ts";
import { sphericalHarmonics } from "../../math/spherical-harmonics.ts";
import { symbolOf } from "../../structure/elements.ts";
import type { PairStatistics } from "../../structure/statistics.ts";
import { cutoff as cutoffFunction, cutoffs } from "../cutoffs.ts";
import { densityDescriptor, type DensityCentre } from "../density/density.ts";
import { r, x, y, z, type DensityFunctions } from "../density/functions.ts";
import type { Descriptor, DescriptorMethod } from "../descriptor.ts";
import { reach as reachOf } from "../reach.ts";
import { bases, type RadialIntegrals } from "./bases.ts";
import { options, type SoapOptions } from "./options.ts";
import { spectrum } from "./spectrum.ts";

/** Smooth overlap of atomic positions, Bartók 2013: DOI 10.1103/PhysRevB.87.184115. */
export const soap: DescriptorMethod<SoapOptions> = {
  name: "soap",
  summary: "Power spectrum of the Gaussian-smeared neighbour density (SOAP, Bartók 2013)",
  options,
  resolve,
  build,
};

const SIZES = { small: [4, 3], medium: [8, 4], large: [10, 8] } as const;
const LONGEST = 5;

function resolve({ size = "medium", ...given }: SoapOptions, statistics: PairStatistics): SoapOptions {
  const cutoff = given.cutoff === "auto" ? Math.min(LONGEST, reachOf(statistics).radial) : given.cutoff;
  const [n, l] = SIZES[size];
  const nmax = given.nmax === "auto" ? n : given.nmax;
  const lmax = given.lmax === "auto" ? l : given.lmax;
  const { fade } = given;
  const width = fade.width === "auto" ? Math.min(1, given.reach ?? cutoff) : fade.width;
  return { ...given, cutoff, nmax, lmax, fade: { ...fade, width } };
}

/** Options with nothing left to choose. */
export interface Settled extends SoapOptions {
  readonly cutoff: number;
  readonly nmax: number;
  readonly lmax: number;
}

function settled(given: SoapOptions): Settled {
  const { cutoff, nmax, lmax } = given;
  if (cutoff === "auto" || nmax === "auto" || lmax === "auto")
    throw invalid("soap", "explicit cutoff, nmax and lmax (resolve the options first)", {
      cutoff,
      nmax,
      lmax,
    });
  return { ...given, cutoff, nmax, lmax };
}

function build(given: SoapOptions, elements: readonly number[], device: Device): Descriptor {
  const own = settled(given);
  const { nmax, lmax, cutoff, sigma } = own;
  const reach = own.reach ?? cutoff;
  const radial = bases[own.basis].integrals(r, { nmax, lmax, cutoff, reach, sigma });
  const density = own.convention === "dscribe" ? 1 : (Math.PI * sigma * sigma) ** -0.75;
  const functions = densityFunctions(own, radial, reach, density);
  const columns = nmax * (lmax + 1) ** 2;
  // Where elements are not told apart they add to one density.
  const together = own.compression === "mu2";
  const { nodes, features } = spectrum(own, elements.map(symbolOf));
  const centres = elements.map((_, e): DensityCentre => {
    const start = new Float64Array(columns * (together ? 1 : elements.length));
    const first = (s: number) => (together ? 0 : s * columns);
    // Y_00 of the centre's own Gaussian stands first of each n.
    for (let n = 0; n < nmax; n++)
      start[first(e) + n * (lmax + 1) ** 2] =
        (own.centre * density * radial.centre[n]) / Math.sqrt(4 * Math.PI);
    const blocks = elements.map((__, s) => ({
      neighbour: s,
      functions,
      parameters: [],
      first: first(s),
      cutoff: reach,
    }));
    return { start, blocks, nodes, ...features };
  });
  return densityDescriptor({ elements, smoothness: cutoffs[own.fade.type].smoothness }, centres, device);
}

/** f_c w f_nl Y_lm, columns (n, l, m) with m = 0, 1, −1, 2, −2 … in this order. */
function densityFunctions(
  own: Settled,
  { f }: RadialIntegrals,
  reach: number,
  density: number,
): DensityFunctions {
  const { nmax, lmax } = own;
  const Y = sphericalHarmonics(lmax, div(x, r), div(y, r), div(z, r));
  const envelope = mul(density, mul(fadeOf(own, reach), weightOf(own)));
  const functions: Expr[][] = [];
  for (let n = 0; n < nmax; n++)
    for (let l = 0; l <= lmax; l++) {
      const radial = f(n, l);
      for (let m = 0; m <= l; m++) {
        functions.push([envelope, radial, Y[l * l + l + m]]);
        if (m > 0) functions.push([envelope, radial, Y[l * l + l - m]]);
      }
    }
  return { functions, parameters: [] };
}

function fadeOf({ fade: { type, width } }: Settled, reach: number): Expr {
  const fall = Math.min(reach, width === "auto" ? 1 : width);
  return cutoffFunction(type, r, reach, (reach - fall) / reach);
}

/** Weight of a neighbour by its distance: dscribe's functions. */
function weightOf({ weighting }: Settled): Expr | number {
  if (!weighting) return 1;
  const { type, r0, c, m, d } = weighting;
  const t = mul(1 / r0, r);
  if (type === "exp") return div(c, add(d, exp(mul(-1, t))));
  if (type === "pow") return div(c, add(d, pow(t, m)));
  const shape = add(1, sub(mul(2, powi(t, 3)), mul(3, powi(t, 2))));
  // A power of what rounding makes negative is none.
  const inside = select(less(1e-12, shape), shape, 1e-12);
  return select(less(r, r0), mul(c, pow(inside, m)), 0);
}
