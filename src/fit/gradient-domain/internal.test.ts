import { describe, expect, it } from "vitest";
import { ethanol } from "../../../test/ethanol.ts";
import { internalDirections, rigidRank } from "./internal.ts";

const dot = (x: ArrayLike<number>, y: ArrayLike<number>): number =>
  Array.from(x).reduce((sum, v, k) => sum + v * y[k], 0);

describe("directions without translations and rotations", () => {
  it("are orthonormal, and see neither", () => {
    const { positions } = ethanol;
    const [m, w] = [21, 27];
    const basis = internalDirections(positions, m);
    const row = (a: number) => basis.subarray(a * w, (a + 1) * w);
    const omega = [0.3, -1.1, 0.7];
    const turn = positions.map((_, c) => {
      const r = positions.subarray(c - (c % 3), c - (c % 3) + 3);
      const [a, b] = [(c + 1) % 3, (c + 2) % 3];
      return omega[a] * r[b] - omega[b] * r[a] + [1, 2, 3][c % 3];
    });
    for (let a = 0; a < m; a++) {
      expect(Math.abs(dot(row(a), turn))).toBeLessThan(1e-13);
      for (let b = 0; b <= a; b++)
        expect(Math.abs(dot(row(a), row(b)) - (a === b ? 1 : 0))).toBeLessThan(1e-14);
    }
  });

  it("are one more for atoms in a line", () => {
    expect(rigidRank(ethanol.positions)).toBe(6);
    expect(rigidRank(Float64Array.of(1, 1, 1, 2, 2, 2, 4, 4, 4))).toBe(5);
  });
});
