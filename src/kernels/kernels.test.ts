import { describe, expect, it } from "vitest";
import { evaluate } from "../formula/javascript.ts";
import { KernelFunction } from "./function.ts";

/** Values of formulas for all arguments s (of the first argument) and hyper-parameters at their start. */
function at(k: KernelFunction, s: number, ...orders: readonly (readonly number[])[]): readonly number[] {
  const inputs: Record<string, number> = { same: 0 };
  for (const { variable, value } of k.hyperparameters) if (variable) inputs[variable] = value;
  for (const [a, seen] of k.seen.entries()) inputs[seen.variable] = a === 0 ? s : 0.7;
  return evaluate(
    orders.map((o) => k.by(...o)),
    inputs,
  );
}

const orders = [[], [0], [0, 0], [0, 0, 0]];

describe("kernels as formulas", () => {
  it.each([
    ["matern-3/2", [1, -3 / 2, 0, 0]],
    ["matern-5/2", [1, -5 / 6, 25 / 12, 0]],
    ["rbf", [1, -1 / 2, 1 / 4, -1 / 8]],
  ])("%s has the limits of its derivatives at distance 0", (name, limits) => {
    const values = at(new KernelFunction({ name }, 2), 0, ...orders);
    values.forEach((value, k) => expect(value).toBeCloseTo(limits[k], 14));
  });

  it("derivatives of matern-5/2 keep their digits near 0: k′ = −5/6 (1 + √5 r) exp(−√5 r), k″ = 25/12 exp(−√5 r)", () => {
    const k = new KernelFunction({ name: "matern-5/2" }, 2);
    for (const r of [1e-12, 1e-8, 1e-4, 0.3, 2]) {
      const u = Math.sqrt(5) * r;
      const [, first, second] = at(k, r * r, ...orders);
      expect(first / ((-5 / 6) * (1 + u) * Math.exp(-u))).toBeCloseTo(1, 14);
      expect(second / ((25 / 12) * Math.exp(-u))).toBeCloseTo(1, 7);
    }
  });

  it.each([
    { name: "rbf" },
    { name: "matern-3/2" },
    { name: "matern-5/2" },
    { name: "rational-quadratic", alpha: 0.7 },
    { name: "dot-product", zeta: 4, offset: 0.5 },
    {
      product: [
        { name: "rbf" },
        {
          sum: [
            { name: "constant", value: 2 },
            { name: "dot-product", zeta: 2 },
          ],
        },
      ],
    },
  ])("derivatives of %j are the slopes of what they derive", (options) => {
    const k = new KernelFunction(options, 2);
    const [s, h] = [0.4, 1e-5];
    const values = at(k, s, ...orders);
    const [up, down] = [at(k, s + h, ...orders), at(k, s - h, ...orders)];
    for (const n of [1, 2, 3]) expect(values[n]).toBeCloseTo((up[n - 1] - down[n - 1]) / (2 * h), 7);
    expect(Math.abs(values[1])).toBeGreaterThan(0.01);
  });

  it("mixed derivatives of a product of two kernels", () => {
    const k = new KernelFunction({ product: [{ name: "rbf" }, { name: "matern-5/2" }] }, 2);
    const a = new KernelFunction({ name: "rbf" }, 2);
    const b = new KernelFunction({ name: "matern-5/2" }, 2);
    const [mixed] = at(k, 0.4, [0, 1, 0]);
    expect(mixed).toBeCloseTo(at(a, 0.4, [0, 0])[0] * at(b, 0.7, [0])[0], 14);
  });

  it("names what is wrong in a tree of kernels", () => {
    expect(() => new KernelFunction({ sum: [{ name: "rbf" }, { name: "gauss" }] }, 2)).toThrow(
      /kernel\.sum\[1\]\.name: expected one of rbf/,
    );
    expect(() => new KernelFunction({ name: "rbf", length: [1, 2, 3] }, 2)).toThrow(/kernel\.length/);
    expect(() => new KernelFunction({ name: "rbf", length: -1 }, 2)).toThrow(/kernel\.length/);
  });
});
