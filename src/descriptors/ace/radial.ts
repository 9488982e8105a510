import {
  add,
  constant,
  cos,
  div,
  exp,
  less,
  max,
  min,
  mul,
  pow,
  powi,
  select,
  sin,
  sub,
  type Expr,
} from "../../formula/expression.ts";

/** What all base functions g_1 … g_K of one bond depend on; Å. */
export interface RadialShape {
  readonly cutoff: number;
  /** Width of a further fall to 0 just below the cutoff; 0: none. */
  readonly smoothing: number;
  readonly lambda: number;
  readonly count: number;
}

/** A family of base functions: a common envelope times g_k. */
export interface RadialFamily {
  readonly help: string;
  /** How many derivatives are continuous at the cutoff. */
  readonly smoothness: (shape: RadialShape) => number;
  readonly envelope: (r: Expr, shape: RadialShape) => Expr;
  readonly functions: (r: Expr, shape: RadialShape) => Expr[];
}

/** T_0 … T_n of x. */
function chebyshev(x: Expr, n: number): Expr[] {
  const T = [constant(1), x];
  for (let k = 2; k <= n; k++) T.push(sub(mul(mul(2, x), T[k - 1]), T[k - 2]));
  return T.slice(0, n + 1);
}

/** ½ (1 − T_k(x)) */
const risen = (T: Expr): Expr => sub(0.5, mul(0.5, T));

/** ½ (1 + cos πx) */
const cosine = (x: Expr): Expr => add(0.5, mul(0.5, cos(mul(Math.PI, x))));

const none = (): Expr => constant(1);

const upTo = (n: number): number[] => Array.from({ length: n }, (_, k) => k);

/** sin(kπx)/(kπx) */
const sinc = (x: Expr, k: number): Expr => {
  const a = mul(k * Math.PI, x);
  return div(sin(a), a);
};

/**
 * Simplified spherical Bessel functions of x = r/r_c, orthonormal on 0 … r_c with their first two derivatives 0 at the
 * end: E. Kocer, J. K. Mason, H. Erturk, DOI 10.1063/1.5111045.
 */
function bessel(x: Expr, { cutoff, count }: RadialShape): Expr[] {
  const f = upTo(count).map((n) => {
    const [a, b] = [n + 1, n + 2];
    const norm = (Math.SQRT2 * Math.PI * a * b) / (cutoff * Math.sqrt(cutoff) * Math.sqrt(a * a + b * b));
    return mul(n % 2 === 0 ? norm : -norm, add(sinc(x, a), sinc(x, b)));
  });
  const g = f.slice(0, 1);
  let d = 1;
  for (let n = 1; n < count; n++) {
    const e = (n * n * (n + 2) * (n + 2)) / (4 * (n + 1) ** 4 + 1);
    const ratio = Math.sqrt(e / d);
    d = 1 - e / d;
    g.push(mul(1 / Math.sqrt(d), add(f[n], mul(ratio, g[n - 1]))));
  }
  return g;
}

/** Families of base functions by the names of pacemaker; x = r/r_c. */
export const radials = {
  ChebExpCos: {
    help: "Chebyshev polynomials of exp(−λ r/r_c), a cosine towards the cutoff (Drautz 2019)",
    // Where the second fall starts its curvature jumps.
    smoothness: () => 1,
    envelope: (r, { cutoff, smoothing }) => {
      const fall = cosine(mul(1 / cutoff, r));
      if (smoothing <= 0) return fall;
      const start = cutoff - smoothing;
      const last = cosine(max(0, mul(1 / smoothing, sub(r, start))));
      return mul(fall, last);
    },
    functions: (r, { cutoff, lambda, count }) => {
      const floor = Math.exp(-lambda);
      const y = sub(exp(mul(-lambda / cutoff, r)), floor);
      const T = chebyshev(sub(1, mul(2 / (1 - floor), y)), Math.max(0, count - 1));
      return upTo(count).map((k) => (k === 0 ? constant(1) : risen(T[k])));
    },
  },
  ChebPow: {
    help: "Chebyshev polynomials of (1 − r/r_c)^λ, which end with it: λ = 2 has a continuous force, 3 a continuous curvature",
    smoothness: ({ lambda }) => Math.ceil(lambda) - 1,
    envelope: none,
    functions: (r, { cutoff, lambda, count }) => {
      // A power of a negative number is none; beyond the cutoff nothing of this is used.
      const u = max(sub(1, mul(1 / cutoff, r)), 1e-12);
      const T = chebyshev(sub(1, mul(2, pow(u, lambda))), count);
      return upTo(count).map((k) => risen(T[k + 1]));
    },
  },
  ChebLinear: {
    help: "Chebyshev polynomials of 1 − r/r_c; the energy jumps at the cutoff, as in pacemaker",
    smoothness: () => -1,
    envelope: none,
    functions: (r, { cutoff, count }) => {
      const T = chebyshev(sub(1, mul(1 / cutoff, r)), count);
      return upTo(count).map((k) => risen(T[k + 1]));
    },
  },
  SBessel: {
    help: "simplified spherical Bessel functions (Kocer 2019), two continuous derivatives at the cutoff",
    smoothness: () => 2,
    envelope: none,
    functions: (r, shape) => bessel(mul(1 / shape.cutoff, r), shape),
  },
} as const satisfies Record<string, RadialFamily>;

/** Name of a family of base functions. */
export type RadialName = keyof typeof radials;
export const radialNames = Object.keys(radials) as [RadialName, ...RadialName[]];

/** Range over which what is inside fades: nothing below radius − width, all above radius; Å. */
export interface Inner {
  readonly radius: number;
  readonly width: number;
}

/** 1 − 10t³ + 15t⁴ − 6t⁵ from 1 at radius − width to 0 at radius. */
function inside(r: Expr, { radius, width }: Inner): Expr {
  const t = max(0, min(1, mul(1 / width, sub(r, radius - width))));
  return sub(1, mul(powi(t, 3), add(10, mul(t, add(-15, mul(6, t))))));
}

/** The envelope of a family: exactly 0 at the cutoff and beyond, and 0 inside `inner` where there is one. */
export function radialEnvelope(name: RadialName, r: Expr, shape: RadialShape, inner: Inner | null): Expr {
  const whole = radials[name].envelope(r, shape);
  const shown = inner ? mul(whole, sub(1, inside(r, inner))) : whole;
  return select(less(r, shape.cutoff), shown, 0);
}

/** Repulsion p exp(−λr²)/r ½(1 + cos πr/r_c), eV; with `inner` only below its radius. */
export function coreRepulsion(
  r: Expr,
  { strength, exponent }: { readonly strength: number; readonly exponent: number },
  cutoff: number,
  inner: Inner | null,
): Expr {
  const bare = div(mul(strength, exp(mul(-exponent, mul(r, r)))), r);
  const all = mul(bare, cosine(mul(1 / cutoff, r)));
  return select(less(r, cutoff), inner ? mul(all, inside(r, inner)) : all, 0);
}
