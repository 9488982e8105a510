import type { GemmExports, Real } from "./gemm-kernels.ts";
import { emitGemm, panelOf, sizeOf } from "./gemm-kernels.ts";
import type { Memory } from "./memory.ts";
import { instantiate } from "./modules.ts";

export interface GemmOptions {
  /** A is stored as Aᵀ [k, m]. */
  readonly transA?: boolean;
  /** B is stored as Bᵀ [n, k]. */
  readonly transB?: boolean;
  /** Adds to C instead of overwriting it. */
  readonly add?: boolean;
}

/**
 * C [m, n] = op(A) [m, k] · op(B) [k, n] (+ C). Row-major; `a`, `b`, `c` are byte addresses, `lda`, `ldb`, `ldc` the
 * elements from one stored row to the next. C must not overlap A or B.
 */
export type Multiply = (
  m: number,
  n: number,
  k: number,
  a: number,
  lda: number,
  b: number,
  ldb: number,
  c: number,
  ldc: number,
  options?: GemmOptions,
) => void;

/** Steps of k and columns of B that are packed at a time: 256 KiB, which a second-level cache holds. */
const DEPTH = 256;
const WIDTH_BYTES = 1024;
/** Rows from which packing B pays. */
const PACKED_ROWS = 16;

const check = (name: string, ld: number, width: number, rows: number): void => {
  if (rows > 1 && ld < width)
    throw new RangeError(`gemm: ${name} = ${ld} is less than the row length ${width}`);
};

const multiplier = (real: Real, fused: boolean, memory: Memory): Multiply => {
  const size = sizeOf(real);
  const columns = panelOf(real);
  const widest = WIDTH_BYTES / size;
  let exports: GemmExports | undefined;
  let packed = 0;

  /** One block of k and of columns: B packed where that pays, else read where it is. */
  const block: (
    kernels: GemmExports,
    m: number,
    n: number,
    k: number,
    a: number,
    lda: number,
    b: number,
    ldb: number,
    c: number,
    ldc: number,
    transA: boolean,
    transB: boolean,
    add: boolean,
  ) => void = (kernels, m, n, k, a, lda, b, ldb, c, ldc, transA, transB, add) => {
    const run = transA ? kernels.blockTransposed : kernels.block;
    if (!transB && (m < PACKED_ROWS || n <= columns)) {
      run(m, n, k, a, lda, b, columns * size, ldb, c, ldc, add ? 1 : 0);
      return;
    }
    if (packed === 0) packed = memory.alloc(DEPTH * WIDTH_BYTES);
    if (transB) kernels.packTransposed(k, n, b, ldb, packed);
    else kernels.pack(k, n, b, ldb, packed);
    run(m, n, k, a, lda, packed, k * columns * size, columns * size, c, ldc, add ? 1 : 0);
  };

  const multiply: Multiply = (m, n, k, a, lda, b, ldb, c, ldc, options = {}) => {
    const { transA = false, transB = false, add = false } = options;
    check("lda", lda, transA ? m : k, transA ? k : m);
    check("ldb", ldb, transB ? k : n, transB ? n : k);
    check("ldc", ldc, n, m);
    if (m <= 0 || n <= 0) return;
    if (n === 1 && ldc === 1 && transA && m > 1) {
      // A column vector that is contiguous: compute it as a row, whose columns fill the vectors.
      multiply(1, m, k, b, ldb, a, lda, c, m, { transA: !transB, transB: false, add });
      return;
    }
    exports ??= instantiate(emitGemm(real, fused, memory.shared), memory.memory) as unknown as GemmExports;
    for (let j = 0; j < n; j += widest) {
      const width = Math.min(widest, n - j);
      let l = 0;
      do {
        const depth = Math.min(DEPTH, k - l);
        const al = a + size * (transA ? l * lda : l);
        const bl = b + size * (transB ? j * ldb + l : l * ldb + j);
        block(
          exports,
          m,
          width,
          depth,
          al,
          lda * size,
          bl,
          ldb * size,
          c + size * j,
          ldc * size,
          transA,
          transB,
          add || l > 0,
        );
        l += DEPTH;
      } while (l < k);
    }
  };
  return multiply;
};

/**
 * Matrix products. Every element of C is one chain c ← c + a_κ b_κ over κ = 0 … k-1, starting from 0 or, with `add`,
 * from C. So its bits depend on neither the number of rows or columns computed with it, nor the transposes, nor the
 * threads; and a product split along k with `add` gives the same bits as the whole.
 */
export interface Gemm {
  readonly f64: Multiply;
  readonly f32: Multiply;
}

/** `fused`: one rounding per multiply-add, where the engine's relaxed SIMD is a true fused multiply-add. */
export const createGemm = (memory: Memory, fused: boolean): Gemm => ({
  f64: multiplier("f64", fused, memory),
  f32: multiplier("f32", fused, memory),
});
