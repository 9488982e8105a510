import { describe, expect, it } from "vitest";
import { createDevice } from "../device/device.ts";
import { Random } from "../math/random.ts";
import { Adam } from "./adam.ts";

const OPTIONS = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };
const device = createDevice({ bytes: 2 ** 20, deterministic: true });

const adam = (start: number[], options = OPTIONS, decays = start.map(() => 1)) =>
  new Adam(device, Float64Array.from(start), Uint8Array.from(decays), options);

/** A parameter that rises steadily, and its average. */
const climb = (keep: number) => {
  const a = adam([0]);
  for (let t = 0; t < 300; t++) {
    a.gradient[0] = -1;
    a.step(0.01, Infinity, keep);
  }
  return { now: a.parameters[0], average: a.average[0] };
};

describe("AdamW", () => {
  it("takes a first step of the learning rate against the sign of the gradient", () => {
    const a = adam([1, -2, 3]);
    a.gradient.set([1e-3, -5, 0]);
    a.step(0.1, Infinity, 0);
    expect(a.parameters[0]).toBeCloseTo(0.9, 5);
    expect(a.parameters[1]).toBeCloseTo(-1.9, 7);
    expect(a.parameters[2]).toBe(3);
  });

  it("is the published recursion", () => {
    const random = new Random(1);
    const a = adam([0.3, -0.7, 1.1], { ...OPTIONS, weightDecay: 0.2 }, [1, 0, 1]);
    const theta = [0.3, -0.7, 1.1];
    const [m, v] = [
      [0, 0, 0],
      [0, 0, 0],
    ];
    for (let t = 1; t <= 20; t++) {
      random.normals(a.gradient);
      const g = [...a.gradient];
      a.step(0.01, Infinity, 0);
      for (let k = 0; k < 3; k++) {
        m[k] = 0.9 * m[k] + 0.1 * g[k];
        v[k] = 0.999 * v[k] + 0.001 * g[k] ** 2;
        const step = m[k] / (1 - 0.9 ** t) / (Math.sqrt(v[k] / (1 - 0.999 ** t)) + 1e-8);
        theta[k] -= 0.01 * (step + 0.2 * [1, 0, 1][k] * theta[k]);
        expect(a.parameters[k]).toBeCloseTo(theta[k], 12);
      }
    }
  });

  it("finds the minimum of a badly scaled bowl", () => {
    const a = adam([3, -4]);
    for (let t = 0; t < 4000; t++) {
      a.gradient.set([100 * a.parameters[0], 0.01 * a.parameters[1]]);
      a.step(0.01, Infinity, 0);
    }
    expect(Math.hypot(a.parameters[0], a.parameters[1])).toBeLessThan(1e-3);
  });

  it("shortens long gradients as a whole", () => {
    const [clipped, scaled] = [adam([0, 0]), adam([0, 0])];
    for (let t = 0; t < 3; t++) {
      clipped.gradient.set([300, 400 * t]);
      const norm = Math.hypot(300, 400 * t);
      scaled.gradient.set([300 / norm, (400 * t) / norm]);
      clipped.step(0.1, 1, 0);
      scaled.step(0.1, 10, 0);
    }
    expect(clipped.parameters[1]).toBeCloseTo(scaled.parameters[1], 12);
    expect(clipped.arrays["square"][0]).toBeLessThan(1);
  });

  it("averages: the parameters themselves without decay, lagging behind with it", () => {
    expect(climb(0).average).toBe(climb(0).now);
    const { now, average } = climb(0.99);
    expect(now - average).toBeGreaterThan(0.2);
    expect(now - average).toBeLessThan(0.5);
  });
});
