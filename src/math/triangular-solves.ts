import type { Device, Kernel } from "../device/device.ts";
import { mul, sub, variable, type Expr } from "../formula/expression.ts";
import { bandEnd, rowAt, strideAt, type Triangle } from "./triangle.ts";

/** Rows that are finished at a time within a block; what comes before is a matrix product. */
const STEP = 8;
/** Rows of a block; bands are made of whole ones. */
const BLOCK = 64;

const name = (i: number, j: number): string => `l${i}_${j}`;

/** Formulas of x ← L⁻¹ x (or L⁻ᵀ x) for w rows, columns of x being the lanes; diagonals come inverted. */
function substitution(w: number, transposed: boolean): { formulas: Expr[]; x: string[]; l: string[] } {
  const x = Array.from({ length: w }, (_, i) => `x${i}`);
  const l = x.flatMap((_, i) => Array.from({ length: i + 1 }, (_, j) => name(i, j)));
  const done: Expr[] = x.map((own) => variable(own));
  const order = Array.from({ length: w }, (_, k) => (transposed ? w - 1 - k : k));
  for (const [k, i] of order.entries()) {
    for (const j of order.slice(0, k))
      done[i] = sub(done[i], mul(variable(transposed ? name(j, i) : name(i, j)), done[j]));
    done[i] = mul(done[i], variable(name(i, i)));
  }
  return { formulas: done, x, l };
}

/**
 * X ← L⁻¹ X and X ← L⁻ᵀ X for the lower triangle L [n, n] and X [n, columns], in blocks on the matrix product
 * (G. H. Golub, C. F. Van Loan, Matrix Computations, 4th ed., §3.1.6).
 */
export class TriangularSolves {
  readonly #device: Device;
  readonly #kernels = new Map<string, Kernel>();
  readonly #uniform: number;
  readonly #most: number;
  /** −X, [n, columns]. */
  readonly #negative: number;

  /** For at most `rows` × `columns` numbers X at a time. */
  constructor(device: Device, rows: number, columns: number) {
    this.#device = device;
    this.#most = rows * columns;
    this.#uniform = device.memory.alloc((8 * STEP * (STEP + 1)) / 2);
    this.#negative = device.memory.alloc(8 * this.#most);
  }

  /**
   * L⁻¹ X; X at byte address x, even number of columns, `stride` numbers from row to row; rows before `first`, a multiple
   * of 64 where L is packed, are 0.
   */
  forward(L: Triangle, x: number, columns: number, stride: number, first = 0): void {
    const { gemm } = this.#device;
    const add = { add: true };
    for (let i = first; i < L.n; i += BLOCK) {
      const rows = Math.min(BLOCK, L.n - i);
      const [at, ld] = [rowAt(L, i), strideAt(L, i)];
      const minus = this.#row(first, columns);
      if (i > first)
        gemm.f64(
          rows,
          columns,
          i - first,
          at + 8 * first,
          ld,
          minus,
          columns,
          x + 8 * i * stride,
          stride,
          add,
        );
      for (let s = i; s < i + rows; s += STEP) {
        const w = Math.min(STEP, i + rows - s);
        const to = x + 8 * s * stride;
        const l = at + 8 * (s - i) * ld;
        if (s > i)
          gemm.f64(w, columns, s - i, l + 8 * i, ld, this.#row(i, columns), columns, to, stride, add);
        this.#substitute(l + 8 * s, ld, w, to, columns, stride, false);
        this.#negate(s, w, to, columns, stride);
      }
    }
  }

  /** L⁻ᵀ X down to row `first`, as above; rows before it are left as they are. */
  backward(L: Triangle, x: number, columns: number, stride: number, first = 0): void {
    const { gemm } = this.#device;
    const options = { transA: true, add: true };
    const blocks = Math.ceil((L.n - first) / BLOCK);
    for (let b = blocks - 1; b >= 0; b--) {
      const i = first + b * BLOCK;
      const end = Math.min(i + BLOCK, L.n);
      const [at, ld] = [rowAt(L, i), strideAt(L, i)];
      for (let k = end; k < L.n; k = bandEnd(L, k)) {
        const depth = bandEnd(L, k) - k;
        const [from, ldk] = [rowAt(L, k) + 8 * i, strideAt(L, k)];
        const minus = this.#row(k, columns);
        gemm.f64(end - i, columns, depth, from, ldk, minus, columns, x + 8 * i * stride, stride, options);
      }
      for (let s = i + STEP * (Math.ceil((end - i) / STEP) - 1); s >= i; s -= STEP) {
        const w = Math.min(STEP, end - s);
        const to = x + 8 * s * stride;
        const below = at + 8 * (s + w - i) * ld + 8 * s;
        if (s + w < end)
          gemm.f64(
            w,
            columns,
            end - s - w,
            below,
            ld,
            this.#row(s + w, columns),
            columns,
            to,
            stride,
            options,
          );
        this.#substitute(at + 8 * ((s - i) * ld + s), ld, w, to, columns, stride, true);
        this.#negate(s, w, to, columns, stride);
      }
    }
  }

  #row(i: number, columns: number): number {
    return this.#negative + 8 * i * columns;
  }

  #negate(row: number, rows: number, x: number, columns: number, stride: number): void {
    if ((row + rows) * columns > this.#most)
      throw new RangeError("a larger triangle than there is room for (this is a bug)");
    const { memory } = this.#device;
    const from = memory.f64(x, (rows - 1) * stride + columns);
    const to = memory.f64(this.#row(row, columns), rows * columns);
    for (let r = 0, k = 0; r < rows; r++)
      for (let at = r * stride, end = at + columns; at < end; at++, k++) to[k] = -from[at];
  }

  #substitute(
    l: number,
    ldl: number,
    w: number,
    x: number,
    columns: number,
    stride: number,
    transposed: boolean,
  ): void {
    const { memory } = this.#device;
    const uniform = memory.f64(this.#uniform, (w * (w + 1)) / 2);
    let at = 0;
    const corner = memory.f64(l, (w - 1) * ldl + w);
    for (let i = 0; i < w; i++) {
      for (let j = 0; j < i; j++) uniform[at++] = corner[i * ldl + j];
      uniform[at++] = 1 / corner[i * ldl + i];
    }
    this.#kernel(w, transposed).run(columns, x, 8 * stride, this.#uniform, x, 0);
  }

  #kernel(w: number, transposed: boolean): Kernel {
    const key = `${w} ${transposed}`;
    let kernel = this.#kernels.get(key);
    if (!kernel) {
      const { formulas, x, l } = substitution(w, transposed);
      kernel = this.#device.compile({ name: "substitution", varying: x, uniform: l, elementwise: formulas });
      this.#kernels.set(key, kernel);
    }
    return kernel;
  }
}
