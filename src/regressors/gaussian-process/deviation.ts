import type { Device } from "../../device/device.ts";
import type { KernelFunction } from "../../kernels/function.ts";
import type { Triangle } from "../../math/triangle.ts";
import { TriangularSolves } from "../../math/triangular-solves.ts";
import type { RawPoints } from "./points.ts";
import { QueryRows } from "./query-rows.ts";

/** What is left of prior variances [columns] after rows L⁻¹ k [columns, n] are known. */
export function remaining(prior: Float64Array, rows: Float64Array): Float64Array {
  const n = rows.length / prior.length;
  return prior.map((variance, c) => {
    let known = 0;
    for (let i = c * n; i < (c + 1) * n; i++) known += rows[i] * rows[i];
    // Rounding may take what is nearly certain below zero.
    return Math.max(0, variance - known);
  });
}

/**
 * Variances of predicted values and slopes, k(x, x) − |L⁻¹ k|² with k the covariance with all observations
 * (Rasmussen, Williams, 2006, eq. 2.26).
 */
export class Deviation {
  readonly #device: Device;
  readonly #factor: Triangle;
  readonly #rows: QueryRows;
  readonly #solves: TriangularSolves;
  /** k, [columns, n]; its transpose, [n, columns]. */
  readonly #k: number;
  readonly #X: number;

  /** For queries with slopes along so many coordinates; the factor L of the covariance lies in the device's memory. */
  constructor(
    device: Device,
    kernel: KernelFunction,
    raw: RawPoints,
    mean: Float64Array,
    factor: Triangle,
    coordinates: number,
  ) {
    const { memory } = device;
    const columns = coordinates + 2;
    this.#device = device;
    this.#factor = factor;
    this.#rows = new QueryRows(device, kernel, raw, mean, coordinates);
    this.#solves = new TriangularSolves(device, factor.n, columns);
    this.#k = memory.alloc(8 * factor.n * columns);
    this.#X = memory.alloc(8 * factor.n * columns);
  }

  /** Takes hyper-parameters by value: those of the factor. */
  set(theta: Float64Array): void {
    this.#rows.set(theta);
  }

  /** Variance of the value at features x [D]. */
  value(x: Float64Array): number {
    return this.#variances(x, null)[0];
  }

  /** Variances of the value and of the slopes along the coordinates; ∂x/∂R in rows of coordinates, [M, D]. */
  all(x: Float64Array, slopes: Float64Array): Float64Array {
    return this.#variances(x, slopes);
  }

  #variances(x: Float64Array, slopes: Float64Array | null): Float64Array {
    const { memory } = this.#device;
    const { n } = this.#factor;
    const columns = slopes ? 1 + this.#rows.coordinates : 1;
    // The product works on pairs of columns.
    const even = columns + (columns & 1);
    const rows = memory.f64(this.#k, even * n);
    const prior = this.#rows.fill(x, slopes, rows);
    rows.fill(0, columns * n);
    const X = memory.f64(this.#X, even * n);
    for (let c = 0; c < even; c++) for (let i = 0; i < n; i++) X[i * even + c] = rows[c * n + i];
    this.#solves.forward(this.#factor, this.#X, even, even);
    for (let c = 0; c < columns; c++) for (let i = 0; i < n; i++) rows[c * n + i] = X[i * even + c];
    return remaining(prior, rows.subarray(0, columns * n));
  }
}
