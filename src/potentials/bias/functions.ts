import { angle, component, dihedral, distance } from "../../descriptors/molecular/geometry.ts";
import { add, div, powi, sum } from "../../formula/expression.ts";
import type { Expr } from "../../formula/expression.ts";

/** A function of the places of a few atoms, of which variables are made. */
export interface GeometricFunction {
  readonly help: string;
  /** How many atoms it takes; null: lists, as `coordination` has them. */
  readonly atoms: number | null;
  /** In the components of its atoms, see `atom` of the molecular descriptors. */
  readonly formula: Expr;
  readonly unit: "Å" | "rad" | "";
  /** Period of its values; 0: none. */
  readonly period: number;
  /** It knows where the origin is, so that its slope does not vanish when all atoms move. */
  readonly external: boolean;
}

const plain = { unit: "Å", period: 0, external: false } as const;
const place = (axis: number): GeometricFunction => ({
  ...plain,
  help: "a Cartesian coordinate of an atom",
  atoms: 1,
  formula: component(axis),
  external: true,
});

/** Functions by name: adding one is one line here. */
export const functions: Readonly<Record<string, GeometricFunction>> = {
  distance: { ...plain, help: "|r₂ − r₁|", atoms: 2, formula: distance },
  angle: { ...plain, help: "at the second atom, 0 … π", atoms: 3, formula: angle, unit: "rad" },
  dihedral: {
    ...plain,
    help: "−π … π, positive clockwise along the middle bond (IUPAC)",
    atoms: 4,
    formula: dihedral,
    unit: "rad",
    period: 2 * Math.PI,
  },
  x: place(0),
  y: place(1),
  z: place(2),
};

/** What a coordination number is counted with. */
export interface Switching {
  /** Å, where a pair counts n/m: one half with m = 2n. */
  readonly r0: number;
  readonly n: number;
  readonly m: number;
}

/**
 * A pair's share of a coordination number, (1 − xⁿ)/(1 − xᵐ) with x = r/r₀, written without its common root at x = 1:
 * 1/(1 + xⁿ) for m = 2n, else Σ_{k<n} xᵏ / Σ_{k<m} xᵏ. M. Iannuzzi, A. Laio, M. Parrinello, Phys. Rev. Lett. 90, 238302
 * (2003), DOI 10.1103/PhysRevLett.90.238302.
 */
export function switching({ r0, n, m }: Switching): Expr {
  const x = div(distance, r0);
  if (m === 2 * n) return div(1, add(1, powi(x, n)));
  const series = (count: number) => sum(Array.from({ length: count }, (_, k) => powi(x, k)));
  return div(series(n), series(m));
}
