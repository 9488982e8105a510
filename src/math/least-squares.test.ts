import * as fc from "fast-check";
import { Matrix, pseudoInverse, solve } from "ml-matrix";
import { describe, expect, it } from "vitest";
import { leastSquares } from "./least-squares.ts";
import { Random } from "./random.ts";

const random = (m: number, n: number, seed: number) => new Random(seed).normals(new Float64Array(m * n));

describe("least squares", () => {
  it("equals ml-matrix where the rank is full", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 0, max: 9 }),
        fc.nat(),
        (n, more, seed) => {
          const m = n + more;
          const [A, b] = [random(m, n, seed), random(m, 1, seed + 1)];
          const found = leastSquares(A, b, m, n);
          const expected = solve(
            Matrix.from1DArray(m, n, Array.from(A)),
            Matrix.columnVector(Array.from(b)),
            true,
          );
          expect(found.rank).toBe(n);
          expect(found.determined.every(Boolean)).toBe(true);
          for (let j = 0; j < n; j++) expect(found.x[j]).toBeCloseTo(expected.get(j, 0), 8);
        },
      ),
      { seed: 7, numRuns: 50 },
    );
  });

  it("gives the solution of least norm where columns depend on each other", () => {
    for (let seed = 1; seed < 20; seed++) {
      const [m, n, rank] = [7, 5, 3];
      const [L, R] = [random(m, rank, seed), random(rank, n, seed + 100)];
      const A = Matrix.from1DArray(m, rank, Array.from(L)).mmul(Matrix.from1DArray(rank, n, Array.from(R)));
      const b = random(m, 1, seed + 200);
      const found = leastSquares(Float64Array.from(A.to1DArray()), b, m, n);
      const expected = pseudoInverse(A).mmul(Matrix.columnVector(Array.from(b)));
      expect(found.rank).toBe(rank);
      expect(found.determined.some(Boolean)).toBe(false);
      for (let j = 0; j < n; j++) expect(found.x[j]).toBeCloseTo(expected.get(j, 0), 9);
    }
  });

  it("says which unknowns are determined", () => {
    // x0 + x1 = 3 and x2 = 5: only x2 is determined; the least norm shares the 3.
    const found = leastSquares(Float64Array.of(1, 1, 0, 0, 0, 1), Float64Array.of(3, 5), 2, 3);
    expect(found.determined).toEqual([false, false, true]);
    expect(Array.from(found.x)).toEqual([
      expect.closeTo(1.5, 14),
      expect.closeTo(1.5, 14),
      expect.closeTo(5, 14),
    ]);
  });

  it("handles more unknowns than equations, and none that matter", () => {
    const wide = leastSquares(Float64Array.of(3, 4), Float64Array.of(25), 1, 2);
    expect(Array.from(wide.x)).toEqual([expect.closeTo(3, 13), expect.closeTo(4, 13)]);
    const zero = leastSquares(new Float64Array(4), Float64Array.of(1, 2), 2, 2);
    expect(zero.rank).toBe(0);
    expect(Array.from(zero.x)).toEqual([0, 0]);
  });
});
