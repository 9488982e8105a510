import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formulas } from "../../test/formulas.ts";
import { supports } from "./assembler.ts";
import { gradient } from "./derivative.ts";
import type { Expr } from "./expression.ts";
import {
  add,
  cos,
  div,
  exp,
  less,
  mul,
  powi,
  select,
  square,
  sub,
  sum,
  tanh,
  variable,
} from "./expression.ts";
import { evaluate } from "./javascript.ts";
import type { Kernel, KernelSpec } from "./kernel.ts";
import { compileKernel, referenceKernel } from "./kernel.ts";

const memory = new WebAssembly.Memory({ initial: 8 });
const f64 = new Float64Array(memory.buffer);
const UNIFORM = 0;
const SUMS = 8 * 512;
const INPUTS = 8 * 1024;

/** Runs over the inputs and returns outputs then sums; sums start at 1, to see that they are added to. */
function results(spec: KernelSpec, kernel: Kernel, inputs: readonly number[][], uniform: readonly number[]) {
  const n = inputs[0].length;
  const stride = 8 * (n + 2);
  const outputs = INPUTS + stride * inputs.length;
  f64.fill(NaN, INPUTS / 8);
  f64.set(uniform, UNIFORM / 8);
  inputs.forEach((x, k) => f64.set(x, (INPUTS + k * stride) / 8));
  const [m, s] = [spec.elementwise?.length ?? 0, spec.reduced?.length ?? 0];
  f64.fill(1, SUMS / 8, SUMS / 8 + s);
  kernel.run(n, INPUTS, stride, UNIFORM, outputs, SUMS);
  const written = Array.from({ length: m }, (_, k) => {
    const start = (outputs + k * stride) / 8;
    expect(f64.slice(start + n, start + n + 2), "memory behind an output").toEqual(Float64Array.of(NaN, NaN));
    return Array.from(f64.subarray(start, start + n));
  });
  return [...written.flat(), ...f64.slice(SUMS / 8, SUMS / 8 + s)];
}

/** −0 and 0 differ here, as toEqual tells them apart; NaN is NaN. */
const same = (expected: readonly number[], found: readonly number[]) => expect(found).toEqual(expected);

const compile = (spec: KernelSpec, fused: boolean) => compileKernel(spec, memory, { fused });

const [a, b, c] = ["a", "b", "c"].map(variable);
const cutoff = (r: Expr, rc: number) => mul(0.5, add(cos(mul(Math.PI / rc, r)), 1));

/** Narrow angular functions G4, Behler 2011, doi:10.1063/1.3553717. */
function narrow(eta: number, lambda: number, zeta: number): Expr {
  const [a2, b2, c2] = [a, b, c].map(square);
  const cosine = mul(0.5, div(sub(add(a2, b2), c2), mul(a, b)));
  const gaussian = exp(mul(-eta, add(add(a2, b2), c2)));
  const fc = mul(mul(cutoff(a, 6), cutoff(b, 6)), cutoff(c, 6));
  return mul(mul(mul(2 ** (1 - zeta), powi(add(1, mul(lambda, cosine)), zeta)), gaussian), fc);
}

const wave = (n: number, phase: number) => Array.from({ length: n }, (_, i) => 2 + Math.sin(i * 1.7 + phase));

