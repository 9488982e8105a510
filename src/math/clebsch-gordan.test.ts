import { describe, expect, it } from "vitest";
import { clebschGordan } from "./clebsch-gordan.ts";

const range = (j: number): number[] => Array.from({ length: j + 1 }, (_, k) => 2 * k - j);

describe("Clebsch–Gordan coefficients", () => {
  it("are those of the tables", () => {
    // Particle Data Group, Review of Particle Physics, table of Clebsch–Gordan coefficients.
    expect(clebschGordan(1, 1, 1, -1, 2, 0)).toBe(Math.SQRT1_2);
    expect(clebschGordan(1, 1, 1, -1, 0, 0)).toBe(Math.SQRT1_2);
    expect(clebschGordan(1, -1, 1, 1, 0, 0)).toBe(-Math.SQRT1_2);
    expect(clebschGordan(2, 0, 2, 0, 4, 0)).toBe(Math.sqrt(2 / 3));
    expect(clebschGordan(2, 0, 2, 0, 0, 0)).toBe(-Math.sqrt(1 / 3));
    expect(clebschGordan(4, 4, 2, -2, 2, 2)).toBe(Math.sqrt(3 / 5));
    expect(clebschGordan(4, 2, 3, -1, 3, 1)).toBe(0);
    expect(clebschGordan(4, 2, 3, 3, 5, 5)).toBe(-Math.sqrt(3 / 7));
    expect(clebschGordan(4, 0, 4, 0, 8, 0)).toBe(Math.sqrt(18 / 35));
  });

  it("are orthonormal for all j up to 7, halves included", () => {
    for (const [j1, j2] of [
      [14, 13],
      [12, 12],
      [7, 2],
    ])
      for (const M of [(j1 + j2) % 2, j1 - j2 + 2]) {
        const pairs = range(j1).flatMap((m1) => (Math.abs(M - m1) <= j2 ? [[m1, M - m1]] : []));
        for (let J = Math.abs(j1 - j2); J <= j1 + j2; J += 2)
          for (let K = J; K <= j1 + j2; K += 2) {
            if (Math.abs(M) > J) continue;
            const dot = pairs.reduce(
              (s, [m1, m2]) => s + clebschGordan(j1, m1, j2, m2, J, M) * clebschGordan(j1, m1, j2, m2, K, M),
              0,
            );
            expect(Math.abs(dot - (J === K ? 1 : 0))).toBeLessThan(1e-14);
          }
      }
  });

  it("are 0 where selection rules say so", () => {
    expect(clebschGordan(2, 2, 2, 2, 2, 2)).toBe(0);
    expect(clebschGordan(2, 1, 2, 1, 4, 2)).toBe(0);
    expect(clebschGordan(2, 4, 2, 0, 4, 4)).toBe(0);
    expect(clebschGordan(2, 0, 2, 0, 6, 0)).toBe(0);
  });
});
