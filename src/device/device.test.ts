import { expect, test } from "vitest";
import { exp, mul, variable } from "../formula/expression.ts";
import { referenceKernel } from "../formula/kernel.ts";
import type { KernelSpec } from "../formula/kernel.ts";
import { createDevice } from "./device.ts";
import { Memory } from "./memory.ts";

const spec = (name: string): KernelSpec => {
  const [x, a] = [variable("x"), variable("a")];
  const y = exp(mul(a, x));
  return { name, varying: ["x"], uniform: ["a"], elementwise: [y], reduced: [mul(x, y)] };
};

test.each([true, false])("a compiled kernel computes what its formulas say, shared memory %s", (shared) => {
  const device = createDevice({ memory: new Memory({ bytes: 2 ** 20, shared }), deterministic: true });
  const { memory } = device;
  const n = 10;
  const [x, a, y, sum] = [8 * n, 8, 8 * n, 8].map((bytes) => memory.alloc(bytes));
  memory.f64(x, n).set(Float64Array.from({ length: n }, (_, i) => 0.3 * i - 1));
  memory.f64(a, 1).fill(0.7);
  const results = () => [...memory.f64(y, n), ...memory.f64(sum, 1)];
  device.compile(spec("k")).run(n, x, 8 * n, a, y, sum);
  const compiled = results();
  memory.f64(y, n).fill(0);
  memory.f64(sum, 1).fill(0);
  referenceKernel(spec("k"), memory.memory).run(n, x, 8 * n, a, y, sum);
  expect(compiled).toEqual(results());
  expect(compiled[0]).toBeCloseTo(Math.exp(-0.7), 14);
});

test("the same spec is compiled once, whatever its name", () => {
  const device = createDevice({ bytes: 2 ** 20 });
  expect(device.compile(spec("one"))).toBe(device.compile(spec("two")));
});

test("an option outside its bounds is an error that says what is expected", () => {
  expect(() => createDevice({ bytes: 10 })).toThrow("invalid bytes: expected a memory size from 65536 to");
  expect(() => createDevice({ bytes: 2 ** 40 })).toThrow("invalid bytes");
});
