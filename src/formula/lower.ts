import { topological } from "./derivative.ts";
import { elementary } from "./elementary.ts";
import type { Elementary, Expr, Op } from "./expression.ts";
import type { Precision } from "./formats.ts";
import {
  abs,
  acos,
  add,
  bits,
  cos,
  div,
  exp,
  less,
  log,
  log1p,
  logistic,
  max,
  min,
  mul,
  neg,
  select,
  sin,
  softplus,
  sqrt,
  sub,
  tanh,
} from "./expression.ts";

/** An operation of the same kind as x over other operands. */
const constructors: Readonly<Record<Op, (args: readonly Expr[], x: Expr) => Expr>> = {
  constant: (_, x) => x,
  variable: (_, x) => x,
  add: ([a, b]) => add(a, b),
  sub: ([a, b]) => sub(a, b),
  mul: ([a, b]) => mul(a, b),
  div: ([a, b]) => div(a, b),
  neg: ([a]) => neg(a),
  sqrt: ([a]) => sqrt(a),
  abs: ([a]) => abs(a),
  min: ([a, b]) => min(a, b),
  max: ([a, b]) => max(a, b),
  less: ([a, b]) => less(a, b),
  select: ([a, b, c]) => select(a, b, c),
  and: ([a, b]) => bits.and(a, b),
  or: ([a, b]) => bits.or(a, b),
  xor: ([a, b]) => bits.xor(a, b),
  shl: ([a], x) => bits.shl(a, x.value),
  shr: ([a], x) => bits.shr(a, x.value),
  odd: ([a]) => bits.odd(a),
  exp: ([a]) => exp(a),
  log: ([a]) => log(a),
  log1p: ([a]) => log1p(a),
  sin: ([a]) => sin(a),
  cos: ([a]) => cos(a),
  tanh: ([a]) => tanh(a),
  acos: ([a]) => acos(a),
  logistic: ([a]) => logistic(a),
  softplus: ([a]) => softplus(a),
};

/** The operation x over other operands, simplified again. */
export const rebuild = (x: Expr, args: readonly Expr[]): Expr => constructors[x.op](args, x);

/** x itself where its operands are still the same, else rebuilt over the new ones. */
function follow(x: Expr, done: ReadonlyMap<Expr, Expr>): Expr {
  const args = x.args.map((a) => done.get(a)!);
  return args.every((a, i) => a === x.args[i]) ? x : rebuild(x, args);
}

/** Whether elementary.ts writes the operation in primitives. */
export const isElementary = (x: Expr): boolean => x.op in elementary.f64;

/** x with the nodes of the map replaced. */
export function substitute(x: Expr, map: ReadonlyMap<Expr, Expr>): Expr {
  const done = new Map(map);
  for (const y of topological([x])) if (!done.has(y)) done.set(y, follow(y, done));
  return done.get(x)!;
}

/**
 * The same formulas in primitives only: elementary functions replaced by their definitions in one precision. Those of
 * constants are constants, in f64.
 */
export function lower(outputs: readonly Expr[], precision: Precision = "f64"): Expr[] {
  const done = new Map<Expr, Expr>();
  for (const x of topological(outputs)) {
    // A definition may use other functions of the table by calling them, so it is primitive already.
    if (!isElementary(x)) {
      done.set(x, follow(x, done));
      continue;
    }
    const arg = done.get(x.args[0])!;
    const expand = elementary[arg.op === "constant" ? "f64" : precision][x.op as Elementary];
    done.set(x, expand(arg));
  }
  return outputs.map((y) => done.get(y)!);
}
