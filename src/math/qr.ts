import type { Device } from "../device/device.ts";
import { finish, type Work } from "./work.ts";

/** Columns that are finished at a time; what lies right of them is matrix products. */
const PANEL = 32;
/** Columns of a panel that are finished one by one; what lies right of them in the panel is matrix products too. */
const PART = 8;
/** Rows of a triangle that are merged at a time. */
const MERGED = 128;

/** Σ x_k y_k over n numbers of one array, in four chains that the processor can overlap. */
function dotAt(X: Float64Array, x: number, y: number, n: number): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = n - (n % 4);
  for (let k = 0; k < whole; k += 4) {
    a += X[x + k] * X[y + k];
    b += X[x + k + 1] * X[y + k + 1];
    c += X[x + k + 2] * X[y + k + 2];
    d += X[x + k + 3] * X[y + k + 3];
  }
  for (let k = whole; k < n; k++) a += X[x + k] * X[y + k];
  return a + b + (c + d);
}

/**
 * R of a matrix that comes in blocks of rows: [R; B] = Q R' by Householder reflections, blocked as I − V T Vᵀ so that
 * nearly all work is matrix products; Q is never kept (G. H. Golub, C. F. Van Loan, Matrix Computations, 4th ed.,
 * §5.2; J. Demmel et al., DOI 10.1137/080731992). AᵀA is never formed: the error is that of A's condition number, not
 * of its square.
 */
export class RowQr {
  readonly columns: number;
  readonly #device: Device;
  readonly #most: number;
  /** Vᵀ [PANEL, rows], −Tᵀ [PANEL, PANEL], V Vᵀ of the panel, and two rows of blocks [PANEL, columns]. */
  readonly #v: number;
  readonly #t: number;
  readonly #s: number;
  readonly #w: number;
  readonly #u: number;
  /** Rows of a triangle that is merged, made when needed. */
  #rows: number | undefined;

  /** For R of `columns` columns and blocks of at most `most` rows, or triangles alone. */
  constructor(device: Device, columns: number, most = MERGED) {
    const { memory } = device;
    this.#device = device;
    this.columns = columns;
    this.#most = Math.max(most, MERGED);
    this.#v = memory.alloc(8 * PANEL * this.#most);
    this.#t = memory.alloc(8 * PANEL * PANEL);
    this.#s = memory.alloc(8 * PANEL * PANEL);
    this.#w = memory.alloc(8 * PANEL * columns);
    this.#u = memory.alloc(8 * PANEL * columns);
  }

  /** Bytes that an object takes. */
  static bytes(columns: number, most = MERGED): number {
    return 8 * (PANEL * (Math.max(most, MERGED) + 2 * columns + 2 * PANEL) + MERGED * columns);
  }

