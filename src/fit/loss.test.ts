import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { frameLoss, type FrameLabels, type LossWeights } from "./loss.ts";

const n = 2;
const number = fc.double({ min: -2, max: 2, noNaN: true });
const array = (length: number) =>
  fc.array(number, { minLength: length, maxLength: length }).map((x) => Float64Array.from(x));

function run(x: Float64Array, labels: FrameLabels, lambda: LossWeights, weight: number) {
  const seeds = { forces: new Float64Array(3 * n), virial: new Float64Array(9) };
  const parts = { energy: 0, forces: 0, stress: 0 };
  const energy = frameLoss(n, x[0], x.subarray(1, 7), x.subarray(7), labels, lambda, weight, seeds, parts);
  const value = weight * (parts.energy + parts.forces + parts.stress);
  return { value, gradient: [energy, ...seeds.forces, ...seeds.virial] };
}

describe("loss", () => {
  it("is the stated sum", () => {
    const x = new Float64Array(16);
    x[0] = 0.5;
    x[1] = 0.3;
    x[7] = 0.9;
    const labels = { energy: 0, forces: new Float64Array(6), virial: new Float64Array(9) };
    const { value } = run(x, labels, { energy: 2, forces: 3, stress: 5, huber: Infinity }, 1);
    expect(value).toBeCloseTo((2 * 0.25) / 2 + (3 * 0.09) / 6 + (5 * 0.81) / 18, 14);
  });

  it("has the seeds that finite differences give, Huber or not", () => {
    fc.assert(
      fc.property(array(16), array(16), fc.constantFrom(0.3, Infinity), fc.nat(15), (x, y, huber, k) => {
        const labels = { energy: y[0], forces: y.slice(1, 7), virial: y.slice(7) };
        const lambda = { energy: 2, forces: 3, stress: 5, huber };
        const h = 1e-6;
        const shifted = (d: number) =>
          run(
            Float64Array.from(x, (v, i) => (i === k ? v + d : v)),
            labels,
            lambda,
            1.7,
          );
        const slope = (shifted(h).value - shifted(-h).value) / (2 * h);
        expect(Math.abs(shifted(0).gradient[k] - slope)).toBeLessThan(1e-6 * (1 + Math.abs(slope)));
      }),
      { seed: 2 },
    );
  });

  it("leaves out what has no label", () => {
    const x = Float64Array.from({ length: 16 }, (_, k) => k + 1);
    const labels = { energy: null, forces: null, virial: null };
    const { value, gradient } = run(x, labels, { energy: 1, forces: 1, stress: 1, huber: Infinity }, 1);
    expect(value).toBe(0);
    expect(gradient.every((g) => g === 0)).toBe(true);
  });
});
