import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ErrorSums, Metrics } from "./metrics.ts";

const numbers = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 2, maxLength: 40 });

describe("error sums", () => {
  it("equal the plain formulas", () => {
    fc.assert(
      fc.property(numbers, numbers, (p, r) => {
        const n = Math.min(p.length, r.length);
        const sums = new ErrorSums();
        for (let k = 0; k < n; k++) sums.add(p[k], r[k], `${k}`);
        const e = Array.from({ length: n }, (_, k) => p[k] - r[k]);
        const mean = r.slice(0, n).reduce((a, b) => a + b) / n;
        const errors = sums.errors!;
        expect(errors.rmse).toBeCloseTo(Math.sqrt(e.reduce((a, x) => a + x * x, 0) / n), 9);
        expect(errors.mae).toBeCloseTo(e.reduce((a, x) => a + Math.abs(x), 0) / n, 9);
        expect(errors.max).toBe(Math.max(...e.map(Math.abs)));
        const std = Math.sqrt(r.slice(0, n).reduce((a, x) => a + (x - mean) ** 2, 0) / n);
        expect(errors.meanRmse).toBeCloseTo(std, 9);
      }),
      { seed: 3 },
    );
  });

  it("call no error relative to a constant", () => {
    const sums = new ErrorSums();
    for (const r of [3, 3 + 1e-10, 3]) sums.add(4, r, "x");
    expect(sums.errors!.relative).toBeNull();
  });

  it("say nothing about nothing", () => expect(new ErrorSums().errors).toBeUndefined());
});

const frame = (configType: string, e: number, f: number, numbers = Uint8Array.of(1, 8)) => ({
  numbers,
  place: configType,
  configType,
  baseline: -10,
  energy: [-10 + e, -10] as const,
  forces: [Float64Array.of(f, 0, 0, 0, 0, 0), new Float64Array(6)] as const,
  stress: [new Float64Array(9).fill(e), new Float64Array(9)] as const,
});

describe("metrics", () => {
  it("tell elements and configuration types apart", () => {
    const metrics = new Metrics();
    metrics.add(frame("bulk", 0.2, 0.6));
    metrics.add(frame("surface", -0.4, 0));
    const { all, byElement, byConfigType, frames } = metrics.result;
    expect(frames).toBe(2);
    expect(all.energy!.mae).toBeCloseTo(0.3, 14);
    expect(all.energyPerAtom!.max).toBeCloseTo(0.2, 14);
    expect(all.energy!.maxPlace).toBe("surface");
    expect(all.stress!.count).toBe(12);
    expect(byElement[1].mae).toBeCloseTo(0.1, 14);
    expect(byElement[8].max).toBe(0);
    expect(byConfigType["bulk"].forces!.max).toBeCloseTo(0.6, 14);
    expect(byConfigType["surface"].forces!.rmse).toBe(0);
    expect(all.forces!.relative).toBeNull();
  });
});
