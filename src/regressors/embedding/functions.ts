import {
  add,
  exp,
  less,
  max,
  min,
  mul,
  neg,
  pow,
  powi,
  select,
  sub,
  sum,
  type Expr,
} from "../../formula/expression.ts";

/** One density's share of the energy, weight·F(ρ; exponent). */
export interface Share {
  readonly weight: number;
  readonly exponent: number;
}

/** Where a core repulsion takes over from the rest: the rest is whole below cutoff − width, nothing above cutoff; eV. */
export interface CoreSwitch {
  readonly cutoff: number;
  readonly width: number;
}

/** sgn(ρ) f(|ρ|), with the derivative at 0 from above. */
function odd(rho: Expr, f: (a: Expr) => Expr): Expr {
  const negative = less(rho, 0);
  const value = f(select(negative, neg(rho), rho));
  return select(negative, neg(value), value);
}

/** Inverse width of the region around 0 in which FinnisSinclair is linear. */
const STEEP = 1e6;

/** Embedding functions F(ρ; m), by the names of pacemaker's files. */
export const embeddings = {
  FinnisSinclairShiftedScaled: {
    help: "sgn ρ ((|ρ| + a e^−|ρ|)^m − a^m e^−|ρ|), a = ν^(ν/(1−ν)), ν = 1/m: |ρ|^m far away, smooth at 0",
    F: (rho: Expr, m: number): Expr => {
      if (Math.abs(m - 1) < 1e-10) return rho;
      const nu = 1 / m;
      const a = nu ** (nu / (1 - nu));
      return odd(rho, (x) => {
        const e = exp(neg(x));
        return sub(pow(add(mul(a, e), x), m), mul(a ** m, e));
      });
    },
  },
  FinnisSinclair: {
    help: "sgn ρ ((1 − g) |ρ|^m + w^(1−m) g |ρ|), g = exp(−(w |ρ|)³), w = 10⁶: |ρ|^m, linear in a tiny region around 0",
    F: (rho: Expr, m: number): Expr =>
      odd(rho, (x) => {
        // Beyond an argument of 30 the reference takes g as 0; the base keeps a distance from 0, where g = 1.
        const cube = powi(mul(STEEP, x), 3);
        const g = select(less(30, cube), 0, exp(neg(min(cube, 30))));
        const power = pow(max(x, 1e-10), m);
        const whole = add(mul(sub(1, g), power), mul(STEEP ** (1 - m), mul(g, x)));
        return select(less(x, 1e-10), mul(STEEP ** (1 - m), x), whole);
      }),
  },
} as const;

export type EmbeddingName = keyof typeof embeddings;
export const embeddingNames = Object.keys(embeddings) as [EmbeddingName, ...EmbeddingName[]];

/** 1 below start, 0 above start + width, 1 − 10t³ + 15t⁴ − 6t⁵ between. */
function fall(x: Expr, start: number, width: number): Expr {
  const t = max(0, min(1, mul(1 / width, sub(x, start))));
  const poly = add(10, mul(t, add(-15, mul(6, t))));
  return sub(1, mul(powi(t, 3), poly));
}

/**
 * Σ_p w_p F(ρ_p; m_p), and with a core repulsion c: c + f(c) Σ_p …, f falling from 1 to 0 as c rises
 * (Y. Lysogorskiy et al., DOI 10.1038/s41524-021-00559-9; A. Bochkarev et al., DOI 10.1103/PhysRevMaterials.6.013804).
 */
export function embeddingEnergy(
  name: EmbeddingName,
  shares: readonly Share[],
  rho: readonly Expr[],
  core: { readonly c: Expr; readonly switch: CoreSwitch } | null,
): Expr {
  const { F } = embeddings[name];
  const E = sum(shares.map(({ weight, exponent }, p) => mul(weight, F(rho[p], exponent))));
  if (!core) return E;
  const { cutoff, width } = core.switch;
  return add(core.c, mul(E, fall(core.c, cutoff - width, width)));
}
