import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { supports } from "./assembler.ts";
import type { Elementary } from "./expression.ts";
import { acos, cos, exp, halves, log, log1p, logistic, sin, softplus, tanh, variable } from "./expression.ts";
import { evaluate } from "./javascript.ts";
import { compileKernel } from "./kernel.ts";

/** x, f(x) rounded, and what rounding left: from mpmath with 50 digits, test/golden/elementary.py. */
type Row = readonly [x: number, y: number, rest: number];
const golden = JSON.parse(
  readFileSync(new URL("../../test/golden/elementary.json", import.meta.url), "utf8"),
) as Record<Elementary, Row[]>;

const functions = { exp, log, log1p, sin, cos, tanh, acos, logistic, softplus };
const names = Object.keys(functions) as Elementary[];
const x = variable("x");

/** The stated bounds, in units of the last place; docs/formula.md. */
const bounds: Record<Elementary, number> = {
  exp: 1.3,
  log: 0.9,
  log1p: 0.9,
  sin: 1.6,
  cos: 1.6,
  tanh: 1.8,
  acos: 1.6,
  logistic: 2.5,
  softplus: 2.2,
};

const unit = (y: number): number => {
  const exponent = Math.max((halves(y)[0] >>> 20) & 0x7ff, 1);
  return 2 ** (exponent - 1075);
};

/** Results that exp makes 0, so that its scale is never subnormal. */
const flushed = 3.4e-308;
const usesExp = (name: Elementary) => ["exp", "logistic", "softplus"].includes(name);

function worst(name: Elementary, values: ArrayLike<number>): number {
  return Math.max(
    ...golden[name].map(([, y, rest], i) => {
      if (usesExp(name) && y < flushed)
        return values[i] === 0 || Math.abs(values[i] - y) < 1e-320 ? 0 : Infinity;
      return Math.abs(values[i] - y - rest) / unit(y);
    }),
  );
}

function kernelValues(name: Elementary, fused: boolean): Float64Array {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const view = new Float64Array(memory.buffer);
  const rows = golden[name];
  rows.forEach(([x], i) => (view[i] = x));
  const spec = { name, varying: ["x"], uniform: [], elementwise: [functions[name](x)] };
  compileKernel(spec, memory, { fused }).run(rows.length, 0, 8 * rows.length, 0, 8 * rows.length, 0);
  return view.slice(rows.length, 2 * rows.length);
}

const at = (f: Elementary, value: number): number => evaluate([functions[f](x)], { x: value })[0];

describe("elementary functions against 50 digits", () => {
  it.each(names)("%s, plain", (name) => {
    expect(worst(name, kernelValues(name, false))).toBeLessThan(bounds[name]);
  });

  it.skipIf(!supports().relaxedSimd).each(names)("%s, fused multiply-add", (name) => {
    expect(worst(name, kernelValues(name, true))).toBeLessThan(bounds[name]);
  });

  it.each(names)("%s, interpreted: the bits of the plain kernel", (name) => {
    const values = Float64Array.from(golden[name], ([x]) => at(name, x));
    expect(values).toEqual(kernelValues(name, false));
  });
});

describe("elementary functions at the ends", () => {
  const table: [Elementary, number, number][] = [
    ["exp", Infinity, Infinity],
    ["exp", -Infinity, 0],
    ["exp", 709.79, Infinity],
    ["exp", -708.3, 0],
    ["exp", -1e300, 0],
    ["exp", 1e300, Infinity],
    ["log", 0, -Infinity],
    ["log", -0, -Infinity],
    ["log", -1, NaN],
    ["log", -Infinity, NaN],
    ["log", Infinity, Infinity],
    ["log", Number.MIN_VALUE, -744.4400719213812],
    ["log", Number.MAX_VALUE, 709.782712893384],
    ["log1p", -1, -Infinity],
    ["log1p", -2, NaN],
    ["log1p", Infinity, Infinity],
    ["log1p", 1e-300, 1e-300],
    ["sin", Infinity, NaN],
    ["cos", -Infinity, NaN],
    ["tanh", Infinity, 1],
    ["tanh", -Infinity, -1],
    ["tanh", 1e-300, 1e-300],
    ["tanh", 40, 1],
    ["acos", 1, 0],
    ["acos", 1.0000000000000002, 0],
    ["acos", 0, Math.PI / 2],
    ["acos", -1, Math.PI],
    ["acos", -1.0000000000000002, Math.PI],
    ["logistic", Infinity, 1],
    ["logistic", -Infinity, 0],
    ["softplus", Infinity, Infinity],
    ["softplus", -Infinity, 0],
    ["softplus", 800, 800],
  ];
  it.each(table)("%s(%f) = %f", (name, value, expected) => {
    expect(at(name, value)).toBe(expected);
  });

  it.each(names)("%s keeps NaN", (name) => expect(at(name, NaN)).toBeNaN());

  it("exact points: e⁰, ln 1, sin 0, cos 0, tanh 0 through the polynomials", () => {
    expect([at("exp", 0), at("log", 1), at("sin", 0), at("cos", 0), at("tanh", 0)]).toEqual([1, 0, 0, 1, 0]);
  });

  it("the largest finite exponential", () => {
    expect(at("exp", 709.782712893384) / 1.797693134862273e308).toBeCloseTo(1, 15);
  });

  it("symmetry to the bit: tanh, sin odd, cos even", () => {
    fc.assert(
      fc.property(fc.double({ min: -1000, max: 1000, noNaN: true }), (v) => {
        expect(at("tanh", -v)).toBe(-at("tanh", v));
        expect(at("cos", -v)).toBe(at("cos", v));
        expect(at("sin", -v) + at("sin", v)).toBe(0);
      }),
      { seed: 5, numRuns: 200 },
    );
  });
});
