import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lbfgsIteration, lbfgsState, minimise } from "./minimise.ts";

function rosenbrock(x: Float64Array, g: Float64Array): number {
  let f = 0;
  g.fill(0);
  for (let k = 0; k + 1 < x.length; k++) {
    const [a, b] = [1 - x[k], x[k + 1] - x[k] ** 2];
    f += a * a + 100 * b * b;
    g[k] += -2 * a - 400 * b * x[k];
    g[k + 1] += 200 * b;
  }
  return f;
}

const wall = (x: Float64Array, g: Float64Array) => {
  g[0] = 1 - 1 / x[0];
  return x[0] > 0 ? x[0] - Math.log(x[0]) : NaN;
};

describe("L-BFGS", () => {
  it("reaches the bottom of Rosenbrock's valley", () => {
    let calls = 0;
    const count = (x: Float64Array, g: Float64Array) => (calls++, rosenbrock(x, g));
    const { x } = minimise(
      Float64Array.from({ length: 20 }, (_, k) => (k % 2 ? 1 : -1.2)),
      count,
      ({ scalars }) => scalars[1] >= 500,
    );
    for (const v of x) expect(v).toBeCloseTo(1, 9);
    expect(calls).toBeLessThan(400);
  });

  it("solves any badly conditioned quadratic", () => {
    const eigenvalue = fc.integer({ min: -3, max: 3 }).map((e) => 10 ** e);
    fc.assert(
      fc.property(fc.array(eigenvalue, { minLength: 1, maxLength: 8 }), (lambda) => {
        const bowl = (x: Float64Array, g: Float64Array) =>
          lambda.reduce((f, l, k) => {
            g[k] = l * (x[k] - k);
            return f + 0.5 * l * (x[k] - k) ** 2;
          }, 0);
        const { x } = minimise(
          new Float64Array(lambda.length).fill(7),
          bowl,
          ({ scalars }) => scalars[1] >= 400,
        );
        lambda.forEach((l, k) => expect(l * (x[k] - k) ** 2).toBeLessThan(1e-12));
      }),
      { seed: 5, numRuns: 50 },
    );
  });

  it("never steps into what is not finite, nor uphill", () => {
    const { x } = minimise(Float64Array.of(0.001), wall, ({ scalars }) => scalars[1] >= 60);
    expect(x[0]).toBeCloseTo(1, 6);
  });

  it("obeys the longest step", () => {
    let last = 0;
    minimise(
      Float64Array.of(0),
      (x, g) => ((g[0] = 2 * (x[0] - 10)), (x[0] - 10) ** 2),
      ({ x }) => {
        expect(Math.abs(x[0] - last)).toBeLessThanOrEqual(0.5 + 1e-15);
        last = x[0];
        return Math.abs(x[0] - 10) < 1e-9;
      },
      { history: 5, maxStep: 0.5 },
    );
    expect(last).toBeCloseTo(10, 8);
  });

  it("goes on to the same bits from a copy of its state", () => {
    const g = new Float64Array(4);
    const once = (state: ReturnType<typeof lbfgsState>) => {
      const iteration = lbfgsIteration(state, { history: 3 });
      for (let asked = iteration.next(); !asked.done;)
        asked = iteration.next({ value: rosenbrock(asked.value, g), gradient: g });
    };
    const state = lbfgsState(Float64Array.of(-1, 2, 0.5, -0.3));
    for (let k = 0; k < 5; k++) once(state);
    const copy = structuredClone(state);
    for (let k = 0; k < 5; k++) once(state);
    for (let k = 0; k < 5; k++) once(copy);
    expect(copy).toEqual(state);
  });
});