  /**
   * R [columns, columns] at byte address `r`, row-major and upper triangular, becomes that of R with m rows more, which
   * lie row-major at `b` and are of no meaning afterwards. What lies below R's diagonal is neither read nor written;
   * columns of the rows before `first` are zero.
   */
  append(r: number, b: number, m: number, first = 0): void {
    if (m > this.#most) throw new RangeError(`at most ${this.#most} rows at a time, not ${m}`);
    if (m === 0) return;
    for (let j = first; j < this.columns; j += PANEL) {
      const width = Math.min(PANEL, this.columns - j);
      this.#finish(r, b, m, j, width);
      if (j + width < this.columns) this.#update(r, b, m, j, width);
    }
  }

  /** The same with the rows of another triangle [columns, columns] at address `s`, which is left as it is. */
  merge(r: number, s: number): void {
    finish(this.merging(r, s));
  }

  /** The same, some rows at a time. */
  *merging(r: number, s: number): Work<void> {
    const { memory } = this.#device;
    const N = this.columns;
    this.#rows ??= memory.alloc(8 * MERGED * N);
    for (let i = 0; i < N; i += MERGED) {
      const m = Math.min(MERGED, N - i);
      const rows = memory.f64(this.#rows, m * N).fill(0);
      const S = memory.f64(s, N * N);
      for (let k = 0; k < m; k++) rows.set(S.subarray((i + k) * N + i + k, (i + k + 1) * N), k * N + i + k);
      this.append(r, this.#rows, m, i);
      yield;
    }
  }

  /** Reflections of columns j … j + width, one by one: Vᵀ and −Tᵀ are left for the rest. */
  #finish(r: number, b: number, m: number, j: number, width: number): void {
    const { memory } = this.#device;
    const N = this.columns;
    const R = memory.f64(r, N * N);
    const B = memory.f64(b, m * N);
    const V = memory.f64(this.#v, width * m);
    for (let i = 0; i < m; i++) for (let l = 0; l < width; l++) V[l * m + i] = B[i * N + j + l];
    const tau = new Float64Array(width);
    for (let first = 0; first < width; first += PART) {
      const last = Math.min(first + PART, width);
      this.#reflect(R, V, tau, m, j, first, last);
      this.#factorT(tau, m, first, last, width);
      if (last < width) this.#updatePanel(R, m, j, first, last, width);
    }
    if (j + width < N) this.#factorT(tau, m, 0, width, width);
  }

  /** Reflections of columns first … last of a panel, one by one. */
  #reflect(
    R: Float64Array,
    V: Float64Array,
    tau: Float64Array,
    m: number,
    j: number,
    first: number,
    last: number,
  ): void {
    const N = this.columns;
    for (let l = first; l < last; l++) {
      const norm2 = dotAt(V, l * m, l * m, m);
      if (norm2 === 0) continue;
      const alpha = R[(j + l) * N + j + l];
      const beta = alpha > 0 ? -Math.sqrt(alpha * alpha + norm2) : Math.sqrt(alpha * alpha + norm2);
      tau[l] = (beta - alpha) / beta;
      const scale = 1 / (alpha - beta);
      for (let i = l * m; i < (l + 1) * m; i++) V[i] *= scale;
      R[(j + l) * N + j + l] = beta;
      for (let k = l + 1; k < last; k++) {
        const at = (j + l) * N + j + k;
        const w = tau[l] * (R[at] + dotAt(V, l * m, k * m, m));
        R[at] -= w;
        for (let i = 0, v = l * m, x = k * m; i < m; i++) V[x++] -= w * V[v++];
      }
    }
  }

  /** −Tᵀ of the reflections first … last of a panel, in the upper left corner of its room, rows of `width` numbers. */
  #factorT(tau: Float64Array, m: number, first: number, last: number, width: number): void {
    const { memory, gemm } = this.#device;
    const [n, v] = [last - first, this.#v + 8 * first * m];
    gemm.f64(n, n, m, v, m, v, m, this.#s, n, { transB: true });
    const S = memory.f64(this.#s, n * n);
    const T = memory.f64(this.#t, width * width);
    // Column l of T: τ_l (−T S_l above the diagonal, 1 on it); −Tᵀ is stored, row by row.
    for (let l = 0; l < n; l++) {
      T.fill(0, l * width, l * width + n);
      T[l * width + l] = -tau[first + l];
      for (let k = 0; k < l; k++) {
        let sum = 0;
        for (let i = k; i < l; i++) sum += T[i * width + k] * S[i * n + l];
        T[l * width + k] = -tau[first + l] * sum;
      }
    }
  }

  /** Reflections first … last on the columns right of them in the panel, whose rows lie in V as those of Vᵀ do. */
  #updatePanel(R: Float64Array, m: number, j: number, first: number, last: number, width: number): void {
    const { memory, gemm } = this.#device;
    const N = this.columns;
    const [n, rest] = [last - first, width - last];
    const [v, x] = [this.#v + 8 * first * m, this.#v + 8 * last * m];
    const U = memory.f64(this.#u, n * rest);
    for (let l = 0; l < n; l++)
      for (let k = 0; k < rest; k++) U[l * rest + k] = R[(j + first + l) * N + j + last + k];
    gemm.f64(n, rest, m, v, m, x, m, this.#u, rest, { transB: true, add: true });
    gemm.f64(n, rest, n, this.#t, width, this.#u, rest, this.#w, rest);
    const W = memory.f64(this.#w, n * rest);
    for (let l = 0; l < n; l++)
      for (let k = 0; k < rest; k++) R[(j + first + l) * N + j + last + k] += W[l * rest + k];
    gemm.f64(rest, m, n, this.#w, rest, v, m, x, m, { transA: true, add: true });
  }

  /** The same reflections on the columns right of them: W = −Tᵀ (R + Vᵀ B), R += W, B += V W. */
  #update(r: number, b: number, m: number, j: number, width: number): void {
    const { memory, gemm } = this.#device;
    const N = this.columns;
    const next = j + width;
    const rest = N - next;
    const R = memory.f64(r, N * N);
    const U = memory.f64(this.#u, width * rest);
    for (let l = 0; l < width; l++) U.set(R.subarray((j + l) * N + next, (j + l + 1) * N), l * rest);
    gemm.f64(width, rest, m, this.#v, m, b + 8 * next, N, this.#u, rest, { add: true });
    gemm.f64(width, rest, width, this.#t, width, this.#u, rest, this.#w, rest);
    const W = memory.f64(this.#w, width * rest);
    for (let l = 0; l < width; l++)
      for (let k = 0, at = (j + l) * N + next; k < rest; k++) R[at++] += W[l * rest + k];
    gemm.f64(m, rest, width, this.#v, m, this.#w, rest, b + 8 * next, N, { transA: true, add: true });
  }
}
