import { describe, expect, it } from "vitest";
import { createDevice } from "../device/device.ts";
import { Unchanged } from "./unchanged.ts";

describe("whether parameters have changed", () => {
  it.each([1, 2, 7, 64])("is told once for each change of %i of them", (n) => {
    const device = createDevice({ bytes: 2 ** 18 });
    const live = device.memory.f64(device.memory.alloc(8 * n), n).fill(1e300);
    const unchanged = new Unchanged(device, live);
    expect([unchanged.check(), unchanged.check()]).toEqual([false, true]);
    for (let k = 0; k < n; k++) {
      live[k] = k - 3;
      expect([unchanged.check(), unchanged.check()]).toEqual([false, true]);
    }
    live[n - 1] += 2 ** -40;
    expect([unchanged.check(), unchanged.check()]).toEqual([false, true]);
  });
});
