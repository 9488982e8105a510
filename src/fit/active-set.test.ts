import { describe, expect, it } from "vitest";
import { createDevice } from "../device/device.ts";
import { Random } from "../math/random.ts";
import { dOptimality } from "../potentials/extrapolation/d-optimality.ts";
import type { FeatureStatistics } from "../regressors/regressor.ts";
import { activeMap } from "./active-set.ts";
import { FeatureAccumulator } from "./features.ts";

const device = createDevice({ bytes: 2 ** 25 });

/** Features that vary in 3 of 5 directions: one is constant, one a sum of others; sizes differ by 10⁶. */
function made(count: number): { rows: Float64Array; statistics: FeatureStatistics } {
  const random = new Random(5);
  const rows = new Float64Array(5 * count);
  const sums = new FeatureAccumulator(5);
  for (let k = 0; k < count; k++) {
    const [a, b, c] = [0, 0, 0].map(() => random.uniform());
    rows.set([a, 1e-3 * b, 1e3 * c, 7, a + 2 * b], 5 * k);
    sums.add(rows.subarray(5 * k, 5 * k + 5));
  }
  return { rows, statistics: sums.result };
}

/** Grades of rows of features. */
function grade(statistics: FeatureStatistics, map: Float64Array, rows: Float64Array): Float64Array {
  const none = { environments: new Float64Array(0), frames: new Float64Array(0), spacing: 0 };
  const record = { places: [], elements: [{ ...statistics, ...none, more: { active: map } }] };
  const grades = new Float64Array(rows.length / 5);
  const grader = dOptimality.build(record)!;
  grader.grade({ matrices: [rows], pointers: [0], counts: [grades.length] }, grades);
  return grades;
}

describe("D-optimality", () => {
  const { rows, statistics } = made(400);
  const map = activeMap(rows, statistics, device);
  const grades = grade(statistics, map, rows);

  it("has an active set of one environment more than there are directions, each of grade 1", () => {
    expect(map).toHaveLength(6 * 4);
    expect([...grades].filter((g) => Math.abs(g - 1) < 1e-9).length).toBeGreaterThanOrEqual(4);
  });

  it("grades no training environment above 1.01", () => {
    expect(Math.max(...grades)).toBeLessThan(1.01 + 1e-9);
    expect(Math.min(...grades)).toBeGreaterThan(0.2);
  });

  it("grades in proportion to the distance far outside, and does not depend on units", () => {
    const far = (x: number) => grade(statistics, map, Float64Array.of(x, 0.5e-3, 500, 7, x + 1))[0];
    expect(far(0.5)).toBeLessThan(1);
    expect(far(10)).toBeGreaterThan(5);
    expect(far(100) / far(10)).toBeCloseTo(10.5, 0);
    const scaled = rows.map((x, k) => x * [1, 1e4, 1e-2, 3, 1][k % 5]);
    const sums = new FeatureAccumulator(5);
    for (let k = 0; k < 400; k++) sums.add(scaled.subarray(5 * k, 5 * k + 5));
    const again = grade(sums.result, activeMap(scaled, sums.result, device), scaled);
    again.forEach((g, k) => expect(Math.abs(g - grades[k])).toBeLessThan(1e-6));
  });
});

it("features that never vary have one environment, and every atom its grade", () => {
  const rows = new Float64Array(15).map((_, k) => k % 5);
  const sums = new FeatureAccumulator(5);
  for (let k = 0; k < 3; k++) sums.add(rows.subarray(5 * k, 5 * k + 5));
  const map = activeMap(rows, sums.result, device);
  expect([...grade(sums.result, map, rows)]).toEqual([1, 1, 1]);
});
