import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Memory } from "./memory.ts";

test("arrays do not overlap, are aligned to a cache line and are zero", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 20 }), (sizes) => {
      const memory = new Memory({ bytes: 2 ** 20 });
      const arrays = sizes.map((n) => memory.u8(memory.alloc(n), n));
      arrays.forEach((array, i) => {
        expect(array.byteOffset % 64).toBe(0);
        expect(array.every((x) => x === 0)).toBe(true);
        array.fill(i + 1);
      });
      arrays.forEach((array, i) => expect(array.every((x) => x === i + 1)).toBe(true));
    }),
    { seed: 1, numRuns: 50 },
  );
});

test("the default memory is 1 GiB, shared, and its views stay attached", () => {
  const memory = new Memory();
  expect([memory.bytes, memory.shared]).toEqual([2 ** 30, true]);
  const early = memory.f64(memory.alloc(8), 1);
  memory.f64(memory.alloc(8 * 2 ** 20), 2 ** 20).fill(1);
  early[0] = 5;
  expect(early.length).toBe(1);
});

test("running out says how much was asked for, how much is left and what to do", () => {
  const memory = new Memory({ bytes: 2 ** 17, shared: false });
  expect(memory.shared).toBe(false);
  memory.alloc(100_000);
  const { left } = memory;
  expect(() => memory.alloc(2 ** 17)).toThrow(
    `out of memory: 131072 bytes asked for, ${left} of 131072 left; create the device with a larger "bytes"`,
  );
  expect(memory.left).toBe(left);
  memory.alloc(left);
  expect(memory.left).toBe(0);
  expect(() => memory.alloc(1)).toThrow("out of memory: 1 bytes");
});

test("two managers of one memory never hand out the same bytes", () => {
  const first = new Memory({ bytes: 2 ** 20 });
  const addresses = [first.alloc(64)];
  const second = new Memory({ memory: first.memory });
  addresses.push(second.alloc(1), first.alloc(1), second.alloc(64));
  expect(new Set(addresses).size).toBe(4);
  expect(second.left).toBe(first.left);
});

test.each([-1, Number.NaN])("alloc(%d) is refused", (bytes) => {
  expect(() => new Memory({ bytes: 2 ** 17 }).alloc(bytes)).toThrow(RangeError);
});
