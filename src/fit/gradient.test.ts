import { describe, expect, it } from "vitest";
import { createDevice } from "../device/device.ts";
import { Gradients } from "./gradient.ts";
import { labelledFrames, SIZE, TASKS, TERM, turnPool } from "./linear-pair.fixture.ts";
import { PackedFrames } from "./packed.ts";

const LAMBDA = { energy: 2, forces: 3, stress: 0.5, huber: Infinity };
const GROUPS = [[0, 1], [2, 3], [4, 5, 6], [7], [8, 9]];
const ALL = [0, 1, 2, 3, 4];

async function gradients(threads: number, seed: number, slots = 4, cache = 1e6) {
  const device = createDevice({ bytes: 2 ** 22 });
  const frames = labelledFrames(10, [1, -2, 3, -1]);
  const data = PackedFrames.pack(
    device.memory,
    frames,
    Float64Array.from(frames, (_, f) => 1 + (f % 3)),
  );
  const g = await Gradients.create(turnPool(device, TASKS, threads, seed), {
    term: TERM,
    elements: [14],
    parameters: SIZE,
    data,
    groups: GROUPS,
    slots,
    cache,
    place: (f) => frames[f].place,
  });
  g.parameters.set([0.3, 0.5, -0.2, 0.7]);
  g.changed();
  return { g, data, frames };
}

describe("gradient over a pool", () => {
  it("has the same bits for any number of threads, any turns, any slots, cached or not", async () => {
    const reference = new Float64Array(SIZE);
    const { g } = await gradients(1, 0);
    const loss = await g.gradient(ALL, LAMBDA, reference);
    for (const [threads, slots, cache] of [
      [2, 4, 1e6],
      [3, 1, 0],
      [5, 5, 1000],
    ]) {
      const other = await gradients(threads, threads, slots, cache);
      const gradient = new Float64Array(SIZE);
      for (let repeat = 0; repeat < 3; repeat++)
        expect(await other.g.gradient(ALL, LAMBDA, gradient)).toEqual(loss);
      expect([...gradient]).toEqual([...reference]);
    }
  });

  it("is the derivative of the loss", async () => {
    const { g } = await gradients(2, 7);
    const [gradient, none] = [new Float64Array(SIZE), new Float64Array(SIZE)];
    await g.gradient(ALL, LAMBDA, gradient);
    const value = async (k: number, h: number) => {
      g.parameters[k] += h;
      g.changed();
      const { energy, forces, stress } = await g.gradient(ALL, LAMBDA, none);
      g.parameters[k] -= h;
      expect(Math.min(energy, forces, stress)).toBeGreaterThan(0);
      return energy + forces + stress;
    };
    for (let k = 0; k < SIZE; k++) {
      const slope = ((await value(k, 1e-4)) - (await value(k, -1e-4))) / 2e-4;
      expect(Math.abs(gradient[k] - slope)).toBeLessThan(1e-8 * Math.abs(slope));
    }
  });

  it("predicts what made the labels", async () => {
    const { g, data, frames } = await gradients(2, 3);
    g.parameters.set([1, -2, 3, -1]);
    g.changed();
    await g.predict(ALL);
    frames.forEach((frame, f) => {
      expect(data.predicted.energies[f]).toBeCloseTo(frame.energy!, 12);
      const virial = data.labels(f).virial;
      if (virial) expect(data.predicted.virials[9 * f + 1]).toBeCloseTo(virial[1], 12);
    });
    expect(frames.some((frame) => frame.stress)).toBe(true);
  });

  it("names the frame and the quantity that is not finite", async () => {
    const { g } = await gradients(2, 1);
    g.parameters[0] = Infinity;
    g.changed();
    await expect(g.gradient(ALL, LAMBDA, new Float64Array(SIZE))).rejects.toThrow(
      /energy of made:\d+ is not finite/,
    );
  });

  it("blames no single frame for the gradient of a group", async () => {
    const { g } = await gradients(1, 1);
    const wild = { ...LAMBDA, forces: Infinity };
    const of = (group: number) => g.gradient([group], wild, new Float64Array(SIZE));
    await expect(of(2)).rejects.toThrow("gradient of one of made:5, made:6, made:7 is not finite");
    await expect(of(3)).rejects.toThrow("gradient of made:8 is not finite");
  });
});
