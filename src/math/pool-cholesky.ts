import type { Pool, Job, Task } from "../device/pool.ts";
import { TriangularSolves } from "./triangular-solves.ts";

/** Columns that are finished at a time, rows of a tile, and columns of a block of right-hand sides. */
const PANEL = 128;
const ROWS = 64;
const COLUMNS = 128;

/** What the threads are sent once. */
interface Spec {
  /** Most rows of a matrix. */
  readonly most: number;
  /** −L of the present panel, [most, PANEL]. */
  readonly negative: number;
  /** See `WORD`. */
  readonly control: number;
}

/** Words of the control block. */
const WORD = { work: 0, n: 1, address: 2, column: 3, from: 4, out: 5, size: 6 };
const WORK = { panel: 0, trailing: 1, inverse: 2, solve: 3 };

/** L of the diagonal block, row by row; false where a pivot is not positive. */
function factorBlock(A: Float64Array, n: number, k: number, w: number): boolean {
  for (let i = k; i < k + w; i++)
    for (let j = k; j <= i; j++) {
      let sum = A[i * n + j];
      for (let l = k; l < j; l++) sum -= A[i * n + l] * A[j * n + l];
      if (j < i) A[i * n + j] = sum / A[j * n + j];
      else if (sum > 0) A[i * n + i] = Math.sqrt(sum);
      else return false;
    }
  return true;
}

/** The pool task `math.cholesky`: tiles of a factorisation, blocks of columns of solutions. */
export const choleskyTask: Task = ({ device }, given) => {
  const { most, negative, control } = given as Spec;
  const { memory, gemm } = device;
  const word = memory.i32(control, WORD.size);
  // Byte addresses reach 2³² − 1.
  const address = (w: number) => word[w] >>> 0;
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
    const [n, k, a] = [word[WORD.n], word[WORD.column], address(WORD.address)];
    const first = k + PANEL + chunk * ROWS;
    const rows = Math.min(ROWS, n - first);
    const T = memory.f64(transposed, PANEL * ROWS);
    if (rows < ROWS) T.fill(0);
    for (let r = 0; r < rows; r++) {
      const from = memory.f64(a + 8 * ((first + r) * n + k), PANEL);
      for (let c = 0; c < PANEL; c++) T[c * ROWS + r] = from[c];
    }
    panel.forward({ address: a + 8 * (k * n + k), stride: n, n: PANEL }, transposed, ROWS, ROWS);
    for (let r = 0; r < rows; r++) {
      const to = memory.f64(a + 8 * ((first + r) * n + k), PANEL);
      const minus = memory.f64(negative + 8 * (first + r) * PANEL, PANEL);
      for (let c = 0; c < PANEL; c++) minus[c] = -(to[c] = T[c * ROWS + r]);
    }
  };

  /** A₂₂ − L₂₁ L₂₁ᵀ of one tile of rows, the longest tile first. */
  const updateTrailing = (chunk: number) => {
    const [n, k, a] = [word[WORD.n], word[WORD.column], address(WORD.address)];
    const start = k + PANEL;
    const tiles = Math.ceil((n - start) / PANEL);
    const first = start + (tiles - 1 - chunk) * PANEL;
    const rows = Math.min(PANEL, n - first);
    const [b, c] = [a + 8 * (start * n + k), a + 8 * (first * n + start)];
    const options = { transB: true, add: true };
    gemm.f64(rows, first + rows - start, PANEL, negative + 8 * first * PANEL, PANEL, b, n, c, n, options);
  };

  /** Columns of A⁻¹ from the diagonal down. */
  const invert = (chunk: number) => {
    const [n, a, out] = [word[WORD.n], address(WORD.address), address(WORD.out)];
    const solver = solves();
    const first = chunk * COLUMNS;
    const width = Math.min(COLUMNS, n - first);
    const X = memory.f64(block, n * COLUMNS);
    X.fill(0, first * COLUMNS);
    for (let c = 0; c < width; c++) X[(first + c) * COLUMNS + c] = 1;
    const L = { address: a, stride: n, n };
    solver.forward(L, block, COLUMNS, COLUMNS, first);
    solver.backward(L, block, COLUMNS, COLUMNS, first);
    for (let i = first; i < n; i++)
      memory.f64(out + 8 * (i * n + first), width).set(X.subarray(i * COLUMNS, i * COLUMNS + width));
  };

  /** L⁻¹ of some columns of B, of which the rows of `from` are the transposes, [columns, n]. */
  const solveRows = (chunk: number) => {
    const [n, a, from, columns] = [
      word[WORD.n],
      address(WORD.address),
      address(WORD.from),
      word[WORD.column],
    ];
    const solver = solves();
    const first = chunk * COLUMNS;
    const width = Math.min(COLUMNS, columns - first);
    const X = memory.f64(block, n * COLUMNS);
    const B = memory.f64(from + 8 * first * n, width * n);
    if (width < COLUMNS) X.fill(0);
    for (let c = 0; c < width; c++) for (let i = 0; i < n; i++) X[i * COLUMNS + c] = B[c * n + i];
    solver.forward({ address: a, stride: n, n }, block, COLUMNS, COLUMNS);
    for (let c = 0; c < width; c++) for (let i = 0; i < n; i++) B[c * n + i] = X[i * COLUMNS + c];
  };

  const works = [finishPanel, updateTrailing, invert, solveRows];
  return (chunk) => works[word[WORD.work]](chunk);
};

