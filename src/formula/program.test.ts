import { describe, expect, it, vi } from "vitest";
import { gradient, topological } from "./derivative.ts";
import type { Expr } from "./expression.ts";
import { add, constant, cos, div, exp, mul, neg, square, sub, variable } from "./expression.ts";
import { program } from "./program.ts";

const [x, y, u, v] = ["x", "y", "u", "v"].map(variable);
const elementwise = (...outputs: Expr[]) =>
  program({ name: "test", varying: ["x", "y"], uniform: ["u", "v"], elementwise: outputs });
const reduced = (...outputs: Expr[]) =>
  program({ name: "test", varying: ["x", "y"], uniform: ["u", "v"], reduced: outputs });

/** Number of operations on each element. */
const inLoop = (outputs: Expr[]) => {
  const { order, invariant } = elementwise(...outputs);
  return order.filter((n) => n.op !== "variable" && !invariant.has(n)).length;
};

describe("what does not vary leaves the loop", () => {
  it("invariant factors are multiplied with each other first", () => {
    expect(inLoop([mul(mul(3, u), mul(x, mul(v, y)))])).toBe(2);
    expect(inLoop([mul(u, mul(neg(mul(x, v)), y))])).toBe(2);
  });

  it("a product that others use as well is computed once", () => {
    const shared = mul(u, x);
    expect(inLoop([mul(shared, y), exp(shared)])).toBe(inLoop([exp(shared)]) + 1);
  });

  it("functions of uniforms alone do not vary", () => {
    expect(inLoop([mul(x, add(exp(u), div(v, u)))])).toBe(1);
  });

  it("factors of a sum are applied after it", () => {
    const {
      reduced: [y0, y1, y2, y3],
      scales,
    } = reduced(mul(3, x), mul(mul(2, u), mul(x, y)), neg(x), x);
    expect([y0, y1, y2, y3]).toEqual([x, mul(x, y), x, x]);
    expect(scales).toEqual([constant(3), mul(2, u), constant(-1), constant(1)]);
  });

  it("only primitives remain", () => {
    const { order } = elementwise(cos(add(x, exp(y))));
    expect(order.map((n) => n.op)).not.toContain("exp");
    expect(order.map((n) => n.op)).not.toContain("cos");
  });
});

/** The bytes of one kernel, from modules loaded afresh, after other expressions were made or not. */
async function emitted(before: (f: typeof import("./expression.ts")) => void): Promise<Uint8Array> {
  vi.resetModules();
  const f = await import("./expression.ts");
  const { gradient } = await import("./derivative.ts");
  const { emitKernel } = await import("./wasm.ts");
  before(f);
  const [a, b, c] = ["a", "b", "c"].map(f.variable);
  const y = f.add(f.mul(f.exp(f.mul(a, b)), f.cos(c)), f.mul(f.add(a, c), f.tanh(f.div(b, a))));
  const spec = {
    name: "k",
    varying: ["a", "b", "c"],
    uniform: [],
    elementwise: gradient(y, [a, b, c]),
    reduced: [y],
  };
  return emitKernel(spec, { fused: true });
}

describe("same bits in every thread", () => {
  it("the code does not depend on what was built before, or in which order", async () => {
    const first = await emitted(() => {});
    const second = await emitted((f) => {
      const [c, b, a] = ["c", "b", "a"].map(f.variable);
      for (const z of [f.tanh(f.div(b, a)), f.add(c, a), f.mul(f.cos(c), f.exp(f.mul(b, a)))]) f.sin(z);
    });
    expect(first.length).toBeGreaterThan(500);
    expect(second).toEqual(first);
  });
});

describe("size", () => {
  it("a derivative costs a small multiple of the formula", () => {
    const terms = Array.from({ length: 50 }, (_, k) =>
      mul(variable("u"), exp(mul(-0.1 * (k + 1), square(sub(x, y))))),
    );
    const total = terms.reduce((a, b) => add(a, b));
    const cost = topological([total]).length;
    expect(topological([total, ...gradient(total, [x, y])]).length).toBeLessThan(3 * cost);
  });
});
