import { topological } from "./derivative.ts";
import { elementary } from "./elementary.ts";
import type { Elementary, Expr, Op } from "./expression.ts";
import type { Precision } from "./formats.ts";
import {
  abs,
  acos,
  add,
  bits,
  constant,
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

/** What a constant is in f32, and what is left of it. */
const parts = (c: Expr): readonly [number, number] => {
  const high = Math.fround(c.value);
  return [high, Number.isFinite(high) ? Math.fround(c.value - high) : 0];
};

/** c·u or u + c with the constant in two parts, lowered; undefined where it is something else. */
function inParts(x: Expr, done: ReadonlyMap<Expr, Expr>): readonly [Expr, Expr] | undefined {
  const [a, c] = x.args;
  if (c?.op !== "constant" || (x.op !== "mul" && x.op !== "add") || a.op === "constant") return undefined;
  const [u, [high, low]] = [done.get(a)!, parts(c)];
  return x.op === "mul" ? [mul(u, high), mul(u, low)] : [add(u, high), constant(low)];
}

/** ±c₁ u + c₂ with both constants in two parts; undefined where x is something else. */
function linearForm(x: Expr, done: ReadonlyMap<Expr, Expr>): Expr | undefined {
  if (x.op !== "add" && x.op !== "sub") return undefined;
  const [product, c] = x.args[0].op === "constant" ? [x.args[1], x.args[0]] : x.args;
  if (c.op !== "constant" || product.op !== "mul") return undefined;
  const split = inParts(product, done);
  if (!split) return undefined;
  const [high, low] = parts(c);
  const join = x.op === "add" ? add : (a: Expr, b: number | Expr) => sub(b, a);
  return join(split[1], add(join(split[0], high), low));
}

/** x; in f32, where a rounded constant would shift every value the same way, with what was lost given back. */
function compensated(x: Expr, done: ReadonlyMap<Expr, Expr>): Expr | undefined {
  const split = inParts(x, done);
  return linearForm(x, done) ?? (split && add(split[0], split[1]));
}

/**
 * The same formulas in primitives only: elementary functions replaced by their definitions in one precision. Those of
 * constants are constants, in f64. In f32 constants of linear forms c₁ x + c₂ and of arguments of elementary functions
 * are given in two parts: sums of thousands of terms average errors of rounding, but not those of a cutoff's radius.
 */
export function lower(outputs: readonly Expr[], precision: Precision = "f64"): Expr[] {
  const done = new Map<Expr, Expr>();
  const single = precision === "f32";
  for (const x of topological(outputs)) {
    // A definition may use other functions of the table by calling them, so it is primitive already.
    if (!isElementary(x)) {
      done.set(x, (single && linearForm(x, done)) || follow(x, done));
      continue;
    }
    const arg = (single && compensated(x.args[0], done)) || done.get(x.args[0])!;
    const expand = elementary[arg.op === "constant" ? "f64" : precision][x.op as Elementary];
    done.set(x, expand(arg));
  }
  return outputs.map((y) => done.get(y)!);
}
