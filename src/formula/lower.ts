import { topological } from "./derivative.ts";
import { elementary } from "./elementary.ts";
import type { Expr, Primitive } from "./expression.ts";
import { abs, add, bits, div, less, max, min, mul, neg, select, sqrt, sub } from "./expression.ts";

/** A primitive of the same kind as x over other operands. */
const constructors: Readonly<Record<Primitive, (args: readonly Expr[], x: Expr) => Expr>> = {
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
};

/** The primitive x over other operands, simplified again. */
export const rebuild = (x: Expr, args: readonly Expr[]): Expr => constructors[x.op as Primitive](args, x);

/** The same formulas in primitives only: elementary functions replaced by their definitions. */
export function lower(outputs: readonly Expr[]): Expr[] {
  const done = new Map<Expr, Expr>();
  for (const x of topological(outputs)) {
    const args = x.args.map((a) => done.get(a)!);
    if (x.op in elementary) {
      const expand = elementary[x.op as keyof typeof elementary];
      // A definition may use other functions of the table by calling them, so it is primitive already.
      done.set(x, expand(args[0]));
    } else {
      const same = args.every((a, i) => a === x.args[i]);
      done.set(x, same ? x : rebuild(x, args));
    }
  }
  return outputs.map((y) => done.get(y)!);
}
