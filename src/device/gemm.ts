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

/** The operands of a product; addresses and strides in bytes. */
interface Operands {
  readonly m: number;
  readonly a: number;
  readonly lda: number;
  readonly transA: boolean;
  readonly b: number;
  readonly ldb: number;
  readonly transB: boolean;
  readonly c: number;
  readonly ldc: number;
}

/** The product in blocks of columns and of k. */
class Blocks {
  private readonly size: number;
  private readonly columns: number;
  private readonly kernels: GemmExports;
  private readonly memory: Memory;
  private packed = 0;

  constructor(real: Real, fused: boolean, memory: Memory) {
    this.size = sizeOf(real);
    this.columns = panelOf(real);
    this.memory = memory;
    this.kernels = instantiate(emitGemm(real, fused, memory.shared), memory.memory) as unknown as GemmExports;
  }

  run(n: number, k: number, o: Operands, add: boolean): void {
    const { size } = this;
    if (o.m === 1 && !o.transB && k > 0) {
      if (!add) this.memory.u8(o.c, size * n).fill(0);
      this.kernels.row(n, k, o.a, o.transA ? o.lda : size, o.b, o.ldb, o.c);
      return;
    }
    const widest = WIDTH_BYTES / size;
    for (let j = 0; j < n; j += widest) {
      // At least once, so that k = 0 sets C.
      for (let l = 0; l === 0 || l < k; l += DEPTH) {
        const a = o.a + (o.transA ? l * o.lda : l * size);
        const b = o.b + (o.transB ? j * o.ldb + l * size : l * o.ldb + j * size);
        const block = { ...o, a, b, c: o.c + size * j };
        this.block(Math.min(widest, n - j), Math.min(DEPTH, k - l), block, add || l > 0 ? 1 : 0);
      }
    }
  }

  /** B packed where that pays, else read where it is. */
  private block(n: number, k: number, o: Operands, add: 0 | 1): void {
    const { kernels, columns } = this;
    const run = o.transA ? kernels.blockTransposed : kernels.block;
    const panelRow = columns * this.size;
    if (!o.transB && (o.m < PACKED_ROWS || n <= columns)) {
      run(o.m, n, k, o.a, o.lda, o.b, panelRow, o.ldb, o.c, o.ldc, add);
      return;
    }
    if (this.packed === 0) this.packed = this.memory.alloc(DEPTH * WIDTH_BYTES);
    if (o.transB) kernels.packTransposed(k, n, o.b, o.ldb, this.packed);
    else kernels.pack(k, n, o.b, o.ldb, this.packed);
    run(o.m, n, k, o.a, o.lda, this.packed, k * panelRow, panelRow, o.c, o.ldc, add);
  }
}

const multiplier = (real: Real, fused: boolean, memory: Memory): Multiply => {
  const size = sizeOf(real);
  let blocks: Blocks | undefined;
  const multiply: Multiply = (m, n, k, a, lda, b, ldb, c, ldc, options = {}) => {
    const { transA = false, transB = false, add = false } = options;
    check("lda", lda, transA ? m : k, transA ? k : m);
    check("ldb", ldb, transB ? k : n, transB ? n : k);
    check("ldc", ldc, n, m);
    if (m <= 0 || n <= 0) return;
    // Vectors: a row times Bᵀ is B times a column; Aᵀ times a column is a row times A; a row is also a column.
    if (m === 1 && transB) return multiply(n, 1, k, b, ldb, a, transA ? lda : 1, c, 1, { add });
    if (n === 1 && m > 1 && transA && ldc === 1)
      return multiply(1, m, k, b, transB ? k : ldb, a, lda, c, m, { transA: !transB, add });
    const column = n === 1 && transB;
    blocks ??= new Blocks(real, fused, memory);
    const B = { b, ldb: size * (column ? 1 : ldb), transB: transB && !column };
    blocks.run(n, k, { m, a, lda: size * lda, transA, ...B, c, ldc: size * ldc }, add);
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
