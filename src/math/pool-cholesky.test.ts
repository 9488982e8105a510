import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDevice } from "../device/device.ts";
import { createPool, type Pool } from "../device/pool.ts";
import { tasks } from "../tasks.ts";
import { PoolCholesky } from "./pool-cholesky.ts";
import { Random } from "./random.ts";
import { packedNumbers, rowAt, type Triangle } from "./triangle.ts";

/** B Bᵀ + I, [n, n]. */
function matrix(n: number): Float64Array {
  const random = new Random(7, "cholesky", n);
  const B = random.normals(new Float64Array(n * n));
  const A = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      let sum = i === j ? 1 : 0;
      for (let k = 0; k < n; k++) sum += B[i * n + k] * B[j * n + k];
      A[i * n + j] = sum;
    }
  return A;
}

describe("Cholesky on the pool", () => {
  let pool: Pool;
  beforeAll(async () => {
    pool = await createPool({ tasks, device: createDevice({ bytes: 2 ** 27 }), threads: 1 });
  });
  afterAll(() => pool.close());

  it.each([1, 5, 64, 127, 128, 129, 200, 397])("A = L Lᵀ, A⁻¹ A = 1 and L⁻¹ B for n = %i", async (n) => {
    const { memory } = pool.device;
    const A = matrix(n);
    const [a, out] = [memory.alloc(8 * n * n), memory.alloc(8 * n * n)];
    const L = memory.f64(a, n * n);
    L.set(A);
    const cholesky = await PoolCholesky.create(pool, n);
    expect(await cholesky.factor(n, a)).toBe(true);
    const size = A.reduce((most, x) => Math.max(most, x), 0);
    for (let i = 0; i < n; i++)
      for (let j = 0; j <= i; j++) {
        let sum = 0;
        for (let k = 0; k <= j; k++) sum += L[i * n + k] * L[j * n + k];
        expect(Math.abs(sum - A[i * n + j])).toBeLessThan(1e-13 * size);
      }
    await cholesky.inverse(n, a, out);
    const X = memory.f64(out, n * n);
    const inverse = (i: number, j: number) => (i >= j ? X[i * n + j] : X[j * n + i]);
    for (let i = 0; i < n; i += Math.ceil(n / 20))
      for (let j = 0; j < n; j += Math.ceil(n / 20)) {
        let sum = 0;
        for (let k = 0; k < n; k++) sum += inverse(i, k) * A[k * n + j];
        expect(sum).toBeCloseTo(i === j ? 1 : 0, 8);
      }
    const b = memory.alloc(8 * 3 * n);
    const B = memory.f64(b, 3 * n);
    const wanted = new Random(1, "rhs").normals(new Float64Array(3 * n));
    for (let c = 0; c < 3; c++)
      for (let i = 0; i < n; i++) {
        B[c * n + i] = 0;
        for (let k = 0; k <= i; k++) B[c * n + i] += L[i * n + k] * wanted[c * n + k];
      }
    await cholesky.forward(n, a, b, 3);
    B.forEach((x, k) => expect(x).toBeCloseTo(wanted[k], 9));
  });

  it.each([5, 128, 129, 300])("the same bits packed in bands, n = %i", async (n) => {
    const { memory } = pool.device;
    const A = matrix(n);
    const [whole, out, B] = [n * n, n * n, 3 * n].map((count) => memory.alloc(8 * count));
    const [bands, outBands, b] = [packedNumbers(n), packedNumbers(n), 3 * n].map((count) =>
      memory.alloc(8 * count),
    );
    const packed: Triangle = { address: bands, n, stride: 0 };
    memory.f64(whole, n * n).set(A);
    for (let i = 0; i < n; i++) memory.f64(rowAt(packed, i), i + 1).set(A.subarray(i * n, i * n + i + 1));
    for (const at of [B, b]) new Random(1, "rhs").normals(memory.f64(at, 3 * n));
    const cholesky = await PoolCholesky.create(pool, n);
    for (const [L, inverse, rows] of [
      [whole, out, B],
      [packed, outBands, b],
    ] as const) {
      expect(await cholesky.factor(n, L)).toBe(true);
      await cholesky.inverse(n, L, inverse);
      await cholesky.forward(n, L, rows, 3);
    }
    for (const [at, own] of [
      [whole, bands],
      [out, outBands],
    ])
      for (let i = 0; i < n; i++) {
        const row = memory.f64(rowAt({ address: own, n, stride: 0 }, i), i + 1);
        expect(row).toEqual(memory.f64(at + 8 * i * n, i + 1));
      }
    expect(memory.f64(b, 3 * n)).toEqual(memory.f64(B, 3 * n));
  });

  it("says so where a matrix is not positive definite", async () => {
    const { memory } = pool.device;
    const n = 150;
    const a = memory.alloc(8 * n * n);
    memory.f64(a, n * n).set(matrix(n));
    memory.f64(a, n * n)[140 * n + 140] = -1;
    expect(await (await PoolCholesky.create(pool, n)).factor(n, a)).toBe(false);
  });
});
