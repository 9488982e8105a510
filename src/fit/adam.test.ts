import { describe, expect, it } from "vitest";
import { adamState, adamStep, clip } from "./adam.ts";
import { startAverage, updateAverage } from "./average.ts";

const OPTIONS = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };

describe("AdamW", () => {
  it("takes a first step of the learning rate against the sign of the gradient", () => {
    const theta = Float64Array.of(1, -2, 3);
    adamStep(theta, Float64Array.of(1e-3, -5, 0), Uint8Array.of(1, 1, 1), adamState(3), 0.1, OPTIONS);
    expect(theta[0]).toBeCloseTo(0.9, 5);
    expect(theta[1]).toBeCloseTo(-1.9, 7);
    expect(theta[2]).toBe(3);
  });

  it("decays the weights that decay, and only those", () => {
    const theta = Float64Array.of(2, 2);
    adamStep(theta, new Float64Array(2), Uint8Array.of(1, 0), adamState(2), 0.1, {
      ...OPTIONS,
      weightDecay: 0.5,
    });
    expect([...theta]).toEqual([2 - 0.1 * 0.5 * 2, 2]);
  });

  it("finds the minimum of a badly scaled bowl", () => {
    const theta = Float64Array.of(3, -4);
    const state = adamState(2);
    for (let t = 0; t < 4000; t++)
      adamStep(
        theta,
        Float64Array.of(100 * theta[0], 0.01 * theta[1]),
        new Uint8Array(2),
        state,
        0.01,
        OPTIONS,
      );
    expect(Math.hypot(theta[0], theta[1])).toBeLessThan(1e-3);
  });

  it("clips by the norm and reports it", () => {
    const g = Float64Array.of(3, 4);
    expect(clip(g, 1)).toBe(5);
    expect(g[0]).toBeCloseTo(0.6, 15);
    expect(clip(g, 10)).toBeCloseTo(1, 15);
  });
});

describe("weight average", () => {
  it("is the parameters themselves without decay, and lags with it", () => {
    const average = startAverage(Float64Array.of(0));
    updateAverage(average, Float64Array.of(5), 0);
    expect(average.values[0]).toBe(5);
    const slow = startAverage(Float64Array.of(0));
    for (let t = 0; t < 1000; t++) updateAverage(slow, Float64Array.of(1), 0.99);
    expect(slow.values[0]).toBeGreaterThan(0.999);
    updateAverage(slow, Float64Array.of(2), 0.99);
    expect(slow.values[0]).toBeLessThan(1.02);
  });
});
