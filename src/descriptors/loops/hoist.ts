import { topological } from "../../formula/derivative.ts";
import { isMask, variable } from "../../formula/expression.ts";
import type { Expr } from "../../formula/expression.ts";
import { isElementary, substitute } from "../../formula/lower.ts";

/** Functions of one neighbour's distance are computed once for each neighbour, up to so many of them. */
export const MOST = 4;

/** The largest parts of the expressions that depend on a distance alone and have an elementary function in them. */
function partsOf(expressions: readonly Expr[], distance: Expr): Expr[] {
  const order = topological(expressions);
  const alone = new Set([distance]);
  const costly = new Set<Expr>();
  for (const x of order) {
    const follows =
      x.args.some((a) => alone.has(a)) && x.args.every((a) => alone.has(a) || a.op === "constant");
    if (follows) alone.add(x);
    if (alone.has(x) && (isElementary(x) || x.args.some((a) => costly.has(a)))) costly.add(x);
  }
  const needed = new Set(order.filter((x) => !alone.has(x)).flatMap((x) => x.args));
  for (const x of expressions) needed.add(x);
  return order.filter((x) => costly.has(x) && needed.has(x) && !isMask(x));
}

/** Terms over r_ij, r_ik, r_jk² and what was taken out of them. */
export interface Hoisted<T> {
  readonly terms: readonly T[];
  /** Functions of the variable r. */
  readonly functions: readonly Expr[];
  /** Names of their values at r_ij, then at r_ik, in the terms. */
  readonly names: readonly string[];
}

/** Takes functions of r_ij alone and of r_ik alone out of terms, so that they are computed once per neighbour. */
export function hoist<T extends { readonly factors: readonly Expr[] }>(
  terms: readonly T[],
  rij: Expr,
  rik: Expr,
  r: Expr,
): Hoisted<T> {
  const expressions = terms.flatMap(({ factors }) => factors);
  const functions: Expr[] = [];
  const map = new Map<Expr, Expr>();
  for (const [side, distance] of [rij, rik].entries())
    for (const part of partsOf(expressions, distance)) {
      const f = substitute(part, new Map([[distance, r]]));
      if (!functions.includes(f) && functions.length === MOST) continue;
      if (!functions.includes(f)) functions.push(f);
      map.set(part, variable(`f${functions.indexOf(f)}${side === 0 ? "j" : "k"}`));
    }
  const names = ["j", "k"].flatMap((side) => functions.map((_, m) => `f${m}${side}`));
  const changed = terms.map((t) => ({ ...t, factors: t.factors.map((x) => substitute(x, map)) }));
  return { terms: changed, functions, names };
}
