import {
  abs,
  add,
  constant,
  cos,
  div,
  exp,
  less,
  max,
  mul,
  powi,
  select,
  square,
  sub,
  tanh,
} from "../formula/expression.ts";
import type { Expr } from "../formula/expression.ts";

/** A function that falls from 1 at x = 0 to 0 at x = 1. */
export interface Cutoff {
  /** How many derivatives are continuous at x = 1: forces need 1, force constants 2; −1: the function itself jumps. */
  readonly smoothness: number;
  readonly help: string;
  /** f(x) for 0 ≤ x < 1. */
  shape(x: Expr): Expr;
  /** Flat at x = 0, so that it may start at an inner radius instead of at 0. */
  readonly flat: boolean;
}

const COTH = (Math.E + 1 / Math.E) / (Math.E - 1 / Math.E);

/**
 * 1 − xⁿ⁺¹ (c₀ + c₁ x + … ): the polynomials whose first n derivatives vanish at 0 and 1. They are odd about x = ½, so
 * this is yⁿ⁺¹ (c₀ + c₁ y + …) of y = 1 − x, which does not cancel where it is small.
 */
const smoothstep = (c: readonly number[], n: number) => (x: Expr) => {
  const y = sub(1, x);
  return mul(
    powi(y, n + 1),
    c.reduceRight<Expr>((p, ck) => add(mul(p, y), ck), constant(0)),
  );
};

/** The cutoff functions; x = r/r_c. */
export const cutoffs = {
  cosine: {
    smoothness: 1,
    help: "½(cos πx + 1), Behler 2011",
    // ½(cos πx + 1), without cancellation where it is small.
    shape: (x) => square(cos(mul(Math.PI / 2, x))),
    flat: true,
  },
  tanh3: {
    smoothness: 2,
    help: "tanh³(1 − x), Behler 2011",
    shape: (x) => powi(tanh(sub(1, x)), 3),
    flat: false,
  },
  "tanh3-one": {
    smoothness: 2,
    help: "tanh³(1 − x)/tanh³ 1",
    shape: (x) => mul(COTH * COTH * COTH, powi(tanh(sub(1, x)), 3)),
    flat: false,
  },
  poly1: { smoothness: 1, help: "1 − 3x² + 2x³", shape: smoothstep([3, -2], 1), flat: true },
  poly2: { smoothness: 2, help: "1 − 10x³ + 15x⁴ − 6x⁵", shape: smoothstep([10, -15, 6], 2), flat: true },
  poly3: {
    smoothness: 3,
    help: "1 − 35x⁴ + 84x⁵ − 70x⁶ + 20x⁷",
    shape: smoothstep([35, -84, 70, -20], 3),
    flat: true,
  },
  poly4: {
    smoothness: 4,
    help: "1 − 126x⁵ + 420x⁶ − 540x⁷ + 315x⁸ − 70x⁹",
    shape: smoothstep([126, -420, 540, -315, 70], 4),
    flat: true,
  },
  exponential: {
    smoothness: Infinity,
    help: "exp(1 − 1/(1 − x²))",
    // Where 1 − x² is below 1/1000 the function is 0 in double precision.
    shape: (x) => exp(sub(1, div(1, max(mul(sub(1, x), add(1, x)), 1e-3)))),
    flat: true,
  },
  hard: { smoothness: -1, help: "1: the energy jumps", shape: () => constant(1), flat: true },
} as const satisfies Record<string, Cutoff>;

/** Name of a cutoff function. */
export type CutoffName = keyof typeof cutoffs;

/** Names of all cutoff functions, for option schemas. */
export const cutoffNames = Object.keys(cutoffs) as [CutoffName, ...CutoffName[]];

/** f_c(r): 1 up to the inner radius α r_c, the cutoff function from there to r_c (Å), exactly 0 at r_c and beyond. */
export function cutoff(name: CutoffName, r: Expr, rc: number, alpha = 0): Expr {
  const { shape, flat } = cutoffs[name];
  const start = flat ? alpha * rc : 0;
  if (start === 0) return select(less(r, rc), shape(mul(1 / rc, r)), 0);
  const f = shape(mul(1 / (rc - start), sub(r, start)));
  return select(less(r, start), 1, select(less(r, rc), f, 0));
}

/** The shapes of compact functions: those cutoff functions that are flat and smooth at both ends. */
export const shapeNames = ["poly1", "poly2", "poly3", "poly4", "exponential"] as const;

/** Name of the shape of a compact function. */
export type ShapeName = (typeof shapeNames)[number];

/**
 * A bump with compact support: f(|x|) with x = −1 … 1 from `left` to `right`, exactly 0 outside; asymmetric: f of
 * (2 − |x|)|x| instead. M. P. Bircher, A. Singraber, C. Dellago, DOI 10.1088/2632-2153/abf817.
 */
export function compact(type: ShapeName, a: Expr, left: number, right: number, asymmetric: boolean): Expr {
  const x = abs(mul(2 / (right - left), sub(a, (left + right) / 2)));
  const warped = asymmetric ? mul(sub(2, x), x) : x;
  return select(less(x, 1), cutoffs[type].shape(warped), 0);
}
