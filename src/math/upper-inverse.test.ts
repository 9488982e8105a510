import { expect, it } from "vitest";
import { createDevice } from "../device/device.ts";
import { Random } from "./random.ts";
import { inverseBytes, invertUpperInBlocks } from "./upper-inverse.ts";
import { finish } from "./work.ts";

it.each([1, 63, 64, 65, 200])("R R⁻¹ = 1 for n = %i", (n) => {
  const device = createDevice({ bytes: 2 ** 24 });
  const { memory } = device;
  const stride = n + 3;
  const [from, to, room] = [8 * n * stride, 8 * n * stride, inverseBytes(n)].map((b) => memory.alloc(b));
  const R = new Random(2, "upper", n).normals(memory.f64(from, n * stride));
  for (let i = 0; i < n; i++) R[i * stride + i] = 3 + Math.abs(R[i * stride + i]) + Math.sqrt(n);
  // What lies below the diagonal is not read.
  for (let i = 1; i < n; i++) R[i * stride] = NaN;
  finish(invertUpperInBlocks(device, { from, to, room, stride, n }));
  const X = memory.f64(to, n * stride);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = i; k < n; k++) sum += R[i * stride + k] * X[k * stride + j];
      expect(Math.abs(sum - (i === j ? 1 : 0))).toBeLessThan(1e-12);
    }
});
