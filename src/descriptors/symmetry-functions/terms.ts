import { invalid } from "../../error.ts";
import { acos, mul } from "../../formula/expression.ts";
import type { Expr } from "../../formula/expression.ts";
import { angularTerm, label, radialTerm } from "../acsf/terms.ts";
import type { CutoffChoice } from "../acsf/terms.ts";
import { angularTerms } from "../ani/terms.ts";
import { compact, cutoffs } from "../cutoffs.ts";
import { cosTheta, rij, rik, rjk } from "../loops/angular.ts";
import { r } from "../loops/radial.ts";
import type { Term } from "../loops/term.ts";
import type { SymmetryFunction } from "./options.ts";

/** Functions of one neighbour. */
export type Radial = Extract<SymmetryFunction, { type: "G1" | "G2" | "G3" | "C2" }>;
/** Functions of two neighbours. */
export type Angular = Exclude<SymmetryFunction, Radial>;
type Bump = Extract<SymmetryFunction, { type: "C2" | "C4" | "C5" }>;

export const isRadial = (f: SymmetryFunction): f is Radial =>
  f.type === "G1" || f.type === "G2" || f.type === "G3" || f.type === "C2";

/** Whether a function of two neighbours vanishes where they are farther apart than its cutoff. */
export const isNarrow = (f: Angular): boolean => f.type === "G4" || f.type === "C4";

/** θ_jik, rad. */
const theta = acos(cosTheta);

/** G1, G2, G3 of acsf, or C2 = Σ_j C(r_ij): a bump with compact support. */
export function radialOf(f: Radial, common: CutoffChoice, place: string): Term {
  if (f.type !== "C2") return radialTerm(f, f.cutoff ?? common);
  const { from, to, shape, asymmetric } = checked(f, place);
  return {
    factors: [compact(shape, r, from, to, asymmetric)],
    cutoff: to,
    smoothness: cutoffs[shape].smoothness,
    label: label(nameOf(f), { from, to }),
  };
}

/**
 * G4, G5 of acsf; the angular functions of ani, in the mean distance and with a free angle θ_s; C4 = Σ_{j<k} C(r_ij) C(r_ik) C(r_jk) C(θ_jik), narrow, and C5, wide, the same without r_jk.
 * M. P. Bircher, A. Singraber, C. Dellago, Mach. Learn.: Sci. Technol. 2, 035026 (2021), DOI 10.1088/2632-2153/abf817.
 */
export function angularOf(f: Angular, common: CutoffChoice, place: string): Term {
  if (f.type === "G4" || f.type === "G5") return angularTerm(f, f.cutoff ?? common);
  if (f.type === "ANI") return aniOf(f, f.cutoff ?? common);
  const { from, to, angles, shape, asymmetric } = checked(f, place);
  const [left, right] = checkedAngles(angles, place).map((degrees) => (degrees * Math.PI) / 180);
  const C = (r: Expr) => compact(shape, r, from, to, asymmetric);
  const wide = mul(C(rij), C(rik));
  return {
    factors: [f.type === "C4" ? mul(wide, C(rjk)) : wide, compact(shape, theta, left, right, false)],
    cutoff: to,
    smoothness: cutoffs[shape].smoothness,
    label: label(nameOf(f), { from, to, θ: angles[0], "–": angles[1] }),
  };
}

/** One angular function of ani. */
function aniOf(f: Extract<SymmetryFunction, { type: "ANI" }>, { type, radius, inner }: CutoffChoice): Term {
  const { eta, zeta, shift, angle } = f;
  const set = { cutoff: radius, eta, zeta, shifts: [shift], angles: [(angle * Math.PI) / 180] };
  const [term] = angularTerms(set, type, inner);
  return { ...term, label: label(f.type, { η: eta, ζ: zeta, rs: shift, θs: angle }) };
}

const nameOf = ({ type, shape, asymmetric }: Bump) => `${type} ${shape}${asymmetric ? "a" : ""}`;

function checked<F extends Bump>(f: F, place: string): F {
  if (f.from >= f.to) throw invalid(`${place}.from`, `less than to = ${f.to}`, f.from);
  return f;
}

/** Beyond 0 and 180° a bump is smooth only when it is symmetric about them. */
function checkedAngles(angles: readonly [number, number], place: string): readonly [number, number] {
  const [left, right] = angles;
  if (left >= right || right - left > 360)
    throw invalid(`${place}.angles`, "left < right, at most 360° apart", angles);
  if ((left < 0 && left + right !== 0) || (right > 180 && left + right !== 360))
    throw invalid(`${place}.angles`, "0 … 180°, or a support centred at 0 or 180°", angles);
  return angles;
}
