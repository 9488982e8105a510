import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Expr } from "./expression.ts";
import {
  abs,
  add,
  bits,
  constant,
  div,
  exp,
  fromHalves,
  halves,
  less,
  log,
  max,
  min,
  mul,
  neg,
  pow,
  powi,
  select,
  sin,
  sqrt,
  square,
  sub,
  sum,
  variable,
} from "./expression.ts";
import { topological } from "./derivative.ts";
import { evaluate } from "./javascript.ts";

const [x, y, z] = ["x", "y", "z"].map(variable);
const count = (f: Expr, op: string) => topological([f]).filter((n) => n.op === op).length;

describe("sharing", () => {
  it("equal formulas are one object, whichever way round they are written", () => {
    expect(add(x, mul(y, z))).toBe(add(mul(z, y), x));
    expect(sub(x, 2)).toBe(add(-2, x));
    expect(exp(neg(neg(x)))).toBe(exp(x));
    expect(sub(x, y)).not.toBe(sub(y, x));
    expect(min(x, y)).not.toBe(min(y, x));
  });

  it("constants are told apart by their bits", () => {
    expect(constant(0)).not.toBe(constant(-0));
    expect(constant(NaN)).toBe(constant(NaN));
  });

  it("powers share their squares: x¹⁶ and x¹² need five products together", () => {
    expect(count(add(powi(x, 16), powi(x, 12)), "mul")).toBe(5);
  });

  it("the order of operands does not depend on what was made before", () => {
    const names = Array.from({ length: 40 }, (_, i) => `order${i}`);
    const forward = names.map(variable);
    const product = mul(forward[3], forward[31]);
    const hashes = forward.map((v) => v.hash);
    expect(new Set(hashes).size).toBe(40);
    expect(product.args.map((a) => a.hash)).toEqual([hashes[3], hashes[31]].sort((a, b) => a - b));
  });
});

describe("simplification", () => {
  const table: [string, Expr, Expr][] = [
    ["x + 0", add(x, 0), x],
    ["x − x", sub(x, x), constant(0)],
    ["x · 1", mul(1, x), x],
    ["x · 0", mul(x, 0), constant(0)],
    ["x · −1", mul(-1, x), neg(x)],
    ["−(x − y)", neg(sub(x, y)), sub(y, x)],
    ["x + (−y)", add(x, neg(y)), sub(x, y)],
    ["2 (3 x)", mul(2, mul(3, x)), mul(6, x)],
    ["(2 x)(3 y)", mul(mul(2, x), mul(3, y)), mul(6, mul(x, y))],
    ["(−x) y", mul(neg(x), y), neg(mul(x, y))],
    ["x / 4", div(x, 4), mul(0.25, x)],
    ["0 / x", div(0, x), constant(0)],
    ["|−x|", abs(neg(x)), abs(x)],
    ["2 + 3", add(2, 3), constant(5)],
    ["√9", sqrt(9), constant(3)],
    ["e⁰", exp(0), constant(1)],
    ["ln 1", log(1), constant(0)],
    ["sin 0", sin(0), constant(0)],
    ["1 < 2 ? x : y", select(less(1, 2), x, y), x],
    ["mask ? x : x", select(less(x, y), x, x), x],
    ["max(1, 2)", max(1, 2), constant(2)],
    ["min(1, 2)", min(1, 2), constant(1)],
    ["x⁰", powi(x, 0), constant(1)],
    ["x² as a power", pow(x, 2), square(x)],
    ["√x as a power", pow(x, 0.5), sqrt(x)],
    ["sum of nothing", sum([]), constant(0)],
  ];
  it.each(table)("%s", (_, found, expected) => expect(found).toBe(expected));

  it("constants whose product would overflow stay apart", () => {
    expect(evaluate([mul(1e200, mul(1e200, x))], { x: 1e-300 })[0]).toBe(1e200 * (1e200 * 1e-300));
  });

  it("refuses a number as a mask, a broken power, a nameless variable, a missing value", () => {
    expect(() => select(x, y, z)).toThrow("select needs a mask, got variable");
    expect(() => powi(x, 1.5)).toThrow("integer exponent, got 1.5");
    expect(() => variable("")).toThrow("name");
    expect(() => evaluate([add(x, y)], { x: 1 })).toThrow("expected variables among x, got y");
  });
});

describe("values", () => {
  it("powers of any sign", () => {
    for (const n of [-7, -2, -1, 0, 1, 2, 3, 13, 16]) {
      const value = evaluate([powi(x, n)], { x: 1.7 })[0];
      expect(Math.abs(value / 1.7 ** n - 1)).toBeLessThan(1e-14);
    }
    expect(evaluate([pow(x, 2.37), pow(x, -1.5)], { x: 3.1 })).toEqual([
      expect.closeTo(3.1 ** 2.37, 12),
      expect.closeTo(3.1 ** -1.5, 14),
    ]);
  });

  it("min and max keep the NaN of the first operand only", () => {
    expect(evaluate([min(x, 1), min(constant(1), x), max(x, 1)], { x: NaN })).toEqual([NaN, 1, NaN]);
  });

  it("bit patterns survive both ways", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (v) => Object.is(fromHalves(...halves(v)), v)),
      { seed: 1 },
    );
    expect(
      evaluate([bits.xor(x, constant(-0)), bits.shl(constant(fromHalves(0, 1023)), 52)], { x: 3 }),
    ).toEqual([-3, 1]);
  });
});
