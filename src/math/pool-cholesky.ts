import type { Pool, Job, Task } from "../device/pool.ts";
import { Cholesky } from "./cholesky.ts";
import { BAND, rowAt, strideAt, type Triangle } from "./triangle.ts";
import { TriangularSolves } from "./triangular-solves.ts";

/** Columns that are finished at a time, as many as rows in a band; rows of a tile, and columns of a block of right-hand sides. */
const PANEL = BAND;
const ROWS = 64;
const COLUMNS = 128;

/** What the threads are sent once. */
interface Spec {
  /** Most rows of a matrix. */
  readonly most: number;
  /** −L of the rows of the present panel, left of it, [PANEL, most]. */
  readonly negative: number;
  /** See `WORD`. */
  readonly control: number;
}

/** Words of the control block. */
const WORD = { work: 0, n: 1, address: 2, stride: 3, column: 4, from: 5, size: 6 };
const WORK = { update: 0, panel: 1, inverse: 2, solve: 3 };

/** The pool task `math.cholesky`: tiles of a factorisation, blocks of columns of solutions. */
export const choleskyTask: Task = ({ device }, given) => {
  const { most, negative, control } = given as Spec;
  const { memory, gemm } = device;
  const word = memory.i32(control, WORD.size);
  // Byte addresses reach 2³² − 1.
  const address = (w: number) => word[w] >>> 0;
  const triangle = (): Triangle => ({
    address: address(WORD.address),
    n: word[WORD.n],
    stride: word[WORD.stride],
  });
  const panel = new TriangularSolves(device, PANEL, ROWS);
  const transposed = memory.alloc(8 * PANEL * ROWS);
  let wide: TriangularSolves | undefined;
  let block = 0;
  const solves = () => {
    if (!wide) block = memory.alloc(8 * most * COLUMNS);
    return (wide ??= new TriangularSolves(device, most, COLUMNS));
  };

  /** L of rows below the diagonal block: L₁₁ Xᵀ = Aᵀ. */
  const finishPanel = (chunk: number) => {
    const A = triangle();
    const k = word[WORD.column];
    const first = k + PANEL + chunk * ROWS;
    const rows = Math.min(ROWS, A.n - first);
    const [at, stride] = [rowAt(A, first), strideAt(A, first)];
    const T = memory.f64(transposed, PANEL * ROWS);
    if (rows < ROWS) T.fill(0);
    for (let r = 0; r < rows; r++) {
      const from = memory.f64(at + 8 * (r * stride + k), PANEL);
      for (let c = 0; c < PANEL; c++) T[c * ROWS + r] = from[c];
    }
    const corner = { address: rowAt(A, k) + 8 * k, stride: strideAt(A, k), n: PANEL };
    panel.forward(corner, transposed, ROWS, ROWS);
    for (let r = 0; r < rows; r++) {
      const to = memory.f64(at + 8 * (r * stride + k), PANEL);
      for (let c = 0; c < PANEL; c++) to[c] = T[c * ROWS + r];
    }
  };

  /** The panel's columns of a tile of rows, less what the columns left of them make: A − L Lᵀ. */
  const update = (chunk: number) => {
    const A = triangle();
    const k = word[WORD.column];
    const first = k + chunk * PANEL;
    const rows = Math.min(PANEL, A.n - first);
    const width = Math.min(PANEL, A.n - k);
    const [at, stride] = [rowAt(A, first), strideAt(A, first)];
    const options = { transB: true, add: true };
    gemm.f64(rows, width, k, at, stride, negative, most, at + 8 * k, stride, options);
  };

  /** Columns of A⁻¹ from the diagonal down. */
  const invert = (chunk: number) => {
    const A = triangle();
    const { n } = A;
    const out = { ...A, address: address(WORD.from) };
    const solver = solves();
    const first = chunk * COLUMNS;
    const width = Math.min(COLUMNS, n - first);
    const X = memory.f64(block, n * COLUMNS);
    X.fill(0, first * COLUMNS);
    for (let c = 0; c < width; c++) X[(first + c) * COLUMNS + c] = 1;
    solver.forward(A, block, COLUMNS, COLUMNS, first);
    solver.backward(A, block, COLUMNS, COLUMNS, first);
    for (let i = first; i < n; i++)
      memory.f64(rowAt(out, i) + 8 * first, width).set(X.subarray(i * COLUMNS, i * COLUMNS + width));
  };

  /** L⁻¹ of some columns of B, of which the rows of `from` are the transposes, [columns, n]. */
  const solveRows = (chunk: number) => {
    const A = triangle();
    const { n } = A;
    const solver = solves();
    const first = chunk * COLUMNS;
    const width = Math.min(COLUMNS, word[WORD.column] - first);
    const even = width + (width & 1);
    const X = memory.f64(block, n * even);
    const from = address(WORD.from) + 8 * first * n;
    if (width < even) X.fill(0);
    for (let c = 0; c < width; c++) {
      const b = memory.f64(from + 8 * c * n, n);
      for (let i = 0; i < n; i++) X[i * even + c] = b[i];
    }
    solver.forward(A, block, even, even);
    for (let c = 0; c < width; c++) {
      const b = memory.f64(from + 8 * c * n, n);
      for (let i = 0; i < n; i++) b[i] = X[i * even + c];
    }
  };

  const works = [update, finishPanel, invert, solveRows];
  return (chunk) => works[word[WORD.work]](chunk);
};