describe("machine code against the interpreter", () => {
  const inputs = [
    [0.3, -1.7, 0, -0, 2.5, 1e-310, -3.1, 7.25],
    [1.1, -1.7, 0.5, 3, -1e5, 2, Infinity, NaN],
  ];
  const uniform = [0.77, -2.5];

  it("random formulas of every operation: the same bits", () => {
    let defined = 0;
    fc.assert(
      fc.property(
        fc.array(formulas(["x", "y", "u", "v"], "any"), { minLength: 1, maxLength: 4 }),
        (outputs) => {
          const spec = {
            name: "any",
            varying: ["x", "y"],
            uniform: ["u", "v"],
            elementwise: outputs,
            reduced: outputs,
          };
          const expected = results(spec, referenceKernel(spec, memory), inputs, uniform);
          same(expected, results(spec, compile(spec, false), inputs, uniform));
          defined += expected.filter(Number.isFinite).length;
        },
      ),
      { seed: 21, numRuns: 300 },
    );
    expect(defined).toBeGreaterThan(5000);
  });

  it.skipIf(!supports().relaxedSimd)("fused multiply-add: within rounding", () => {
    fc.assert(
      fc.property(formulas(["x", "y", "u"], "smooth"), (f) => {
        // Sums of squares cannot cancel, so a relative tolerance is fair.
        const spec = { name: "fused", varying: ["x", "y"], uniform: ["u"], reduced: [add(1, square(f))] };
        const xs = [wave(8, 0), wave(8, 1)];
        const [plain] = results(spec, compile(spec, false), xs, [0.7]);
        const [fused] = results(spec, compile(spec, true), xs, [0.7]);
        expect(Math.abs(fused / plain - 1)).toBeLessThan(1e-12);
      }),
      { seed: 22, numRuns: 200 },
    );
  });

  it.skipIf(!supports().relaxedSimd)("fused G4 sums: relative 1e-14", () => {
    const reduced = [narrow(0.07, 1, 1), narrow(0.07, -1, 4), narrow(0.01, -1, 16)];
    const spec = { name: "g4", varying: ["a", "b", "c"], uniform: [], reduced };
    const xs = [wave(200, 0), wave(200, 1), wave(200, 2)];
    const plain = results(spec, compile(spec, false), xs, []);
    results(spec, compile(spec, true), xs, []).forEach((g, k) =>
      expect(Math.abs(g / plain[k] - 1)).toBeLessThan(1e-14),
    );
  });
});

const bad = (spec: Partial<KernelSpec>) => () =>
  compileKernel({ name: "bad", varying: ["a"], uniform: [], ...spec }, memory, { fused: false });

