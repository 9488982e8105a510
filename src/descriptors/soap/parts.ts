import type { Device } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { add, div, exp, less, mul, pow, powi, select, sub, type Expr } from "../../formula/expression.ts";
import { sphericalHarmonics } from "../../math/spherical-harmonics.ts";
import { symbolOf } from "../../structure/elements.ts";
import { cutoff as cutoffFunction, cutoffs } from "../cutoffs.ts";
import { r, x, y, z } from "../density/functions.ts";
import type { Descriptor } from "../descriptor.ts";
import { bases } from "./bases.ts";
import { Expansion, type Source } from "./expansion.ts";
import { Harmonics } from "./harmonics.ts";
import type { SoapOptions } from "./options.ts";
import { PowerSpectrum } from "./power.ts";
import { radialTable } from "./radial-table.ts";
import { spectrum } from "./spectrum.ts";

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

/** The parts of a power spectrum, for descriptors of atoms and of structures. */
export interface SoapParts {
  readonly shape: Pick<Descriptor, "cutoff" | "smoothness" | "elements">;
  readonly expansion: Expansion;
  readonly power: PowerSpectrum;
  readonly labels: readonly string[];
}

/** Expansion and products that options with nothing left to choose say. */
export function soapParts(given: SoapOptions, elements: readonly number[], device: Device): SoapParts {
  const own = settled(given);
  const { nmax, lmax, cutoff, sigma } = own;
  const reach = own.reach ?? cutoff;
  const integrals = bases[own.basis].integrals({ nmax, lmax, cutoff, reach, sigma }, device);
  const table = radialTable(integrals, nmax * (lmax + 1), reach, sigma, device.memory);
  const sources = sourcesOf(own, elements);
  // Y_00 of the centre's own Gaussian.
  const centre = integrals(0).map((f) => (own.centre * densityOf(own) * f) / Math.sqrt(4 * Math.PI));
  const centres = elements.map((_, e) => {
    const start = new Float64Array(sources.length * nmax);
    sources.forEach(({ element, weight }, s) => {
      if (element !== e && !own.everywhere) return;
      for (let n = 0; n < nmax; n++) start[s * nmax + n] = weight * centre[n];
    });
    return start;
  });
  const expansion = new Expansion(
    { nmax, lmax, reach, sources, centres },
    new Harmonics(harmonics(own, reach), device),
    table,
    device,
  );
  const products = spectrum(
    own,
    sources.map(({ element }) => symbolOf(elements[element])),
  );
  return {
    shape: { cutoff: reach, smoothness: cutoffs[own.fade.type].smoothness, elements },
    expansion,
    power: new PowerSpectrum(products, expansion.channels, lmax, device),
    labels: products.labels,
  };
}

/** Elements of neighbours that are seen, in the order given or that of the model. */
function sourcesOf({ neighbours, elementWeights = {} }: Settled, elements: readonly number[]): Source[] {
  const symbols = elements.map(symbolOf);
  const stray = [...(neighbours ?? []), ...Object.keys(elementWeights)].find((s) => !symbols.includes(s));
  if (stray !== undefined) throw invalid("soap", `elements of the model (${symbols.join(", ")})`, stray);
  return (neighbours ?? symbols).map((symbol) => ({
    element: symbols.indexOf(symbol),
    weight: elementWeights[symbol] ?? 1,
  }));
}

/** Factor of the density: its own of each convention, and of norm 1 for one atom otherwise. */
function densityOf({ convention, sigma }: Settled): number {
  if (convention === "dscribe") return 1;
  return convention === "quip" ? 1 / (4 * Math.PI) : (Math.PI * sigma * sigma) ** -0.75;
}

/** f_c w Y_lm, m = −l … l. */
function harmonics(own: Settled, reach: number): Expr[] {
  const envelope = mul(densityOf(own), mul(fadeOf(own, reach), weightOf(own)));
  return sphericalHarmonics(own.lmax, div(x, r), div(y, r), div(z, r)).map((Y) => mul(envelope, Y));
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
