import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formulas } from "../../test/formulas.ts";
import { supports } from "./assembler.ts";
import { gradient } from "./derivative.ts";
import type { Elementary, Expr } from "./expression.ts";
import {
  acos,
  add,
  cos,
  div,
  exp,
  log,
  log1p,
  logistic,
  mul,
  powi,
  sin,
  softplus,
  square,
  sub,
  tanh,
  variable,
} from "./expression.ts";
import { formats } from "./formats.ts";
import { evaluate } from "./javascript.ts";
import type { Kernel, KernelSpec } from "./kernel.ts";
import { compileKernel, referenceKernel } from "./kernel.ts";
import { SUM_BLOCK } from "./spec.ts";

const memory = new WebAssembly.Memory({ initial: 8 });
const f64 = new Float64Array(memory.buffer);
const f32 = new Float32Array(memory.buffer);
const [UNIFORM, SUMS, INPUTS] = [0, 8 * 512, 8 * 1024];

/** Outputs, then sums, of a kernel in f32; sums start at 1. */
function results(spec: KernelSpec, kernel: Kernel, inputs: readonly number[][], uniform: readonly number[]) {
  const n = inputs[0].length;
  const stride = 4 * (n + 4);
  const outputs = INPUTS + stride * inputs.length;
  f32.fill(NaN, INPUTS / 4);
  f64.set(uniform, UNIFORM / 8);
  inputs.forEach((x, k) => f32.set(x, (INPUTS + k * stride) / 4));
  const [m, s] = [spec.elementwise?.length ?? 0, spec.reduced?.length ?? 0];
  f64.fill(1, SUMS / 8, SUMS / 8 + s);
  kernel.run(n, INPUTS, stride, UNIFORM, outputs, SUMS);
  const written = Array.from({ length: m }, (_, k) => {
    const start = (outputs + k * stride) / 4;
    expect(Array.from(f32.subarray(start + n, start + n + 4)), "behind an output").toEqual([
      NaN,
      NaN,
      NaN,
      NaN,
    ]);
    return Array.from(f32.subarray(start, start + n));
  });
  return [...written.flat(), ...f64.slice(SUMS / 8, SUMS / 8 + s)];
}

const compile = (spec: KernelSpec, fused = false) => compileKernel(spec, memory, { fused });
const single = { precision: "f32" } as const;

describe("f32 machine code against the interpreter that rounds every step", () => {
  it("random formulas of every operation: the same bits", () => {
    const inputs = [
      [0.3, -1.7, 0, -0, 2.5, 1e-40, -3.1, 7.25],
      [1.1, -1.7, 0.5, 3, -1e5, 2, Infinity, NaN],
    ];
    let defined = 0;
    fc.assert(
      fc.property(
        fc.array(formulas(["x", "y", "u", "v"], "any"), { minLength: 1, maxLength: 4 }),
        (outputs) => {
          const [varying, uniform] = [
            ["x", "y"],
            ["u", "v"],
          ];
          const spec = { ...single, name: "any", varying, uniform, elementwise: outputs, reduced: outputs };
          const expected = results(spec, referenceKernel(spec, memory), inputs, [0.77, -2.5]);
          expect(results(spec, compile(spec), inputs, [0.77, -2.5])).toEqual(expected);
          defined += expected.filter(Number.isFinite).length;
        },
      ),
      { seed: 31, numRuns: 300 },
    );
    expect(defined).toBeGreaterThan(4000);
  });

  it("a sum of many: lanes in f32, blocks of them in f64", () => {
    const a = variable("a");
    const spec = {
      ...single,
      name: "sum",
      varying: ["a"],
      uniform: ["u"],
      reduced: [mul(variable("u"), a), a],
    };
    const xs = Array.from({ length: 2 * SUM_BLOCK + 12 }, (_, i) => Math.fround(1 / (i + 1)));
    const exact = xs.reduce((sum, x) => sum + x, 0);
    const found = results(spec, compile(spec), [xs], [3]);
    expect(found).toEqual(results(spec, referenceKernel(spec, memory), [xs], [3]));
    expect(Math.abs((found[1] - 1) / exact - 1)).toBeLessThan(5e-7);
    expect(found[0] - 1).toBeCloseTo(3 * (found[1] - 1), 12);
  });
});

const cutoff = (r: Expr) => mul(0.5, add(cos(mul(Math.PI / 6, r)), 1));
const wave = (phase: number) =>
  Array.from({ length: 200 }, (_, i) => Math.fround(2 + Math.sin(i * 1.7 + phase)));

describe("G4 in f32", () => {
  const [a, b, c] = ["a", "b", "c"].map(variable);
  const cosine = mul(0.5, div(sub(add(square(a), square(b)), square(c)), mul(a, b)));
  const g4 = mul(mul(powi(add(1, cosine), 4), exp(mul(-0.05, square(c)))), mul(cutoff(a), cutoff(b)));
  const inputs = [wave(0), wave(1), wave(2)];

  it.each([false, ...(supports().relaxedSimd ? [true] : [])])(
    "sums and derivatives, fused %s: 1e-6 of f64",
    (fused) => {
      const elementwise = gradient(g4, [a, b, c]);
      const spec = {
        ...single,
        name: "g4",
        varying: ["a", "b", "c"],
        uniform: [],
        elementwise,
        reduced: [g4],
      };
      const found = results(spec, compile(spec, fused), inputs, []);
      const rows = inputs[0].map((_, i) =>
        evaluate([g4, ...elementwise], { a: inputs[0][i], b: inputs[1][i], c: inputs[2][i] }),
      );
      const total = rows.reduce((sum, [g]) => sum + g, 0);
      expect(Math.abs((found[600] - 1) / total - 1)).toBeLessThan(3e-7);
      const largest = Math.max(...rows.flatMap(([, ...d]) => d.map(Math.abs)));
      rows.forEach(([, ...d], i) =>
        d.forEach((x, k) => expect(Math.abs(found[200 * k + i] - x) / largest).toBeLessThan(1e-6)),
      );
    },
  );
});

