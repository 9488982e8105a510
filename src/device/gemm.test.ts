import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createGemm } from "./gemm.ts";
import type { Real } from "./gemm-kernels.ts";
import { sizeOf } from "./gemm-kernels.ts";
import { Memory } from "./memory.ts";

interface Case {
  readonly real: Real;
  readonly fused: boolean;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transA: boolean;
  readonly transB: boolean;
  readonly add: boolean;
  /** Elements by which stored rows are longer than they need to be: A, B, C. */
  readonly extra: readonly [number, number, number];
  readonly seed: number;
}

const memory = new Memory({ bytes: 2 ** 26 });
const gemms = { true: createGemm(memory, true), false: createGemm(memory, false) };
const room = 2 ** 23;
const [a, b, c] = [memory.alloc(room), memory.alloc(room), memory.alloc(room)];

const fill = (x: Float64Array | Float32Array, seed: number): void => {
  let s = seed * 2 + 1;
  for (let i = 0; i < x.length; i++) x[i] = (s = (Math.imul(s, 1664525) + 1013904223) | 0) / 2 ** 31;
};

/** Lengths of the stored rows. */
const strides = ({ m, n, k, transA, transB, extra }: Case) => ({
  lda: (transA ? m : k) + extra[0],
  ldb: (transB ? k : n) + extra[1],
  ldc: n + extra[2],
});

/** Fills A, B, C; returns C's array and the values [A, B, C] before. */
const prepare = (t: Case) => {
  const { lda, ldb, ldc } = strides(t);
  const lengths = [lda * (t.transA ? t.k : t.m), ldb * (t.transB ? t.n : t.k), ldc * t.m];
  const arrays = [a, b, c].map((at, i) => memory[t.real](at, lengths[i]));
  arrays.forEach((x, i) => fill(x, t.seed + i));
  return { arrays, before: arrays.map((x) => Float64Array.from(x)) };
};

const multiply = (t: Case): void => {
  const { lda, ldb, ldc } = strides(t);
  const options = { transA: t.transA, transB: t.transB, add: t.add };
  gemms[`${t.fused}`][t.real](t.m, t.n, t.k, a, lda, b, ldb, c, ldc, options);
};

/** C[i, j] and Σ|terms|, by the definition in f64; with `round`, in the order and roundings that are promised. */
const element = (
  t: Case,
  [A, B, C]: readonly Float64Array[],
  i: number,
  j: number,
  round = (x: number) => x,
) => {
  const { lda, ldb, ldc } = strides(t);
  let sum = t.add ? C[i * ldc + j] : 0;
  let scale = Math.abs(sum);
  for (let l = 0; l < t.k; l++) {
    const term = round(
      (t.transA ? A[l * lda + i] : A[i * lda + l]) * (t.transB ? B[j * ldb + l] : B[l * ldb + j]),
    );
    sum = round(sum + term);
    scale += Math.abs(term);
  }
  return { sum, scale };
};

const extent = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 80 }));
const pad = fc.integer({ min: 0, max: 5 });
const cases = fc.record({
  real: fc.constantFrom("f64" as const, "f32" as const),
  fused: fc.boolean(),
  m: extent,
  n: extent,
  k: extent,
  transA: fc.boolean(),
  transB: fc.boolean(),
  add: fc.boolean(),
  extra: fc.tuple(pad, pad, pad),
  seed: fc.integer({ min: 1, max: 1e6 }),
});

const compare = (t: Case): void => {
  const { arrays, before } = prepare(t);
  multiply(t);
  const { ldc } = strides(t);
  const C = arrays[2];
  const tolerance = t.real === "f64" ? 1e-14 : 1e-5;
  for (let i = 0; i < t.m; i++)
    for (let j = 0; j < ldc; j++) {
      const got = C[i * ldc + j];
      if (j >= t.n) {
        if (got !== before[2][i * ldc + j]) expect.fail(`wrote past the row at ${i}, ${j}`);
        continue;
      }
      const { sum, scale } = element(t, before, i, j);
      if (!(Math.abs(got - sum) <= tolerance * scale)) expect.fail(`C[${i}, ${j}] = ${got}, not ${sum}`);
    }
};

