import {
  add,
  constant,
  cos,
  div,
  less,
  mul,
  neg,
  select,
  sin,
  sub,
  sum,
  variable,
} from "../../formula/expression.ts";
import type { Expr } from "../../formula/expression.ts";
import type { DensityFunctions } from "../density/functions.ts";
import { r, x, y, z } from "../density/functions.ts";

/**
 * An element of the half of U that is held: 2j, and the rows mb = j + m', columns ma = j + m of the matrix of order
 * 2j + 1; the rest follows from U_{−m',−m} = (−1)^{m − m'} U*_{m',m}.
 */
export interface Element {
  readonly j: number;
  readonly mb: number;
  readonly ma: number;
}

/** Whether it is held: rows above the middle, and the middle row up to its real centre. */
export const isHeld = (j: number, mb: number, ma: number): boolean =>
  2 * mb < j || (2 * mb === j && 2 * ma <= j);

/** Whether the element of U is real: the centre of the middle row. */
export const isReal = ({ j, mb, ma }: Element): boolean => 2 * mb === j && 2 * ma === j;

/** The held elements for 2j = 0 … twojmax, by j, row, column. */
export function heldElements(twojmax: number): Element[] {
  const held: Element[] = [];
  for (let j = 0; j <= twojmax; j++)
    for (let mb = 0; 2 * mb <= j; mb++)
      for (let ma = 0; ma <= j; ma++) if (isHeld(j, mb, ma)) held.push({ j, mb, ma });
  return held;
}

/** √(j over m): what U is multiplied by (column) and divided by (row), so that its recursion has no coefficients. */
export function rootBinomial(j: number, m: number): number {
  let b = 1;
  for (let i = 1; i <= m; i++) b = (b * (j - m + i)) / i;
  return Math.sqrt(b);
}

interface Complex {
  readonly re: Expr;
  readonly im: Expr;
}

/** Σ p q */
const chain = (terms: readonly (readonly [Expr, Expr])[]): Expr => sum(terms.map(([p, q]) => mul(p, q)));

/** a* v − b* u as a chain of multiply-adds; a missing v or u counts as 0. */
function step(a: Complex, b: Complex, v: Complex | undefined, u: Complex | undefined): Complex {
  const re: [Expr, Expr][] = [];
  const im: [Expr, Expr][] = [];
  if (v) re.push([a.re, v.re], [a.im, v.im]);
  if (v) im.push([a.re, v.im], [neg(a.im), v.re]);
  if (u) re.push([neg(b.re), u.re], [neg(b.im), u.im]);
  if (u) im.push([b.im, u.re], [neg(b.re), u.im]);
  return { re: chain(re), im: chain(im) };
}

/** (−1)^{ma − mb} v* */
const mirrored = (v: Complex, ma: number, mb: number): Complex =>
  (ma - mb) % 2 === 0 ? { re: v.re, im: neg(v.im) } : { re: neg(v.re), im: v.im };

/**
 * V^j_{mb,ma} = U^j_{mb,ma} √(C(j,ma)/C(j,mb)) times `scale` for the rotation (a, b), |a|² + |b|² = 1:
 *
 *     V^j_{mb,ma} = a* V^{j−1}_{mb,ma} − b* V^{j−1}_{mb,ma−1}
 *
 * in every row that is held (j doubled; D. A. Varshalovich et al., Quantum Theory of Angular Momentum, 4.8.2).
 */
function matrices(twojmax: number, a: Complex, b: Complex, scale: Expr): Complex[][][] {
  const V: Complex[][][] = [[[{ re: scale, im: constant(0) }]]];
  for (let j = 1; j <= twojmax; j++) {
    const last = V[j - 1];
    const row = (mb: number): Complex[] => {
      const from =
        2 * mb <= j - 1 ? last[mb] : last[j - 1 - mb].map((_, m, all) => mirrored(all[j - 1 - m], m, mb));
      return Array.from({ length: j + 1 }, (_, ma) => step(a, b, from[ma], from[ma - 1]));
    };
    V.push(Array.from({ length: Math.floor(j / 2) + 1 }, (_, mb) => row(mb)));
    const middle = V[j][j / 2];
    if (middle) for (let ma = 0; 2 * ma < j; ma++) middle[j - ma] = mirrored(middle[ma], j - ma, j / 2);
  }
  return V;
}

export interface SphereOptions {
  readonly twojmax: number;
  /** Å. */
  readonly rmin0: number;
  readonly switching: boolean;
  readonly inner: boolean;
}

/** What differs from one pair of elements to another. */
export interface PairParameters {
  /** Å. */
  readonly rcut: number;
  readonly weight: number;
  readonly rfac0: number;
  /** Middle and half width of the inner switch, Å. */
  readonly sinner: number;
  readonly dinner: number;
}

const [turn, fade, rcut, weight] = ["turn", "fade", "rcut", "weight"].map(variable);
const [start, width] = ["start", "width"].map(variable);

/** Values of the parameters of `sphereFunctions`, in their order. */
export function parameterValues(p: PairParameters, { rmin0, inner }: SphereOptions): number[] {
  const span = p.rcut - rmin0;
  const outer = [(p.rfac0 * Math.PI) / span, Math.PI / span, p.rcut, p.weight];
  return inner ? [...outer, p.sinner - p.dinner, 2 * p.dinner] : outer;
}

/**
 * The held elements of w f(r) V(θ₀): the neighbour at (x, y, z) as a rotation by 2θ₀ about r̂, θ₀ = rfac0 π (r − rmin0)/
 * (rcut − rmin0), a = cos θ₀ − i ẑ sin θ₀, b = (ŷ − i x̂) sin θ₀; f = ½ + ½ cos π(r − rmin0)/(rcut − rmin0).
 * A. P. Thompson et al., DOI 10.1016/j.jcp.2014.12.018. Real parts, each followed by its imaginary part where it has one.
 */
export function sphereFunctions(options: SphereOptions): DensityFunctions {
  const { twojmax, rmin0, switching, inner } = options;
  const far = sub(r, rmin0);
  const angle = mul(far, turn);
  const s = div(sin(angle), r);
  const a = { re: cos(angle), im: neg(mul(z, s)) };
  const b = { re: mul(y, s), im: neg(mul(x, s)) };
  const V = matrices(twojmax, a, b, mul(weight, switched(far, { rmin0, switching, inner })));
  const functions = heldElements(twojmax).flatMap(({ j, mb, ma }) => {
    const v = V[j][mb][ma];
    return isReal({ j, mb, ma }) ? [[v.re]] : [[v.re], [v.im]];
  });
  const outer = ["turn", "fade", "rcut", "weight"];
  return { functions, parameters: inner ? [...outer, "start", "width"] : outer };
}

/** ½ + ½ cos x */
const half = (angle: Expr): Expr => mul(0.5, add(1, cos(angle)));

/** f(r), 0 at and beyond the cutoff; 1 below rmin0; with an inner switch 0 below sinner − dinner. */
function switched(far: Expr, { rmin0, switching, inner }: Omit<SphereOptions, "twojmax">): Expr {
  let f: Expr = constant(1);
  if (switching) f = rmin0 > 0 ? select(less(far, 0), 1, half(mul(far, fade))) : half(mul(far, fade));
  if (inner) {
    const depth = sub(r, start);
    const rise = mul(0.5, sub(1, cos(div(mul(Math.PI, depth), width))));
    f = mul(f, select(less(depth, 0), 0, select(less(depth, width), rise, 1)));
  }
  return select(less(r, rcut), f, 0);
}