const x = variable("x");
const functions: Record<Elementary, (x: Expr) => Expr> = {
  exp,
  log,
  log1p,
  sin,
  cos,
  tanh,
  acos,
  logistic,
  softplus,
};
const names = Object.keys(functions) as Elementary[];
/** Math's functions in f64: 1e-9 of an f32 unit. */
const exact: Record<Elementary, (x: number) => number> = {
  exp: Math.exp,
  log: Math.log,
  log1p: Math.log1p,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  acos: Math.acos,
  logistic: (x) => 1 / (1 + Math.exp(-x)),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
};
/** Bounds in units of the last place, and where points are taken; docs/formula.md. */
const stated: Record<Elementary, readonly [bound: number, ...ranges: (readonly [number, number])[]]> = {
  exp: [1.2, [-1, 1], [-87, 88.7]],
  log: [0.8, [0.5, 2], [0.99, 1.01], [1e-38, 1e38]],
  log1p: [0.8, [-0.9, 2], [-1e-3, 1e-3], [0, 1e30]],
  sin: [1.5, [-1.5, 1.5], [-20, 20]],
  cos: [1.5, [-1.5, 1.5], [-20, 20]],
  tanh: [1.8, [-1, 1], [-1e-3, 1e-3], [-12, 12]],
  acos: [1.2, [-1, 1], [0.999, 1], [-1, -0.999]],
  logistic: [2.2, [-2, 2], [-80, 40]],
  softplus: [1.7, [-2, 2], [-80, 80]],
};

/** Distance of f32 numbers around y. */
const unit = (y: number): number =>
  2 ** (Math.max(-126, Math.floor(Math.log2(Math.abs(y) || Number.MIN_VALUE))) - 23);

/** Points in all ranges, evenly and by magnitude. */
const pointsOf = (ranges: readonly (readonly [number, number])[]): number[] =>
  ranges.flatMap(([low, high]) =>
    Array.from({ length: 4096 }, (_, i) => {
      const t = (i * 0.6180339887498949) % 1;
      return Math.fround(low + (high - low) * (i % 3 === 0 && low >= 0 ? 1e-6 ** t : t));
    }),
  );

function worst(name: Elementary, fused: boolean): number {
  const [, ...ranges] = stated[name];
  const xs = pointsOf(ranges);
  const spec = { ...single, name, varying: ["x"], uniform: [], elementwise: [functions[name](x)] };
  const values = results(spec, compile(spec, fused), [xs], []);
  let most = 0;
  xs.forEach((v, i) => {
    const y = exact[name](v);
    // Sine and cosine of f32 arguments beyond a quarter turn are as good as the argument.
    const floor = (name === "sin" || name === "cos") && Math.abs(v) > 1.5 ? 2 ** -6 : 0;
    if (Math.abs(y) < 2e-38) return;
    most = Math.max(most, Math.abs(values[i] - y) / unit(Math.max(Math.abs(y), floor)));
  });
  return most;
}

describe("elementary functions in f32", () => {
  const modes = supports().relaxedSimd ? [false, true] : [false];
  it.each(names.flatMap((name) => modes.map((fused) => [name, fused] as const)))(
    "%s, fused %s",
    (name, fused) => {
      const error = worst(name, fused);
      expect(error).toBeLessThan(stated[name][0]);
    },
  );

  it.each([
    ["exp", Infinity, Infinity],
    ["exp", -Infinity, 0],
    ["exp", -88, 0],
    ["exp", 89, Infinity],
    ["log", 0, -Infinity],
    ["log", -1, NaN],
    ["log", Infinity, Infinity],
    ["log", 2 ** -149, Math.fround(-149 * Math.LN2)],
    ["log1p", -1, -Infinity],
    ["sin", Infinity, NaN],
    ["tanh", -Infinity, -1],
    ["tanh", 1e-30, Math.fround(1e-30)],
    ["acos", 1.0001, 0],
    ["acos", -1, Math.fround(Math.PI)],
    ["logistic", -Infinity, 0],
    ["softplus", 80, 80],
  ] as const)("%s(%f) = %f", (name, value, expected) => {
    expect(evaluate([functions[name](x)], { x: value }, "f32")[0]).toBe(expected);
  });

  it.each(names)("%s keeps NaN", (name) =>
    expect(evaluate([functions[name](x)], { x: NaN }, "f32")[0]).toBeNaN(),
  );

  it("functions of constants are constants, rounded once", () => {
    const [y] = evaluate([mul(exp(0.3), x)], { x: 1 }, "f32");
    expect(y).toBe(Math.fround(evaluate([exp(0.3)], {})[0]));
  });
});

it("a constant beyond f32 is an error of the kernel", () => {
  const spec = { ...single, name: "far", varying: ["x"], uniform: [], elementwise: [mul(1e60, x)] };
  expect(() => compile(spec)).toThrow(
    "invalid kernel far: expected constants within the range of f32, got 1e+60",
  );
});

it("pieces of constants fit their formats", () => {
  const { f32: F } = formats;
  for (const c of [...F.ln2, ...F.halfPi, ...F.pi, F.fraction, F.leastNormal, F.least])
    expect(Math.fround(c)).toBe(c);
  expect(F.ln2[0] + F.ln2[1]).toBeCloseTo(Math.LN2, 12);
  expect(F.halfPi.reduce((a, b) => a + b)).toBeCloseTo(Math.PI / 2, 13);
});
