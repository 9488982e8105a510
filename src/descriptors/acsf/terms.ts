import { add, cos, exp, max, mul, pow, powi, square, sub } from "../../formula/expression.ts";
import type { Expr } from "../../formula/expression.ts";
import { cutoff, cutoffs } from "../cutoffs.ts";
import type { CutoffName } from "../cutoffs.ts";
import { cosTheta, rij, rik, rjk, rjkSquared } from "../loops/angular.ts";
import { r } from "../loops/radial.ts";
import type { Term } from "../loops/term.ts";
import type { AngularFunction, RadialFunction } from "./options.ts";

/** Cutoff function, radius (Å) and, as a fraction α of it, inner radius of a function. */
export interface CutoffChoice {
  readonly type: CutoffName;
  readonly radius: number;
  readonly inner?: number;
}

/** exp(−η (r − r_s)²) */
const gaussian = (r: Expr, eta: number, rs: number): Expr => exp(mul(-eta, square(sub(r, rs))));

/**
 * G1 = Σ_j f_c(r_ij), G2 = Σ_j exp(−η (r_ij − r_s)²) f_c(r_ij), G3 = Σ_j cos(κ r_ij) f_c(r_ij).
 * J. Behler, J. Chem. Phys. 134, 074106 (2011), DOI 10.1063/1.3553717.
 */
export function radialTerm(f: RadialFunction, { type, radius, inner }: CutoffChoice): Term {
  const fc = cutoff(type, r, radius, inner);
  const edge = { cutoff: radius, smoothness: cutoffs[type].smoothness };
  switch (f.type) {
    case "G2":
      return {
        factors: [fc, gaussian(r, f.eta, f.shift)],
        ...edge,
        label: label("G2", { η: f.eta, rs: f.shift }),
      };
    case "G3":
      return { factors: [fc, cos(mul(f.kappa, r))], ...edge, label: label("G3", { κ: f.kappa }) };
    default:
      return { factors: [fc], ...edge, label: f.type };
  }
}

/**
 * G4 = 2^{1−ζ} Σ_{j<k} (1 + λ cos θ)^ζ exp(−η (r_ij² + r_ik² + r_jk²)) f_c(r_ij) f_c(r_ik) f_c(r_jk), called narrow;
 * G5, called wide, the same without r_jk. With a shift, (r − r_s)² stands for r². Behler 2011, as above.
 */
export function angularTerm(
  f: Omit<AngularFunction, "lambda"> & { readonly lambda: number },
  { type, radius, inner }: CutoffChoice,
): Term {
  const { eta, zeta, lambda, shift: rs } = f;
  const narrow = f.type === "G4";
  const fc = (r: Expr) => cutoff(type, r, radius, inner);
  const edge = { cutoff: radius, smoothness: cutoffs[type].smoothness };
  const wide = mul(fc(rij), fc(rik));
  return {
    factors: [
      narrow ? mul(wide, fc(rjk)) : wide,
      exp(mul(-eta, spread(rs, narrow))),
      // 2^{1−ζ} (1 + λ cos θ)^ζ
      mul(2, power(add(0.5, mul(0.5 * lambda, cosTheta)), zeta)),
    ],
    ...edge,
    label: label(f.type, { η: eta, ζ: zeta, λ: lambda, rs }),
  };
}

/** (r_ij − r_s)² + (r_ik − r_s)² and, when narrow, + (r_jk − r_s)². */
function spread(rs: number, narrow: boolean): Expr {
  const wide = add(square(sub(rij, rs)), square(sub(rik, rs)));
  if (!narrow) return wide;
  return add(wide, rs === 0 ? rjkSquared : square(sub(rjk, rs)));
}

/** Integer or fractional power; for a fractional ζ the base, which rounding may take below 0 at θ = 0 or 180°, is held above it. */
const power = (base: Expr, zeta: number): Expr =>
  Number.isInteger(zeta) ? powi(base, zeta) : pow(max(base, 1e-30), zeta);

/** "G2 η=0.5 rs=1.2", zeros of rs left out. */
export const label = (name: string, parameters: Readonly<Record<string, number>>): string =>
  [
    name,
    ...Object.entries(parameters)
      .filter(([key, value]) => key !== "rs" || value !== 0)
      .map(([key, value]) => `${key}=${Number(value.toPrecision(4))}`),
  ].join(" ");
