import { add, cos, exp, mul, powi, pow, sin, sqrt, square, sub } from "../../formula/expression.ts";
import { evaluate } from "../../formula/javascript.ts";
import { cutoff, cutoffs } from "../cutoffs.ts";
import type { CutoffName } from "../cutoffs.ts";
import { cosTheta, rij, rik } from "../loops/angular.ts";
import { r } from "../loops/radial.ts";
import type { Term } from "../loops/term.ts";
import type { AngularSet, RadialSet } from "./options.ts";

/**
 * G_R = ¼ Σ_j exp(−η (r_ij − r_s)²) f_c(r_ij), one per shift.
 * J. S. Smith et al., Chem. Sci. 8, 3192 (2017), DOI 10.1039/C6SC05720A; the ¼ is TorchANI's.
 */
export function radialTerms({ cutoff: rc, eta, shifts }: RadialSet, type: CutoffName): Term[] {
  const edge = { cutoff: rc, smoothness: cutoffs[type].smoothness };
  const fc = mul(0.25, cutoff(type, r, rc));
  return shifts.map((rs) => ({
    factors: [fc, exp(mul(-eta, square(sub(r, rs))))],
    ...edge,
    label: `radial rs=${round(rs)}`,
  }));
}

/**
 * G_A = 2^{1−ζ} Σ_{j<k} (1 + cos(θ − θ_s))^ζ exp(−η ((r_ij + r_ik)/2 − r_s)²) f_c(r_ij) f_c(r_ik), shifts outside,
 * angles inside; cos θ = 0.95 r_ij·r_ik/(r_ij r_ik), as in NeuroChem and TorchANI, which keeps θ differentiable where
 * three atoms are in line. Smith 2017, as above.
 */
export function angularTerms(
  { cutoff: rc, eta, zeta, shifts, angles }: AngularSet,
  type: CutoffName,
  inner?: number,
): Term[] {
  const edge = { cutoff: rc, smoothness: cutoffs[type].smoothness };
  const fc = mul(2, mul(cutoff(type, rij, rc, inner), cutoff(type, rik, rc, inner)));
  const c = mul(0.95, cosTheta);
  const s = sqrt(sub(1, square(c)));
  const mean = mul(0.5, add(rij, rik));
  const bends = angles.map((angle) => {
    // ½ (1 + cos(θ − θ_s)), by the addition theorem: no inverse cosine, whose derivative is singular.
    const [cosAngle, sinAngle] = evaluate([cos(angle), sin(angle)], {});
    const base = add(0.5, add(mul(0.5 * cosAngle, c), mul(0.5 * sinAngle, s)));
    return Number.isInteger(zeta) ? powi(base, zeta) : pow(base, zeta);
  });
  return shifts.flatMap((rs) => {
    const shell = exp(mul(-eta, square(sub(mean, rs))));
    return bends.map((bend, k) => ({
      factors: [fc, shell, bend],
      ...edge,
      label: `angular rs=${round(rs)} θs=${round((angles[k] * 180) / Math.PI)}°`,
    }));
  });
}

const round = (x: number): number => Number(x.toPrecision(4));