describe("what a kernel promises", () => {
  it("lanes of a sum are added at the end: lane 0 + lane 1, to what is there", () => {
    const spec = { name: "lanes", varying: ["a"], uniform: [], reduced: [a] };
    const xs = [0.1, 1e16, 0.2, 1, 0.3, -1e16];
    const expected = 1 + (0.1 + 0.2 + 0.3 + (1e16 + 1 - 1e16));
    for (const kernel of [compile(spec, false), referenceKernel(spec, memory)])
      expect(results(spec, kernel, [xs], [])).toEqual([expected]);
  });

  it("n = 0 touches nothing but adds 0 to the sums", () => {
    const spec = { name: "none", varying: ["a"], uniform: [], elementwise: [exp(a)], reduced: [a] };
    expect(results(spec, compile(spec, true), [[]], [])).toEqual([1]);
  });

  it("an output may take the place of an input", () => {
    const spec = { name: "place", varying: ["a", "b"], uniform: [], elementwise: [b, a] };
    const kernel = compile(spec, true);
    f64.set([1, 2, 3, 4], INPUTS / 8);
    kernel.run(2, INPUTS, 16, 0, INPUTS, 0);
    expect(Array.from(f64.subarray(INPUTS / 8, INPUTS / 8 + 4))).toEqual([3, 4, 1, 2]);
  });

  it("outputs that do not vary, repeat, or are inputs", () => {
    const u = variable("u");
    const elementwise = [variable("u"), mul(u, square(u)), a, a, exp(0.5), exp(u)];
    const spec = { name: "plain", varying: ["a"], uniform: ["u"], elementwise, reduced: [u, a] };
    const expected = results(spec, referenceKernel(spec, memory), [[1, 2, 3, 4]], [0.5]);
    same(expected, results(spec, compile(spec, false), [[1, 2, 3, 4]], [0.5]));
    expect(expected.slice(0, 4)).toEqual([0.5, 0.5, 0.5, 0.5]);
    expect(expected.slice(-2)).toEqual([3, 11]);
  });

  it("a select with a zero keeps the other side", () => {
    const spec = {
      name: "zero",
      varying: ["a", "b"],
      uniform: [],
      elementwise: [select(less(a, b), a, 0), select(less(a, b), 0, a)],
    };
    expect(
      results(
        spec,
        compile(spec, true),
        [
          [1, 4],
          [2, 2],
        ],
        [],
      ),
    ).toEqual([1, 0, 0, 4]);
  });

  it("activation and derivative over a long array", () => {
    const f = tanh(a);
    const spec = { name: "tanh", varying: ["a"], uniform: [], elementwise: [f, ...gradient(f, [a])] };
    const xs = wave(1000, 0);
    const out = results(spec, compile(spec, true), [xs], []);
    xs.forEach((x, i) => {
      expect(out[i]).toBeCloseTo(Math.tanh(x), 15);
      expect(out[1000 + i]).toBeCloseTo(1 - Math.tanh(x) ** 2, 15);
    });
  });

  it("shared memory", () => {
    const pages = { initial: 1, maximum: 1, shared: true };
    const shared = new WebAssembly.Memory(pages);
    const view = new Float64Array(shared.buffer);
    const spec = { name: "shared", varying: ["a"], uniform: [], reduced: [square(a)] };
    view.set([1, 2, 3, 4]);
    compileKernel(spec, shared, { fused: true, shared: true }).run(4, 0, 32, 0, 0, 64);
    expect(view[8]).toBe(30);
  });

  it("300 outputs, forward and backward, in little time", () => {
    const terms = Array.from({ length: 300 }, (_, k) =>
      narrow(0.004 * ((k >> 2) + 1), k % 2 ? 1 : -1, [1, 2, 4, 16][(k >> 1) % 4]),
    );
    const seeds = terms.map((_, k) => `u${k}`);
    const energy = sum(terms.map((g, k) => mul(variable(seeds[k]), g)));
    const varying = ["a", "b", "c"];
    const specs: KernelSpec[] = [
      { name: "forward", varying, uniform: [], reduced: terms },
      { name: "backward", varying, uniform: seeds, elementwise: gradient(energy, [a, b, c]) },
    ];
    const xs = [wave(4, 0), wave(4, 1), wave(4, 2)];
    const us = seeds.map((_, k) => Math.cos(k));
    for (const spec of specs) {
      const start = performance.now();
      const kernel = compile(spec, false);
      expect(performance.now() - start).toBeLessThan(1500);
      same(results(spec, referenceKernel(spec, memory), xs, us), results(spec, kernel, xs, us));
    }
  });

  it("says what is wrong with a spec", () => {
    expect(bad({})).toThrow("invalid kernel bad: expected at least one output, got none");
    expect(bad({ reduced: [add(a, b)] })).toThrow("expected variables among a, got b");
    expect(bad({ uniform: ["a"], reduced: [a] })).toThrow("different names of inputs, got a, a");
    expect(bad({ reduced: [less(a, 0)] })).toThrow("expected numbers as outputs, got a mask");
  });
});

describe("backward sums", () => {
  it("the derivative kernel of weighted G4 equals differences of the weighted forward sums", () => {
    const terms = [narrow(0.05, 1, 1), narrow(0.02, -1, 4)];
    const weights = [0.7, -1.3];
    const energy = sum(terms.map((g, k) => mul(weights[k], g)));
    const point = { a: 2.1, b: 2.9, c: 3.3 };
    const found = evaluate(gradient(energy, [a, b, c]), point);
    (["a", "b", "c"] as const).forEach((name, k) => {
      const h = 1e-3;
      const at = (s: number) => evaluate([energy], { ...point, [name]: point[name] + s * h })[0];
      const d = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h);
      expect(Math.abs(d)).toBeGreaterThan(1e-3);
      expect(Math.abs(found[k] / d - 1)).toBeLessThan(1e-9);
    });
  });
});
