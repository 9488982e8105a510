import { describe, expect, it } from "vitest";
import { CubicSpline } from "./cubic-spline.ts";

const cubic = (x: number) => 2 - 3 * x + x ** 2 - 0.5 * x ** 3;
const slope = (x: number) => -3 + 2 * x - 1.5 * x ** 2;

/** Largest error of the spline through n + 1 points of the sine on [0, 3]. */
function errorOf(n: number): number {
  const x = Float64Array.from({ length: n + 1 }, (_, k) => (3 * k) / n);
  const spline = new CubicSpline(x, x.map(Math.sin), 1, Math.cos(3));
  let worst = 0;
  for (let k = 0; k < 997; k++) {
    spline.evaluate((3 * k) / 997);
    worst = Math.max(worst, Math.abs(spline.value - Math.sin((3 * k) / 997)));
  }
  return worst;
}

describe("cubic spline", () => {
  it("is any cubic, on points at any distances", () => {
    const x = Float64Array.of(-1, -0.3, 0.1, 2, 2.5);
    const spline = new CubicSpline(x, x.map(cubic), slope(-1), slope(2.5));
    for (const at of [-1, -0.9, 0, 0.1, 1.7, 2.4, 2.5]) {
      spline.evaluate(at);
      expect(spline.value).toBeCloseTo(cubic(at), 13);
      expect(spline.slope).toBeCloseTo(slope(at), 13);
    }
  });

  it("of the sine converges with the fourth power of the distance of the points", () => {
    expect(errorOf(20) / errorOf(40)).toBeGreaterThan(15);
    expect(errorOf(20)).toBeLessThan((5 / 384) * (3 / 20) ** 4);
  });

  it("refuses points that do not ascend", () => {
    expect(() => new CubicSpline(Float64Array.of(0, 0), Float64Array.of(1, 2), 0, 0)).toThrow("ascending");
    expect(() => new CubicSpline(Float64Array.of(0), Float64Array.of(1), 0, 0)).toThrow("two or more points");
  });
});
