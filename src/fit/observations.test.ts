import { describe, expect, it } from "vitest";
import { Random } from "../math/random.ts";
import {
  CHOICE,
  observeBlock,
  readChoice,
  writeChoice,
  type BlockChoice,
  type ObservationChoice,
  type ObservationKind,
} from "./observations.ts";

const N = 30;
const label = new Random(1, "label").normals(new Float64Array(N));
const predicted = new Random(2, "predicted").normals(new Float64Array(N));
const error = label.map((y, k) => y - predicted[k]);
const square = error.reduce((s, e) => s + e * e, 0);

interface Seen {
  readonly error: number;
  readonly seeds: Float64Array;
}

function observe(choice: BlockChoice, kind: ObservationKind, trials = 1, key = 0): Seen[] {
  const seeds = new Float64Array(N);
  const seen: Seen[] = [];
  observeBlock(predicted, label, seeds, 2, choice, kind, trials, new Random(3, key), (e) =>
    seen.push({ error: e, seeds: seeds.slice() }),
  );
  expect(seeds.every((s) => s === 0)).toBe(true);
  return seen;
}

const inner = (a: Float64Array, b: Float64Array) => a.reduce((s, x, k) => s + x * b[k], 0);

describe("observations", () => {
  it("have seeds that are the derivative of what is observed", () => {
    for (const kind of ["component", "random", "signs"] as const)
      for (const seen of observe({ count: 4, floor: 0 }, kind))
        expect(seen.error).toBeCloseTo(inner(seen.seeds, error), 12);
  });

  it("of all components are each component once, and their squares add up to the loss λ|e|²/N", () => {
    const seen = observe({ count: 99, floor: 0 }, "random");
    expect(seen.length).toBe(N);
    expect(seen.reduce((s, o) => s + o.error ** 2, 0)).toBeCloseTo((4 * square) / N, 12);
  });

  it.each(["component", "random"] as const)("by %s have the loss as their expectation", (kind) => {
    let sum = 0;
    const draws = 4000;
    for (let key = 0; key < draws; key++)
      for (const seen of observe({ count: 3, floor: 0 }, kind, 1, key)) sum += seen.error ** 2;
    expect(Math.abs(sum / draws / ((4 * square) / N) - 1)).toBeLessThan(0.05);
  });

  it("by signs sum absolute errors of groups that share no component", () => {
    const seen = observe({ count: 3, floor: 0 }, "signs");
    const total = seen.reduce((s, o) => s + o.error, 0);
    const absolute = error.reduce((s, e) => s + Math.abs(e), 0);
    expect(total).toBeCloseTo((2 * absolute) / Math.sqrt(N * (N / 3)), 12);
  });

  it("are drawn until they exceed the floor, else the largest one drawn is taken", () => {
    const largest = Math.max(...error.map(Math.abs));
    const mean = (trials: number, floor: number) => {
      let sum = 0;
      for (let key = 0; key < 300; key++)
        sum += Math.abs(observe({ count: 1, floor }, "component", trials, key)[0].error) / 300;
      return sum / 2;
    };
    expect(mean(500, Infinity)).toBeCloseTo(largest, 12);
    expect(mean(500, 0)).toBeCloseTo(mean(1, Infinity), 12);
    expect(mean(3, Infinity)).toBeGreaterThan(1.3 * mean(1, Infinity));
    const above = observe({ count: 1, floor: 0.9 * 2 * largest }, "component", 500)[0];
    expect(Math.abs(above.error)).toBeGreaterThanOrEqual(0.9 * 2 * largest);
  });

  it("that leave no choice are left out below the floor", () => {
    const floor = 2;
    const seen = observe({ count: N, floor }, "component");
    expect(seen.length).toBe(error.filter((e) => Math.abs(2 * e) >= floor).length);
    expect(seen.length).toBeLessThan(N);
  });

  it("are chosen by numbers that threads can share", () => {
    const choice: ObservationChoice = {
      energy: { count: 1, floor: 0.5 },
      forces: { count: 6, floor: 1.5 },
      stress: { count: 2, floor: 0 },
      kind: "signs",
      trials: 3,
      seed: 7,
      epoch: 12,
    };
    const shared = new Float64Array(CHOICE.size);
    writeChoice(shared, choice);
    expect(readChoice(shared)).toEqual(choice);
  });
});
