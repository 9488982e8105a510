import * as fc from "fast-check";
import type { Expr } from "../src/formula/expression.ts";
import * as f from "../src/formula/expression.ts";

type Unary = (a: Expr) => Expr;
type Binary = (a: Expr, b: Expr) => Expr;

// Each keeps |value| and the derivatives moderate wherever its operands are, so that finite differences can judge.
const smoothUnary: Unary[] = [
  f.neg,
  f.square,
  (a) => f.exp(f.mul(0.5, f.sin(a))),
  f.sin,
  f.cos,
  f.tanh,
  f.logistic,
  f.softplus,
  (a) => f.log(f.add(1.5, f.square(f.tanh(a)))),
  (a) => f.log1p(f.logistic(a)),
  (a) => f.sqrt(f.add(1, f.square(a))),
  (a) => f.powi(f.sin(a), 3),
  (a) => f.pow(f.add(f.logistic(a), 0.5), 1.7),
];
const smoothBinary: Binary[] = [f.add, f.sub, f.mul, (a, b) => f.div(a, f.add(2, f.square(b)))];

const anyUnary: Unary[] = [
  f.neg,
  f.square,
  f.sqrt,
  f.abs,
  f.exp,
  f.log,
  f.log1p,
  f.sin,
  f.cos,
  f.tanh,
  f.logistic,
  f.softplus,
  (a) => f.powi(a, -3),
  (a) => f.pow(a, 0.3),
  (a) => f.bits.xor(a, -0),
  (a) => f.select(f.bits.odd(a), a, 0),
];
const anyBinary: Binary[] = [
  f.add,
  f.sub,
  f.mul,
  f.div,
  f.min,
  f.max,
  (a, b) => f.select(f.less(a, b), a, b),
  (a, b) => f.select(f.less(a, b), 0, a),
  (a, b) => f.select(f.less(a, b), b, 0),
  f.bits.and,
  f.bits.or,
];

/** Random formulas of the variables: "smooth" ones for derivatives, or of every operation there is. */
export function formulas(names: readonly string[], kind: "smooth" | "any"): fc.Arbitrary<Expr> {
  const [unary, binary] = kind === "smooth" ? [smoothUnary, smoothBinary] : [anyUnary, anyBinary];
  const leaf = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...names).map(f.variable) },
    { weight: 1, arbitrary: fc.double({ min: -2, max: 2, noNaN: true }).map(f.constant) },
  );
  const { tree } = fc.letrec<{ tree: Expr }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5, depthIdentifier: "formula" },
      leaf,
      fc.tuple(fc.constantFrom(...unary), tie("tree")).map(([op, a]) => op(a)),
      fc.tuple(fc.constantFrom(...binary), tie("tree"), tie("tree")).map(([op, a, b]) => op(a, b)),
      fc.tuple(fc.constantFrom(...binary), tie("tree"), tie("tree")).map(([op, a, b]) => op(a, op(b, a))),
    ),
  }));
  return tree;
}