/** Factorisation, inverse and solutions of symmetric positive definite matrices by all threads; any number gives the same bits. */
export class PoolCholesky {
  readonly #pool: Pool;
  readonly #job: Job;
  readonly #spec: Spec;
  readonly #word: Int32Array;
  readonly #corner: Cholesky;
  /** A diagonal block, [PANEL, PANEL]. */
  readonly #block: number;

  private constructor(pool: Pool, job: Job, spec: Spec) {
    const { memory } = pool.device;
    this.#pool = pool;
    this.#job = job;
    this.#spec = spec;
    this.#word = memory.i32(spec.control, WORD.size);
    this.#corner = new Cholesky(pool.device, PANEL);
    this.#block = memory.alloc(8 * PANEL * PANEL);
  }

  /** For matrices of up to `most` rows. */
  static async create(pool: Pool, most: number): Promise<PoolCholesky> {
    const { memory } = pool.device;
    const spec: Spec = {
      most,
      negative: memory.alloc(8 * most * PANEL),
      control: memory.alloc(4 * WORD.size),
    };
    return new PoolCholesky(pool, await pool.prepare("math.cholesky", spec), spec);
  }

  /** Bytes beside the matrices, of all threads. */
  static bytes(most: number, threads: number): number {
    return 8 * most * (PANEL + 2 * COLUMNS * threads);
  }

  /**
   * A = L Lᵀ: L overwrites the lower triangle A, whole rows [n, n] at a byte address or packed; what lies above the
   * diagonal is of no meaning afterwards. False where A is not positive definite; A is then half done
   * (G. H. Golub, C. F. Van Loan, Matrix Computations, 4th ed., §4.2.9).
   */
  async factor(n: number, a: number | Triangle): Promise<boolean> {
    const panels = this.panels(n, a);
    // each panel needs the one before
    for (;;) {
      const next = await panels.next();
      if (next.done) return next.value;
    }
  }

  /**
   * The same, panel by panel; yields how many columns are done. What is right of them has not been touched: A and these
   * columns of L are all that is needed to go on, `from` a multiple of `BAND`.
   */
  async *panels(n: number, a: number | Triangle, from = 0): AsyncGenerator<number, boolean> {
    const A = this.#begin(n, a);
    for (let k = from; k < n; k += PANEL) {
      this.#negate(A, k);
      this.#tell(A);
      this.#word[WORD.column] = k;
      // each stage needs the one before
      if (k > 0) await this.#run(WORK.update, Math.ceil((n - k) / PANEL));
      if (!this.#factorBlock(A, k)) return false;
      const below = n - k - PANEL;
      if (below <= 0) break;
      await this.#run(WORK.panel, Math.ceil(below / ROWS));
      yield k + PANEL;
    }
    return true;
  }

  /** Floating-point operations of the first `k` columns: each panel [n − k, w] takes 2 k w (n − k). */
  static flops(n: number, k = n): number {
    return n * k * k - (2 / 3) * k ** 3;
  }

  /** Writes the lower triangle of A⁻¹ to byte address `out`, laid out as the factor `a` is. */
  async inverse(n: number, a: number | Triangle, out: number): Promise<void> {
    this.#tell(this.#begin(n, a));
    this.#word[WORD.from] = out;
    await this.#run(WORK.inverse, Math.ceil(n / COLUMNS));
  }

  /** b_c ← L⁻¹ b_c for rows b [columns, n] at byte address `b`. */
  async forward(n: number, a: number | Triangle, b: number, columns: number): Promise<void> {
    this.#tell(this.#begin(n, a));
    Object.assign(this.#word, { [WORD.from]: b, [WORD.column]: columns });
    await this.#run(WORK.solve, Math.ceil(columns / COLUMNS));
  }

  #begin(n: number, a: number | Triangle): Triangle {
    if (n > this.#spec.most) throw new RangeError(`${n} rows, reserved for ${this.#spec.most}`);
    return typeof a === "number" ? { address: a, n, stride: n } : a;
  }

  /** −L of the rows of the panel at column k. */
  #negate(A: Triangle, k: number): void {
    const { memory } = this.#pool.device;
    const { most, negative } = this.#spec;
    const [at, stride] = [rowAt(A, k), strideAt(A, k)];
    const rows = k > 0 ? Math.min(PANEL, A.n - k) : 0;
    for (let r = 0; r < rows; r++) {
      const from = memory.f64(at + 8 * r * stride, k);
      const to = memory.f64(negative + 8 * r * most, k);
      for (let c = 0; c < k; c++) to[c] = -from[c];
    }
  }

  #tell({ n, address, stride }: Triangle): void {
    Object.assign(this.#word, { [WORD.n]: n, [WORD.address]: address, [WORD.stride]: stride });
  }

  /** L of the diagonal block from row k on; false where a pivot is not positive. */
  #factorBlock(A: Triangle, k: number): boolean {
    const { memory } = this.#pool.device;
    const w = Math.min(PANEL, A.n - k);
    const [at, stride] = [rowAt(A, k) + 8 * k, strideAt(A, k)];
    const block = memory.f64(this.#block, w * w);
    for (let i = 0; i < w; i++) block.set(memory.f64(at + 8 * i * stride, i + 1), i * w);
    const good = this.#corner.factor(w, this.#block);
    for (let i = 0; i < w; i++)
      memory.f64(at + 8 * i * stride, i + 1).set(block.subarray(i * w, i * w + i + 1));
    return good;
  }

  #run(work: number, chunks: number): Promise<void> {
    this.#word[WORD.work] = work;
    return this.#job.run(chunks);
  }
}
