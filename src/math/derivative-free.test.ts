import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { shared } from "../../test/shared.ts";
import { evolutionSearch } from "./cma-es.ts";
import { minimiseWith } from "./derivative-free.ts";
import type { Box, Found } from "./derivative-free.ts";
import { interpolationSearch } from "./quadratic-interpolation.ts";

const open = (n: number): Box => ({
  lower: new Float64Array(n).fill(-Infinity),
  upper: new Float64Array(n).fill(Infinity),
});

/** R. Fletcher's Chebyquad: Σ_k (mean of T_k(2x − 1) − its integral)², k = 1 … n + 1. */
function chebyquad(x: Float64Array): number {
  let f = 0;
  for (let k = 1; k <= x.length + 1; k++) {
    let mean = 0;
    for (const v of x) {
      let [a, b] = [1, 2 * v - 1];
      for (let i = 2; i <= k; i++) [a, b] = [b, 2 * (2 * v - 1) * b - a];
      mean += b / x.length;
    }
    f += (mean + (k % 2 === 0 ? 1 / (k * k - 1) : 0)) ** 2;
  }
  return f;
}

const rosenbrock = (x: Float64Array): number => 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2;

/** Smooth, ill-conditioned, minimum 0 at 1, 2, …, n. */
const ellipsoid = (x: Float64Array): number =>
  x.reduce((sum, v, i) => sum + 10 ** ((3 * i) / Math.max(1, x.length - 1)) * (v - i - 1) ** 2, 0);

const powell = shared("reference/newuoa_original/chebyquad.json");

describe.skipIf(!powell)("Powell's own NEWUOA on Chebyquad", () => {
  interface Row {
    readonly n: number;
    readonly nf: number;
    readonly f: number;
    readonly x: readonly number[];
  }
  const rows = powell ? (JSON.parse(readFileSync(powell, "utf8")) as { results: Row[] }).results : [];
  for (const { n, nf, f, x } of rows)
    it(`n = ${n}: the same minimum with at most 30 % more calls`, () => {
      const start = Float64Array.from({ length: n }, (_, i) => (i + 1) / (n + 1));
      const options = { begin: 0.2 * start[0], end: 1e-6, evaluations: 2000 };
      const found = minimiseWith(interpolationSearch(start, open(n), options), chebyquad);
      expect(found.why).toBe("converged");
      expect(Math.abs(found.value - f)).toBeLessThan(1e-9);
      // For n = 8 the order of the variables is free, not so their values.
      const sorted = [...found.x].sort((a, b) => a - b);
      [...x].sort((a, b) => a - b).forEach((v, i) => expect(Math.abs(sorted[i] - v)).toBeLessThan(1e-5));
      expect(found.evaluations).toBeLessThan(1.3 * nf);
    });
});

type Objective = (x: Float64Array) => number;

const interpolate = (f: Objective, start: number[], box: Box, evaluations = 500): Found =>
  minimiseWith(interpolationSearch(Float64Array.from(start), box, { begin: 0.5, end: 1e-8, evaluations }), f);

const evolve = (f: Objective, start: number[], box: Box, seed = 1): Found =>
  minimiseWith(
    evolutionSearch(Float64Array.from(start), box, { begin: 0.5, end: 1e-7, evaluations: 6000, seed }),
    f,
  );

describe("quadratic interpolation", () => {
  it("finds the minimum of a curved valley", () => {
    const { x, value } = interpolate(rosenbrock, [-1.2, 1], open(2));
    expect(value).toBeLessThan(1e-12);
    expect(Math.abs(x[0] - 1)).toBeLessThan(1e-5);
  });

  it("stays in the box and finds a minimum on its wall", () => {
    const box = { lower: Float64Array.of(-2, -1, 0), upper: Float64Array.of(0.5, 1, 2.5) };
    let outside = 0;
    const { x } = interpolate(
      (at) => {
        if (at.some((v, i) => v < box.lower[i] || v > box.upper[i])) outside++;
        return ellipsoid(at);
      },
      [0, 0, 1],
      box,
    );
    expect(outside).toBe(0);
    [0.5, 1, 2.5].forEach((v, i) => expect(Math.abs(x[i] - v)).toBeLessThan(1e-6));
  });

  it("stops when its evaluations are used up", () => {
    let calls = 0;
    const found = interpolate((x) => (calls++, ellipsoid(x)), [0, 0, 0, 0], open(4), 20);
    expect(found.why).toBe("evaluations");
    expect(calls).toBe(20);
    expect(found.evaluations).toBe(20);
  });

  it("goes round points where the function has no value", () => {
    const { x } = interpolate((at) => (at[0] > 1.2 ? NaN : ellipsoid(at)), [0, 0], open(2));
    expect(Math.abs(x[0] - 1)).toBeLessThan(1e-3);
    expect(Math.abs(x[1] - 2)).toBeLessThan(1e-3);
  });
});

describe("evolution", () => {
  it("finds the minimum of an ill-conditioned bowl and of a curved valley", () => {
    expect(evolve(ellipsoid, [0, 0, 0, 0, 0], open(5)).value).toBeLessThan(1e-10);
    expect(evolve(rosenbrock, [-1.2, 1], open(2)).value).toBeLessThan(1e-10);
  });

  it("finds a minimum on a wall of the box, never asking outside", () => {
    const box = { lower: Float64Array.of(-1, -1), upper: Float64Array.of(0.5, 1.5) };
    let outside = 0;
    const { x } = evolve(
      (at) => {
        if (at.some((v, i) => v < box.lower[i] || v > box.upper[i])) outside++;
        return ellipsoid(at);
      },
      [0, 0],
      box,
    );
    expect(outside).toBe(0);
    expect(Math.abs(x[0] - 0.5) + Math.abs(x[1] - 1.5)).toBeLessThan(1e-5);
  });

  it("the seed decides everything", () => {
    const one = evolve(rosenbrock, [-1.2, 1], open(2), 7);
    const two = evolve(rosenbrock, [-1.2, 1], open(2), 7);
    const other = evolve(rosenbrock, [-1.2, 1], open(2), 8);
    expect(two).toEqual(one);
    expect(other.x).not.toEqual(one.x);
  });

  it("bears noise that a quadratic through points does not", () => {
    let k = 0;
    // A deterministic noise of amplitude 0.01 that changes from call to call.
    const noisy = (x: Float64Array) => ellipsoid(x) + 0.01 * Math.cos(37 * ++k);
    const { x } = evolve(noisy, [0, 0, 0], open(3));
    expect(Math.abs(x[0] - 1)).toBeLessThan(0.2);
    expect(Math.abs(x[2] - 3)).toBeLessThan(0.01);
  });
});
