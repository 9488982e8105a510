import { describe, expect, it } from "vitest";
import { createDevice } from "../device/device.ts";
import { Cholesky, invertLower, solveCholesky } from "./cholesky.ts";
import { Random } from "./random.ts";

/** B Bᵀ + I/n, and room for it. */
function spd(n: number) {
  const device = createDevice({ bytes: 2 ** 24 });
  const B = new Random(n, "matrix").normals(new Float64Array(n * n));
  const address = device.memory.alloc(8 * n * n);
  const A = device.memory.f64(address, n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      let sum = i === j ? 1 / n : 0;
      for (let k = 0; k < n; k++) sum += B[i * n + k] * B[j * n + k];
      A[i * n + j] = sum;
    }
  return { device, address, A, before: A.slice(), cholesky: new Cholesky(device, n) };
}

describe("Cholesky", () => {
  it.each([1, 2, 7, 32, 33, 100])("of %i rows: L Lᵀ is the matrix", (n) => {
    const { address, A, before, cholesky } = spd(n);
    expect(cholesky.factor(n, address)).toBe(true);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let k = 0; k <= Math.min(i, j); k++) sum += A[i * n + k] * A[j * n + k];
        expect(Math.abs(sum - before[i * n + j])).toBeLessThan(1e-12 * n);
      }
  });

  it("solves, and inverts its factor", () => {
    const n = 45;
    const { address, A, before, cholesky } = spd(n);
    cholesky.factor(n, address);
    const truth = new Random(2, "x").normals(new Float64Array(n));
    const x = truth.map((_, i) => truth.reduce((s, t, j) => s + before[i * n + j] * t, 0));
    solveCholesky(A, n, x);
    x.forEach((v, i) => expect(Math.abs(v - truth[i])).toBeLessThan(1e-8));
    const inverse = new Float64Array(n * n);
    invertLower(A, n, inverse);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let k = j; k <= i; k++) sum += A[i * n + k] * inverse[k * n + j];
        expect(Math.abs(sum - (i === j ? 1 : 0))).toBeLessThan(1e-10);
      }
  });

  it("refuses a matrix that is not positive definite, also in a later block", () => {
    const n = 50;
    const { address, A, cholesky } = spd(n);
    A[40 * n + 40] = -1;
    expect(cholesky.factor(n, address)).toBe(false);
  });
});
