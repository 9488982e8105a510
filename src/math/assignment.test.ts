import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assign } from "./assignment.ts";

/** All orders of n things. */
const orders = (n: number): number[][] =>
  n === 0
    ? [[]]
    : orders(n - 1).flatMap((p) => Array.from({ length: n }, (_, k) => p.toSpliced(k, 0, n - 1)));

const total = (cost: Float64Array, n: number, p: ArrayLike<number>): number =>
  Array.from(p).reduce((sum, j, i) => sum + cost[i * n + j], 0);

describe("assignment", () => {
  it("is the best of all orders", () => {
    const square = fc
      .integer({ min: 1, max: 6 })
      .chain((n) =>
        fc.tuple(
          fc.constant(n),
          fc.array(fc.integer({ min: -50, max: 50 }), { minLength: n * n, maxLength: n * n }),
        ),
      );
    fc.assert(
      fc.property(square, ([n, values]) => {
        const cost = Float64Array.from(values);
        const found = assign(cost, n);
        expect([...found].toSorted((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, k) => k));
        const best = Math.min(...orders(n).map((p) => total(cost, n, p)));
        expect(total(cost, n, found)).toBe(best);
      }),
      { seed: 7, numRuns: 150 },
    );
  });

  it("finds a hidden order among 40", () => {
    const n = 40;
    const cost = Float64Array.from({ length: n * n }, (_, k) =>
      ((k % n) - 7 * Math.floor(k / n)) % n === 0 ? 0 : 1,
    );
    // 7 i mod 40 takes each value once.
    expect([...assign(cost, n)]).toEqual(Array.from({ length: n }, (_, i) => (7 * i) % n));
  });
});
