import type { Device } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { KernelFunction } from "../../kernels/function.ts";
import { Forms } from "../gaussian-process/forms.ts";
import { Contraction } from "./contraction.ts";
import type { SparseOptions } from "./options.ts";

/** Rows that are compared at a time. */
export const ROWS = 64;

/** Rows first … first + n of a matrix whose rows are `stride` numbers, features from `offset` on. */
export interface Rows {
  readonly first: number;
  readonly n: number;
  readonly stride: number;
  readonly offset: number;
}

/** A kernel of the features of one part, δ² k(x, x_s), between any rows and fixed points x_s. */
export class EnvironmentKernel {
  /** Features and points. */
  readonly size: number;
  readonly count: number;
  readonly #device: Device;
  readonly #forms: Forms;
  readonly #contraction: Contraction;
  readonly #options: SparseOptions;
  /** Points [count, size], squares of their lengths [count]. */
  readonly #points: number;
  readonly #squares: Float64Array;
  /** Rows x [ROWS, size], their products with the points [ROWS, count], and other rows dx likewise. */
  readonly #x: number;
  readonly #c: number;
  readonly #d: number;
  /** Room for directions and their products with the points, and for how many. */
  #along = 0;
  #more = 0;
  readonly #lengths = new Float64Array(ROWS);
  readonly #own = new Float64Array(ROWS);
  readonly #ownSums = new Float64Array(ROWS);
  /** k [ROWS, count]; ∂k/∂(x·x_s) [ROWS, count]; ∂k/∂(½x·x) [ROWS, count], null where there is none. */
  readonly values: Float64Array;
  readonly slopes: number;
  readonly ownSlopes: Float64Array | null;

  constructor(options: SparseOptions, points: Float64Array, size: number, device: Device) {
    const { memory } = device;
    this.#options = options;
    this.#device = device;
    this.size = size;
    this.count = points.length / size;
    const kernel = new KernelFunction(options.kernel, size, "sparse-gaussian-process.kernel");
    if (kernel.seen.some(({ lengths }) => lengths.length > 1))
      throw invalid("sparse-gaussian-process.kernel", "one length for all features", "a list of lengths");
    this.#forms = new Forms(device, kernel, 1, false);
    this.#forms.set(Float64Array.from(kernel.hyperparameters, ({ value }) => value));
    const room = (n: number) => memory.alloc(8 * n);
    const { count } = this;
    [this.#points, this.#x, this.#c, this.#d] = [count * size, ROWS * size, ROWS * count, ROWS * size].map(
      room,
    );
    memory.f64(this.#points, points.length).set(points);
    this.#squares = Float64Array.from({ length: count }, (_, s) =>
      points.subarray(s * size, (s + 1) * size).reduce((sum, x) => sum + x * x, 0),
    );
    this.#contraction = new Contraction(kernel, this.#squares, options.delta * options.delta, device);
    this.values = new Float64Array(ROWS * count);
    this.slopes = room(ROWS * count);
    const distances = kernel.seen.some(({ kind }) => kind === "distance");
    this.ownSlopes = distances ? new Float64Array(ROWS * count) : null;
  }

  /** k between the points, [count, count]. */
  between(): Float64Array {
    const { count, size } = this;
    const K = new Float64Array(count * count);
    const points = this.#device.memory.f64(this.#points, count * size);
    for (let s = 0; s < count; s += ROWS) {
      const n = Math.min(ROWS, count - s);
      this.load(points, s, n, size, 0, true);
      K.set(this.values.subarray(0, n * count), s * count);
    }
    return K;
  }

  /** Compares rows first … first + n of G, features from `offset` on of `stride`. */
  load(G: Float64Array, first: number, n: number, stride: number, offset: number, ready = false): void {
    this.#multiply(G, first, n, stride, offset, ready);
    for (let k = 0; k < n; k++) this.#compare(k);
  }

