import { add, exp, mul, powi, square, type Expr } from "../../formula/expression.ts";
import { inverseRoot } from "./orthonormal.ts";
import { tabulated } from "./tabulated.ts";

/** What radial functions are made for; lengths in Å. */
export interface BasisShape {
  readonly nmax: number;
  readonly lmax: number;
  readonly cutoff: number;
  /** Neighbours may be as far as this. */
  readonly reach: number;
  readonly sigma: number;
}

/** f_nl(r): the overlap of R_nl Y_lm with exp(−|r′ − r|²/2σ²), without Y_lm(r̂); n from 0 on. */
export interface RadialIntegrals {
  readonly f: (n: number, l: number) => Expr;
  /** f_n0(0), [nmax]. */
  readonly centre: Float64Array;
}

/** A set of radial functions. */
export interface Basis {
  readonly help: string;
  readonly integrals: (r: Expr, shape: BasisShape) => RadialIntegrals;
}

const range = (n: number): number[] => Array.from({ length: n }, (_, k) => k);

/** Γ(l + 3/2) */
const gammaHalf = (l: number): number => (l === 0 ? Math.sqrt(Math.PI) / 2 : (l + 0.5) * gammaHalf(l - 1));

/** R_nl = Σ_k β_nk r^l exp(−α_kl r²) falls to this at k/(nmax − 1) of the way from 1 Å to the cutoff. */
const FALLEN = 1e-3;

/**
 * Gaussian type orbitals of dscribe, DOI 10.1016/j.cpc.2019.106949, eqs. 21–25. With a = 1/2σ² the overlap is closed:
 * Σ_k β_nk π^{3/2} a^l (α + a)^{−l−3/2} r^l exp(−α a r²/(α + a)).
 */
function gto(r: Expr, { nmax, lmax, cutoff, sigma }: BasisShape): RadialIntegrals {
  const a = 1 / (2 * sigma * sigma);
  const exponents = (l: number) =>
    range(nmax).map((k) => {
      const end = nmax === 1 ? cutoff : 1 + (k * (cutoff - 1)) / (nmax - 1);
      return -Math.log(FALLEN / end ** l) / (end * end);
    });
  const parts = range(lmax + 1).map((l) => {
    const alpha = exponents(l);
    const S = Float64Array.from(
      { length: nmax * nmax },
      (_, t) => (gammaHalf(l) * (alpha[t % nmax] + alpha[Math.floor(t / nmax)]) ** (-l - 1.5)) / 2,
    );
    const beta = inverseRoot(S, nmax);
    const factor = alpha.map((p) => (Math.PI ** 1.5 * a ** l) / (p + a) ** (l + 1.5));
    const shape = alpha.map((p) => mul(powi(r, l), exp(mul((-p * a) / (p + a), square(r)))));
    return { beta, factor, shape };
  });
  const coefficient = (n: number, l: number, k: number) => parts[l].beta[n * nmax + k] * parts[l].factor[k];
  return {
    f: (n, l) =>
      parts[l].shape.map((g, k) => mul(coefficient(n, l, k), g)).reduce((sum, term) => add(sum, term)),
    centre: Float64Array.from(range(nmax), (n) => range(nmax).reduce((s, k) => s + coefficient(n, 0, k), 0)),
  };
}

/** Polynomials (r_c − r)^{n+2} made orthonormal, DOI 10.1103/PhysRevB.87.184115, eqs. 25–27. */
function polynomial(r: Expr, shape: BasisShape): RadialIntegrals {
  const { nmax, cutoff } = shape;
  // Löwdin's functions depend on the scale of what they are made of: powers of lengths in Å, as in dscribe.
  const S = Float64Array.from({ length: nmax * nmax }, (_, t) => {
    const k = 7 + (t % nmax) + Math.floor(t / nmax);
    return (2 * cutoff ** (k + 2)) / (k * (k + 1) * (k + 2));
  });
  const beta = inverseRoot(S, nmax);
  const values = (s: number) => {
    const powers = range(nmax).map((k) => (cutoff - s) ** (k + 3));
    return Float64Array.from(range(nmax), (n) =>
      powers.reduce((sum, p, k) => sum + beta[n * nmax + k] * p, 0),
    );
  };
  return tabulated(r, shape, values, cutoff);
}

/**
 * r^n exp(−r²/2σ_n²), σ_n = r_c max(√n, 1)/nmax, made orthonormal: the GTO of librascal and featomic,
 * DOI 10.1063/5.0044689.
 */
function powerGto(r: Expr, shape: BasisShape): RadialIntegrals {
  const { nmax, cutoff, sigma } = shape;
  const width = range(nmax).map((n) => (cutoff * Math.max(Math.sqrt(n), 1)) / nmax);
  const gamma = (twice: number): number =>
    // Γ(twice/2)
    twice === 1 ? Math.sqrt(Math.PI) : twice === 2 ? 1 : ((twice - 2) / 2) * gamma(twice - 2);
  /** ∫ r^{2 + n + m} exp(−p r²) dr */
  const overlap = (n: number, m: number) => {
    const p = 1 / (2 * width[n] ** 2) + 1 / (2 * width[m] ** 2);
    return gamma(3 + n + m) / (2 * p ** ((3 + n + m) / 2));
  };
  const norm = range(nmax).map((n) => 1 / Math.sqrt(overlap(n, n)));
  const S = Float64Array.from({ length: nmax * nmax }, (_, t) => {
    const [n, m] = [Math.floor(t / nmax), t % nmax];
    return overlap(n, m) * norm[n] * norm[m];
  });
  const beta = inverseRoot(S, nmax);
  const values = (s: number) => {
    const own = range(nmax).map((k) => norm[k] * s ** k * Math.exp((-s * s) / (2 * width[k] ** 2)));
    return Float64Array.from(range(nmax), (n) => own.reduce((sum, g, k) => sum + beta[n * nmax + k] * g, 0));
  };
  // Beyond nine widths of an atom there is nothing of it.
  return tabulated(r, shape, values, shape.reach + 9 * sigma);
}

/** Every basis by its name in the options. */
export const bases = {
  gto: { help: "Gaussian type orbitals, closed form", integrals: gto },
  polynomial: { help: "polynomials that end at the cutoff", integrals: polynomial },
  "power-gto": { help: "powers times Gaussians, one set for all l", integrals: powerGto },
} as const satisfies Record<string, Basis>;

/** Name of a basis. */
export type BasisName = keyof typeof bases;
export const basisNames = Object.keys(bases) as [BasisName, ...BasisName[]];