/** Factorisation, inverse and solutions of symmetric positive definite matrices by all threads; any number gives the same bits. */
export class PoolCholesky {
  readonly #pool: Pool;
  readonly #job: Job;
  readonly #spec: Spec;
  readonly #word: Int32Array;

  private constructor(pool: Pool, job: Job, spec: Spec) {
    this.#pool = pool;
    this.#job = job;
    this.#spec = spec;
    this.#word = pool.device.memory.i32(spec.control, WORD.size);
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
   * A = L Lᵀ: L overwrites the lower triangle of the row-major A [n, n] at byte address `a`; what lies above the
   * diagonal is of no meaning afterwards. False where A is not positive definite; A is then half done
   * (G. H. Golub, C. F. Van Loan, Matrix Computations, 4th ed., §4.2.9).
   */
  async factor(n: number, a: number): Promise<boolean> {
    this.#check(n);
    const A = this.#pool.device.memory.f64(a, n * n);
    for (let k = 0; k < n; k += PANEL) {
      const w = Math.min(PANEL, n - k);
      if (!factorBlock(A, n, k, w)) return false;
      const below = n - k - PANEL;
      if (below <= 0) break;
      Object.assign(this.#word, { [WORD.n]: n, [WORD.address]: a, [WORD.column]: k });
      // each stage needs the one before
      await this.#run(WORK.panel, Math.ceil(below / ROWS));
      await this.#run(WORK.trailing, Math.ceil(below / PANEL));
    }
    return true;
  }

  /** Writes the lower triangle of A⁻¹ to `out` [n, n] for the factor at `a`. */
  async inverse(n: number, a: number, out: number): Promise<void> {
    this.#check(n);
    Object.assign(this.#word, { [WORD.n]: n, [WORD.address]: a, [WORD.out]: out });
    await this.#run(WORK.inverse, Math.ceil(n / COLUMNS));
  }

  /** b_c ← L⁻¹ b_c for rows b [columns, n] at byte address `b`. */
  async forward(n: number, a: number, b: number, columns: number): Promise<void> {
    this.#check(n);
    Object.assign(this.#word, { [WORD.n]: n, [WORD.address]: a, [WORD.from]: b, [WORD.column]: columns });
    await this.#run(WORK.solve, Math.ceil(columns / COLUMNS));
  }

  #check(n: number): void {
    if (n > this.#spec.most) throw new RangeError(`${n} rows, reserved for ${this.#spec.most}`);
  }

  #run(work: number, chunks: number): Promise<void> {
    this.#word[WORD.work] = work;
    return this.#job.run(chunks);
  }
}
