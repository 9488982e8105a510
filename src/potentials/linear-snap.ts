import { triples, type Triple } from "../descriptors/snap/bispectrum.ts";
import { snap } from "../descriptors/snap/snap.ts";
import type { SnapOptions } from "../descriptors/snap/options.ts";
import { linear } from "../regressors/linear/linear.ts";
import { composed } from "./composed.ts";
import type { Term } from "./potential.ts";

/** A term that is SNAP with linear or quadratic coefficients, as other programs have it. */
export interface LinearSnap {
  readonly options: SnapOptions;
  readonly quadratic: boolean;
  /** By element: β₀, β and the upper triangle of α, eV. */
  readonly coefficients: readonly Float64Array[];
}

/** Name of the coefficients of element index e. */
const nameOf = (e: number): string => `${e}.coefficients`;

/** The parts of such a term; undefined for any other. */
export function linearSnap({ type, options, tensors }: Term, elements: number): LinearSnap | undefined {
  if (type !== composed.name) return undefined;
  const { descriptor, regressor } = composed.options.parse(options);
  const { name: see, ...given } = descriptor;
  const { name: learn, ...rest } = regressor;
  if (see !== snap.name || learn !== linear.name) return undefined;
  return {
    options: snap.options.parse(given),
    quadratic: linear.options.parse(rest).quadratic,
    coefficients: Array.from({ length: elements }, (_, e) => tensors[nameOf(e)]),
  };
}

/** (2j₁, 2j₂, 2j) of the components, in the order of the coefficients; with `chem` for each triple of elements again. */
export const componentsOf = ({ options }: LinearSnap): readonly Triple[] =>
  options.twojmax === "auto" ? [] : triples(options.twojmax);

/** The term of such parts. */
export const snapTerm = ({ options, quadratic, coefficients }: LinearSnap): Term => ({
  type: composed.name,
  options: { descriptor: { name: snap.name, ...options }, regressor: { name: linear.name, quadratic } },
  tensors: Object.fromEntries(coefficients.map((values, e) => [nameOf(e), values])),
});
