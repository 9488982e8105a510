import type { Expr } from "./expression.ts";
import {
  add,
  constant,
  cos,
  div,
  less,
  logistic,
  max,
  mul,
  neg,
  select,
  sin,
  sqrt,
  square,
  sub,
} from "./expression.ts";

const zero = constant(0);
const one = constant(1);

/** Every node that the outputs need, operands before results, in an order fixed by the structure alone. */
export function topological(outputs: readonly Expr[]): Expr[] {
  const seen = new Set<Expr>();
  const order: Expr[] = [];
  const visit = (x: Expr) => {
    if (seen.has(x)) return;
    seen.add(x);
    for (const arg of x.args) visit(arg);
    order.push(x);
  };
  for (const y of outputs) visit(y);
  return order;
}

const onlyIf = (mask: Expr, s: Expr): Expr => select(mask, s, zero);
const unless = (mask: Expr, s: Expr): Expr => select(mask, zero, s);

/** s·∂y/∂(operand i of y): the one rule per operation that both modes use. */
function times(y: Expr, i: number, s: Expr): Expr {
  const [a, b] = y.args;
  switch (y.op) {
    case "add":
      return s;
    case "sub":
      return i === 0 ? s : neg(s);
    case "neg":
      return neg(s);
    case "mul":
      return mul(s, i === 0 ? b : a);
    case "div":
      // 1/b is shared by both operands and by every other quotient over b.
      return i === 0 ? mul(s, div(one, b)) : neg(mul(s, mul(y, div(one, b))));
    case "sqrt":
      return mul(s, select(less(y, 1e-30), zero, div(0.5, y)));
    case "abs":
      return select(less(a, zero), neg(s), onlyIf(less(zero, a), s));
    case "min":
      return i === 0 ? unless(less(b, a), s) : onlyIf(less(b, a), s);
    case "max":
      return i === 0 ? unless(less(a, b), s) : onlyIf(less(a, b), s);
    case "select":
      if (i === 0) return zero;
      return i === 1 ? onlyIf(a, s) : unless(a, s);
    case "exp":
      return mul(s, y);
    case "log":
      return mul(s, div(one, a));
    case "log1p":
      return mul(s, div(one, add(one, a)));
    case "sin":
      return mul(s, cos(a));
    case "cos":
      return neg(mul(s, sin(a)));
    case "tanh":
      return mul(s, sub(one, square(y)));
    case "acos":
      // Functions of an angle are even in it where it is 0 or π: the bound leaves their slope 0 there, not NaN.
      return neg(mul(s, div(one, sqrt(max(mul(sub(one, a), add(one, a)), 1e-32)))));
    case "logistic":
      return mul(s, sub(y, square(y)));
    case "softplus":
      return mul(s, logistic(a));
    case "less":
    case "constant":
    case "variable":
      return zero;
    default:
      throw new Error(`no derivative of ${y.op}: derive a formula before it is lowered`);
  }
}

/** Nodes of `order` that depend on one of `wrt`. */
function active(order: readonly Expr[], wrt: ReadonlySet<Expr>): Set<Expr> {
  const found = new Set<Expr>();
  for (const x of order) if (wrt.has(x) || x.args.some((a) => found.has(a))) found.add(x);
  return found;
}

/**
 * ∂y/∂x for every x of `wrt`, in reverse mode, symbolically; the results share their subexpressions with y.
 * `wrt` may hold inner nodes of y too: they then get the derivative along all paths through them.
 */
export function gradient(y: Expr, wrt: readonly Expr[]): Expr[] {
  const order = topological([y]);
  const live = active(order, new Set(wrt));
  const parts = new Map<Expr, Expr[]>([[y, [one]]]);
  for (const x of order.toReversed()) {
    const found = parts.get(x);
    if (found === undefined || !live.has(x)) continue;
    const s = total(found);
    x.args.forEach((arg, i) => {
      if (!live.has(arg)) return;
      const t = times(x, i, s);
      const known = parts.get(arg);
      if (known === undefined) parts.set(arg, [t]);
      else known.push(t);
    });
  }
  return wrt.map((x) => total(parts.get(x) ?? [zero]));
}

/** A sum of so many terms is one chain of multiply-adds; longer ones are several, which do not wait for each other. */
const CHAIN = 8;

/** Σ terms in chains. The pullback of 285 functions of SNAP takes two thirds of the time it took as one chain. */
function total(terms: readonly Expr[]): Expr {
  const chains: Expr[] = [];
  for (let k = 0; k < terms.length; k += CHAIN)
    chains.push(terms.slice(k, k + CHAIN).reduce((a, b) => add(a, b)));
  return chains.reduce((a, b) => add(a, b));
}

/**
 * Σ_x seeds(x)·∂y/∂x in forward mode, symbolically: the derivative of y along a direction.
 * A seeded inner node counts as independent: what it depends on is not followed.
 */
export function tangent(y: Expr, seeds: ReadonlyMap<Expr, Expr>): Expr {
  const dot = new Map<Expr, Expr>();
  for (const x of topological([y])) {
    const seed = seeds.get(x);
    if (seed !== undefined) {
      dot.set(x, seed);
      continue;
    }
    if (x.op === "less" || x.op === "odd") continue;
    let total: Expr | undefined;
    x.args.forEach((arg, i) => {
      const d = dot.get(arg);
      if (d === undefined) return;
      const t = times(x, i, d);
      total = total === undefined ? t : add(total, t);
    });
    if (total !== undefined) dot.set(x, total);
  }
  return dot.get(y) ?? zero;
}
