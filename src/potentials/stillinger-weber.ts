import type { CentreTerms } from "../descriptors/loops/sum.ts";
import { cosTheta, rij, rik } from "../descriptors/loops/angular.ts";
import { r } from "../descriptors/loops/radial.ts";
import type { Device } from "../device/device.ts";
import { invalid } from "../error.ts";
import { add, div, exp, less, max, mul, neg, pow, powi, select, square, sub } from "../formula/expression.ts";
import type { Expr } from "../formula/expression.ts";
import { z } from "../zod.ts";
import type { Potential, PotentialMethod } from "./potential.ts";
import { sumOfTerms } from "./sum-of-terms.ts";

const NAME = "stillinger-weber";

const number = (value: number, help: string, unit = "") => z.number().default(value).meta({ help, unit });

const options = z.strictObject({
  epsilon: number(2.1683, "ε, energy of a bond", "eV"),
  sigma: number(2.0951, "σ, length", "Å"),
  a: number(1.8, "cutoff in units of σ"),
  lambda: number(21, "λ, strength of the angles"),
  gamma: number(1.2, "γ, decay of the angles"),
  cosine: number(-1 / 3, "cos θ₀ of the angle without strain"),
  A: number(7.049556277, "A of the pairs"),
  B: number(0.6022245584, "B of the pairs"),
  p: number(4, "exponent of the repulsion"),
  q: number(0, "exponent of the attraction"),
});

type Options = z.infer<typeof options>;

/** (σ/r)^p with an integer power where it is one. */
const ratio = (sigma: number, x: Expr, p: number): Expr =>
  Number.isInteger(p) ? powi(div(sigma, x), p) : pow(div(sigma, x), p);

/** exp(−length/(r_c − r)), 0 from r_c on; below r_c/2000 from it the exponential is 0 in double precision. */
const fade = (x: Expr, length: number, rc: number): Expr =>
  select(less(x, rc), exp(neg(div(length, max(sub(rc, x), rc / 2000)))), 0);

/**
 * E = Σ_{i<j} A ε (B (σ/r)^p − (σ/r)^q) e^{σ/(r − aσ)} + Σ_i Σ_{j<k} λ ε (cos θ_jik − cos θ₀)² e^{γσ/(r_ij − aσ)} e^{γσ/(r_ik − aσ)}.
 * F. H. Stillinger, T. A. Weber, Phys. Rev. B 31, 5262 (1985), DOI 10.1103/PhysRevB.31.5262: silicon.
 */
export const stillingerWeber: PotentialMethod<Options> = {
  name: NAME,
  summary: "Pairs and angles of a tetrahedral crystal: silicon",
  options,
  build,
};

function build(given: Options, elements: readonly number[], _: unknown, device: Device): Potential {
  if (elements.length !== 1) throw invalid(NAME, "a model of one element", elements.length);
  const { epsilon, sigma, a, lambda, gamma, cosine, A, B, p, q } = given;
  const rc = a * sigma;
  const bond = sub(mul(B, ratio(sigma, r, p)), ratio(sigma, r, q));
  const pair = mul((A * epsilon) / 2, mul(bond, fade(r, sigma, rc)));
  const angle = mul(lambda * epsilon, square(add(cosTheta, -cosine)));
  const faded = mul(fade(rij, gamma * sigma, rc), fade(rik, gamma * sigma, rc));
  const edge = { cutoff: rc, smoothness: Infinity };
  const centre: CentreTerms = {
    radial: [{ neighbour: 0, terms: [{ factors: [pair], ...edge, label: "bond" }] }],
    angular: [
      { neighbours: [0, 0], terms: [{ factors: [faded, angle], ...edge, label: "angle" }], narrow: false },
    ],
  };
  return sumOfTerms(elements, [centre], device);
}
