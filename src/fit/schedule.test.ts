import { describe, expect, it } from "vitest";
import { trainingSchema } from "./options.ts";
import { energyWeight, rateAt } from "./schedule.ts";

const OPTIONS = trainingSchema.parse({ warmUp: 0.1, finalRate: 0.01 });

describe("schedule", () => {
  it("warms up linearly, then falls as a cosine to its last value", () => {
    const rates = Array.from({ length: 1001 }, (_, k) => rateAt(k, 1000, OPTIONS));
    expect(rates[0]).toBeCloseTo(1 / 101, 12);
    expect(rates[99]).toBeCloseTo(100 / 101, 12);
    expect(rates[100]).toBe(1);
    expect(rates[550]).toBeCloseTo((1 + 0.01) / 2, 12);
    expect(rates[1000]).toBeCloseTo(0.01, 12);
    for (let k = 101; k <= 1000; k++) expect(rates[k]).toBeLessThan(rates[k - 1]);
    expect(rateAt(700, 1000, { ...OPTIONS, schedule: "constant" })).toBe(1);
  });

  it("raises the weight of the energy from its first to its last value", () => {
    const { energy, energyEnd } = OPTIONS.weights;
    expect(energyWeight(0, 100, OPTIONS)).toBeCloseTo(energy, 12);
    expect(energyWeight(99, 100, OPTIONS)).toBeCloseTo(energyEnd, 12);
    expect(energyWeight(0, 1, OPTIONS)).toBeCloseTo(energyEnd, 12);
  });
});