  /** Rows as they are compared, and their products with the points. */
  #multiply(G: Float64Array, first: number, n: number, stride: number, offset: number, ready: boolean): void {
    const { memory, gemm } = this.#device;
    const { size, count } = this;
    const X = memory.f64(this.#x, n * size);
    for (let k = 0; k < n; k++) {
      const from = (first + k) * stride + offset;
      const x = X.subarray(k * size, (k + 1) * size);
      x.set(G.subarray(from, from + size));
      const square = x.reduce((sum, v) => sum + v * v, 0);
      const length = this.#options.normalise && !ready && square > 0 ? Math.sqrt(square) : 1;
      this.#lengths[k] = length;
      this.#own[k] = square / (length * length);
      if (length !== 1) for (let t = 0; t < size; t++) x[t] /= length;
    }
    gemm.f64(n, count, size, this.#x, size, this.#points, size, this.#c, count, { transB: true });
  }

  /** Values and slopes of row k. */
  #compare(k: number): void {
    const { memory } = this.#device;
    const { count } = this;
    const { delta } = this.#options;
    const forms = this.#forms;
    const { arguments: s, same } = forms.inputs(count);
    same.fill(0);
    const c = memory.f64(this.#c + 8 * k * count, count);
    const { seen, hyperparameters } = forms.kernel;
    const scale = seen.map(({ lengths }) => 1 / hyperparameters[lengths[0]].value ** 2);
    for (const [a, { kind }] of seen.entries())
      for (let j = 0; j < count; j++)
        s[a][j] =
          scale[a] * (kind === "product" ? c[j] : Math.max(0, this.#own[k] + this.#squares[j] - 2 * c[j]));
    forms.run(count);
    const F = forms.by();
    const slopes = memory.f64(this.slopes + 8 * k * count, count).fill(0);
    const own = this.ownSlopes?.subarray(k * count, (k + 1) * count).fill(0);
    const square = delta * delta;
    for (let j = 0; j < count; j++) this.values[k * count + j] = square * F[j];
    for (const [a, { kind }] of seen.entries()) {
      const Fa = forms.by(a);
      const [f, g] =
        kind === "product" ? [square * scale[a], 0] : [-2 * square * scale[a], 2 * square * scale[a]];
      for (let j = 0; j < count; j++) slopes[j] += f * Fa[j];
      if (own && g !== 0) for (let j = 0; j < count; j++) own[j] += g * Fa[j];
    }
  }

  /**
   * ADDS Σ_s α_s k of rows first … first + n of G to energies and, where asked for, overwrites these rows of dEdG with
   * their derivatives: one product with the points there, one back.
   */
  evaluate(
    alpha: Float64Array,
    G: Float64Array,
    dEdG: Float64Array | null,
    energies: Float64Array,
    { first, n, stride, offset }: Rows,
  ): void {
    this.#multiply(G, first, n, stride, offset, false);
    const { memory } = this.#device;
    const own = this.#ownSums;
    this.#contraction.set(alpha);
    const sums = { energy: 0, own: 0 };
    for (let k = 0; k < n; k++) {
      this.#contraction.run(memory.f64(this.#c + 8 * k * this.count, this.count), this.#own[k], sums);
      energies[k] += sums.energy;
      own[k] = sums.own;
    }
    if (dEdG) this.#backward(dEdG, { first, n, stride, offset });
  }

  /** Derivatives by the features from those by the products with the points. */
  #backward(dEdG: Float64Array, { first, n, stride, offset }: Rows): void {
    const { memory, gemm } = this.#device;
    const { size, count } = this;
    gemm.f64(n, size, count, this.#c, count, this.#points, size, this.#d, size);
    const X = memory.f64(this.#x, n * size);
    const D = memory.f64(this.#d, n * size);
    for (let k = 0; k < n; k++) {
      const at = k * size;
      if (this.ownSlopes) for (let t = 0; t < size; t++) D[at + t] += this.#ownSums[k] * X[at + t];
      this.#project(X, at, D, at, this.#lengths[k]);
      dEdG.set(D.subarray(at, at + size), (first + k) * stride + offset);
    }
  }

  /** dx of x/‖x‖ from that of x, or the other way round: (1 − x xᵀ)/‖x‖ is symmetric. */
  #project(X: Float64Array, row: number, D: Float64Array, at: number, length: number): void {
    if (!this.#options.normalise) return;
    let dot = 0;
    for (let t = 0; t < this.size; t++) dot += X[row + t] * D[at + t];
    for (let t = 0; t < this.size; t++) D[at + t] = (D[at + t] - dot * X[row + t]) / length;
  }

  /**
   * Derivatives of k along m directions dG (rows from `first` on), each of the row `of(i)`: out [m, count] at the
   * address returned, valid until the next call.
   */
  along(
    dG: Float64Array,
    first: number,
    m: number,
    stride: number,
    offset: number,
    of: (i: number) => number,
  ): Float64Array {
    const { memory, gemm } = this.#device;
    const { size, count } = this;
    if (m > this.#more) {
      this.#more = Math.ceil(1.5 * m);
      this.#along = memory.alloc(8 * this.#more * (size + count));
    }
    const [from, to] = [this.#along, this.#along + 8 * this.#more * size];
    const D = memory.f64(from, m * size);
    const X = memory.f64(this.#x, ROWS * size);
    for (let i = 0; i < m; i++) {
      const at = (first + i) * stride + offset;
      D.set(dG.subarray(at, at + size), i * size);
      this.#project(X, of(i) * size, D, i * size, this.#lengths[of(i)]);
    }
    gemm.f64(m, count, size, from, size, this.#points, size, to, count, { transB: true });
    const out = memory.f64(to, m * count);
    const slopes = memory.f64(this.slopes, ROWS * count);
    for (let i = 0, at = 0; i < m; i++) {
      const row = of(i);
      let own = 0;
      if (this.ownSlopes) for (let t = 0; t < size; t++) own += D[i * size + t] * X[row * size + t];
      for (let j = 0, k = row * count; j < count; j++, at++, k++)
        out[at] = out[at] * slopes[k] + (this.ownSlopes ? own * this.ownSlopes[k] : 0);
    }
    return out;
  }
}
