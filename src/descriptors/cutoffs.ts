import { add, cos, less, mul, powi, select, sub, tanh } from "../formula/expression.ts";
import type { Expr } from "../formula/expression.ts";

/** A function that takes a term smoothly to 0 at r_c. */
export interface Cutoff {
  /** How many derivatives are continuous at r_c: forces need 1, force constants 2. */
  readonly smoothness: number;
  readonly help: string;
  /** f(r) for 0 < r < rc. */
  inside(r: Expr, rc: number): Expr;
}

/** The cutoff functions, by the names n2p2 gives them; x = r/r_c. */
export const cutoffs = {
  cosine: {
    smoothness: 1,
    help: "½(cos πx + 1), Behler 2011",
    inside: (r, rc) => mul(0.5, add(cos(mul(Math.PI / rc, r)), 1)),
  },
  tanh3: {
    smoothness: 2,
    help: "tanh³(1 − x), Behler 2011",
    inside: (r, rc) => powi(tanh(sub(1, mul(1 / rc, r))), 3),
  },
  poly2: {
    smoothness: 2,
    help: "1 − 10x³ + 15x⁴ − 6x⁵",
    inside: (r, rc) => {
      const x = mul(1 / rc, r);
      return add(mul(powi(x, 3), sub(mul(x, sub(15, mul(6, x))), 10)), 1);
    },
  },
  poly3: {
    smoothness: 3,
    help: "1 − 35x⁴ + 84x⁵ − 70x⁶ + 20x⁷",
    inside: (r, rc) => {
      const x = mul(1 / rc, r);
      const q = sub(mul(x, add(mul(x, sub(mul(20, x), 70)), 84)), 35);
      return add(mul(powi(x, 4), q), 1);
    },
  },
} as const satisfies Record<string, Cutoff>;

/** Name of a cutoff function. */
export type CutoffName = keyof typeof cutoffs;

/** Names of all cutoff functions, for option schemas. */
export const cutoffNames = Object.keys(cutoffs) as [CutoffName, ...CutoffName[]];

/** f_c(r): the cutoff function inside r_c (Å), exactly 0 at r_c and beyond. */
export const cutoff = (name: CutoffName, r: Expr, rc: number): Expr =>
  select(less(r, rc), cutoffs[name].inside(r, rc), 0);