/** Every element is the chain that is promised. */
const exact = (t: Case) => {
  const { arrays, before } = prepare(t);
  multiply(t);
  const { ldc } = strides(t);
  const round = t.real === "f32" ? Math.fround : (x: number) => x;
  for (let i = 0; i < t.m; i++)
    for (let j = 0; j < t.n; j++)
      if (!Object.is(arrays[2][i * ldc + j] + 0, element(t, before, i, j, round).sum + 0))
        expect.fail(`C[${i}, ${j}] differs`);
};

/** Row i alone, in two products of depths l and k − l, equals row i of the whole. */
const split = (t: Case, i: number, l: number) => {
  const { arrays, before } = prepare(t);
  multiply(t);
  const { lda, ldb, ldc } = strides(t);
  const size = sizeOf(t.real);
  const row = arrays[2].slice(i * ldc, i * ldc + t.n);
  arrays[2].set(before[2]);
  const part = (from: number, depth: number, add: boolean) => {
    const al = a + size * (t.transA ? from * lda + i : i * lda + from);
    const bl = b + size * (t.transB ? from : from * ldb);
    const options = { transA: t.transA, transB: t.transB, add };
    gemms[`${t.fused}`][t.real](1, t.n, depth, al, lda, bl, ldb, c + size * i * ldc, ldc, options);
  };
  part(0, l, t.add);
  part(l, t.k - l, true);
  expect(arrays[2].slice(i * ldc, i * ldc + t.n)).toEqual(row);
};

describe("matrix product", () => {
  test("equals the definition: random shapes, strides, transposes, both types", () => {
    fc.assert(fc.property(cases, compare), { seed: 1, numRuns: 400 });
  });

  test.each([
    { m: 7, n: 300, k: 600 },
    { m: 61, n: 135, k: 257 },
    { m: 130, n: 1, k: 513 },
    { m: 1, n: 260, k: 512 },
  ])("equals the definition over several blocks, $m × $n × $k", (shape) => {
    for (const real of ["f64", "f32"] as const)
      for (const [transA, transB] of [
        [false, false],
        [true, false],
        [false, true],
        [true, true],
      ] as const)
        compare({ ...shape, real, fused: true, transA, transB, add: true, extra: [0, 3, 0], seed: 5 });
  });

  test("without fused multiply-add every element is the promised chain, to the bit", () => {
    fc.assert(
      fc.property(
        cases.map((t) => ({ ...t, fused: false })),
        exact,
      ),
      { seed: 2, numRuns: 200 },
    );
  });

  test("a row has the same bits whatever is computed with it, and k may be split with add", () => {
    const positive = cases.filter(({ m, n }) => m > 0 && n > 0);
    fc.assert(
      fc.property(positive, fc.nat(), fc.nat(), (t, i, l) => split(t, i % t.m, l % (t.k + 1))),
      { seed: 3, numRuns: 200 },
    );
  });

  test("k = 0 gives zero, or C with add; infinities and NaN elsewhere in memory do not leak in", () => {
    const t: Case = {
      real: "f64",
      fused: true,
      m: 3,
      n: 3,
      k: 0,
      transA: false,
      transB: false,
      add: false,
      extra: [0, 0, 0],
      seed: 1,
    };
    const { arrays } = prepare(t);
    multiply(t);
    expect([...arrays[2]]).toEqual(Array.from({ length: 9 }, () => 0));
    memory.f64(a, 100).fill(Number.NaN);
    memory.f64(b, 100).fill(Infinity);
    const one = { ...t, m: 5, n: 3, k: 2 };
    compare(one);
  });

  test("reads at the very end of what can be allocated do not trap", () => {
    const small = new Memory({ bytes: 2 ** 20, shared: false });
    const gemm = createGemm(small, true);
    gemm.f64(1, 1, 1, 64, 1, 64, 1, 128, 1, { transB: true });
    small.alloc(small.left - 64 * 4);
    const [x, to, y, z] = [0, 1, 2, 3].map(() => small.alloc(8));
    expect(small.left).toBe(0);
    small.f64(x, 1)[0] = 3;
    for (const at of [y, z]) {
      small.f64(at, 1)[0] = 5;
      gemm.f64(1, 1, 1, x, 1, at, 1, to, 1);
      expect(small.f64(to, 1)[0]).toBe(15);
      gemm.f64(1, 1, 1, at, 1, x, 1, to, 1, { transA: true, transB: true });
    }
  });

  test("a stride shorter than the row is refused", () => {
    expect(() => gemms.true.f64(2, 4, 4, a, 3, b, 4, c, 4)).toThrow(
      "gemm: lda = 3 is less than the row length 4",
    );
  });
});
