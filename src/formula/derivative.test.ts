import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradient, tangent, topological } from "./derivative.ts";
import type { Expr } from "./expression.ts";
import {
  abs,
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
  pow,
  powi,
  select,
  sin,
  softplus,
  sqrt,
  square,
  sub,
  tanh,
  variable,
} from "./expression.ts";
import { evaluate } from "./javascript.ts";
import { formulas } from "../../test/formulas.ts";

const [x, y] = ["x", "y"].map(variable);

/** Central difference of sixth order; for h = 4e-3 truncation and rounding are both about 1e-12 relative. */
function difference(f: Expr, values: Record<string, number>, name: string, h = 4e-3): number {
  const at = (k: number) => evaluate([f], { ...values, [name]: values[name] + k * h })[0];
  return (45 * (at(1) - at(-1)) - 9 * (at(2) - at(-2)) + (at(3) - at(-3))) / (60 * h);
}

describe("one operation at a time", () => {
  const table: [string, Expr][] = [
    ["x + y", add(x, y)],
    ["x − y", sub(x, y)],
    ["x y", mul(x, y)],
    ["x / y", div(x, y)],
    ["y / (x + 3)", div(y, add(x, 3))],
    ["−x", mul(neg(x), y)],
    ["√", sqrt(add(square(x), y))],
    ["|x − 2|", abs(sub(x, 2))],
    ["min", min(mul(x, y), 5)],
    ["max", max(mul(x, y), 5)],
    ["select", select(less(x, y), exp(x), sin(y))],
    ["select, other side", select(less(y, x), exp(x), sin(y))],
    ["exp", exp(mul(x, y))],
    ["log", log(add(x, y))],
    ["log1p", log1p(mul(x, y))],
    ["sin", sin(mul(x, y))],
    ["cos", cos(mul(x, y))],
    ["tanh", tanh(sub(x, y))],
    ["logistic", logistic(sub(x, y))],
    ["softplus", softplus(sub(x, y))],
    ["x⁷", powi(x, 7)],
    ["x⁻³", powi(x, -3)],
    ["pow", pow(x, 2.3)],
    ["powʸ", pow(x, y)],
  ];
  it.each(table)("%s", (_, f) => {
    const values = { x: 0.83, y: 1.37 };
    const found = evaluate(gradient(f, [x, y]), values);
    const expected = ["x", "y"].map((name) => difference(f, values, name));
    found.forEach((d, i) =>
      expect(Math.abs(d - expected[i])).toBeLessThan(2e-11 * (1 + Math.abs(expected[i]))),
    );
  });
});

describe("random formulas", () => {
  it("reverse mode equals forward mode", () => {
    fc.assert(
      fc.property(formulas(["x", "y"], "smooth"), (f) => {
        const values = { x: 0.61, y: -0.47 };
        const [dx, dy] = gradient(f, [x, y]);
        const along = tangent(
          f,
          new Map([
            [x, constant(0.3)],
            [y, constant(-1.1)],
          ]),
        );
        const [a, b, c] = evaluate([dx, dy, along], values);
        expect(Math.abs(0.3 * a - 1.1 * b - c)).toBeLessThan(1e-11 * (1 + Math.abs(a) + Math.abs(b)));
      }),
      { seed: 11, numRuns: 300 },
    );
  });

  it("both equal the central difference", () => {
    let moving = 0;
    fc.assert(
      fc.property(formulas(["x", "y"], "smooth"), (f) => {
        const values = { x: 0.61, y: -0.47 };
        const [d] = evaluate(gradient(f, [x]), values);
        // The size of higher derivatives shows in the difference of two step lengths.
        const [fine, coarse] = [difference(f, values, "x", 2e-3), difference(f, values, "x", 4e-3)];
        const [value] = evaluate([f], values);
        const tolerance = 1e-10 * (1 + Math.abs(d) + Math.abs(value)) + 2 * Math.abs(fine - coarse);
        expect(Math.abs(d - fine)).toBeLessThan(tolerance);
        if (Math.abs(d) > 1e-3) moving++;
      }),
      { seed: 12, numRuns: 300 },
    );
    expect(moving).toBeGreaterThan(150);
  });

  it("second derivatives are symmetric", () => {
    fc.assert(
      fc.property(formulas(["x", "y"], "smooth"), (f) => {
        const [dx, dy] = gradient(f, [x, y]);
        const [xy, yx] = evaluate([...gradient(dx, [y]), ...gradient(dy, [x])], { x: 0.61, y: -0.47 });
        expect(Math.abs(xy - yx)).toBeLessThan(1e-9 * (1 + Math.abs(xy)));
      }),
      { seed: 13, numRuns: 100 },
    );
  });
});

describe("edges", () => {
  it("derivatives at kinks: √ and |x| give 0 at 0", () => {
    expect(evaluate(gradient(sqrt(square(x)), [x]), { x: 0 })).toEqual([0]);
    expect(evaluate(gradient(abs(x), [x]), { x: 0 })).toEqual([0]);
    expect(evaluate(gradient(sqrt(x), [x]), { x: NaN })).toEqual([NaN]);
  });

  it("a variable that is absent has derivative 0", () => {
    expect(gradient(exp(x), [y])).toEqual([constant(0)]);
    expect(tangent(exp(x), new Map([[y, constant(1)]]))).toBe(constant(0));
  });

  it("inner nodes can be asked for, and seeded", () => {
    const r = sqrt(add(square(x), square(y)));
    const f = exp(r);
    expect(gradient(f, [r])).toEqual([f]);
    expect(tangent(f, new Map([[r, constant(2)]]))).toBe(mul(2, f));
  });

  it("exp and its derivative share the exponential", () => {
    const f = exp(mul(-0.5, square(x)));
    const both = topological([f, ...gradient(f, [x])]);
    expect(both.filter((n) => n.op === "exp")).toHaveLength(1);
  });

  it("bit operations have no derivative", () => {
    expect(() => gradient(bits.and(x, 1), [x])).toThrow("no derivative of and");
  });
});
