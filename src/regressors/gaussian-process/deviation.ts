import type { Device } from "../../device/device.ts";
import type { KernelFunction } from "../../kernels/function.ts";
import { slopeRows, valueRow } from "./covariance.ts";
import { Forms } from "./forms.ts";
import { Pairs, type Query } from "./pairs.ts";
import { QueryPoint } from "./query.ts";
import { observationsOf, reservePoints, scalePoints, type PointsAddress, type RawPoints } from "./points.ts";

/** L⁻¹ B in place for the packed lower triangle L, row after row, and B [n, columns]. */
function solvePacked(L: Float64Array, n: number, B: Float64Array, columns: number): void {
  for (let i = 0, at = 0; i < n; i++) {
    const to = i * columns;
    for (let j = 0; j < i; j++) {
      const l = L[at++];
      for (let c = 0, from = j * columns; c < columns; c++) B[to + c] -= l * B[from + c];
    }
    const inverse = 1 / L[at++];
    for (let c = 0; c < columns; c++) B[to + c] *= inverse;
  }
}

/** The lower triangle of L [n, n] without what lies above, row after row. */
export function packLower(L: Float64Array, n: number): Float64Array {
  const packed = new Float64Array((n * (n + 1)) / 2);
  for (let i = 0, at = 0; i < n; at += i + 1, i++) packed.set(L.subarray(i * n, i * n + i + 1), at);
  return packed;
}

/**
 * Variances of predicted values and slopes, k(x, x) − |L⁻¹ k|² with k the covariance with all observations
 * (Rasmussen, Williams, 2006, eq. 2.26).
 */
export class Deviation {
  readonly #device: Device;
  readonly #kernel: KernelFunction;
  readonly #mean: Float64Array;
  readonly #raw: RawPoints;
  readonly #factor: Float64Array;
  readonly #points: PointsAddress;
  readonly #pairs: Pairs;
  readonly #query: QueryPoint;
  /** Of the query with itself. */
  readonly #ownPairs: Pairs;
  readonly #theta: Float64Array;
  readonly #coordinates: number;

  /** For queries with slopes along so many coordinates. */
  constructor(
    device: Device,
    kernel: KernelFunction,
    raw: RawPoints,
    mean: Float64Array,
    factor: Float64Array,
    coordinates: number,
  ) {
    this.#device = device;
    this.#kernel = kernel;
    this.#mean = mean;
    this.#raw = raw;
    this.#factor = factor;
    this.#points = reservePoints(device.memory, raw, kernel);
    this.#pairs = new Pairs(device, this.#points, new Forms(device, kernel, 2, false), coordinates);
    this.#coordinates = coordinates;
    this.#query = new QueryPoint(device, kernel, raw.features, coordinates);
    this.#ownPairs = new Pairs(device, this.#query.points, new Forms(device, kernel, 2, false));
    this.#theta = new Float64Array(kernel.hyperparameters.length);
  }

  /** Takes hyper-parameters by value: those of the factor. */
  set(theta: Float64Array): void {
    const { memory, gemm } = this.#device;
    this.#theta.set(theta);
    this.#pairs.forms.set(theta);
    this.#ownPairs.forms.set(theta);
    scalePoints(memory, gemm.f64, this.#kernel, this.#raw, this.#points, theta, this.#mean);
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
    const M = this.#coordinates;
    const n = observationsOf(this.#points);
    const E = this.#points.energies.length;
    const columns = slopes ? 1 + M : 1;
    const query = this.#query.set(x, slopes, this.#theta, this.#mean);
    const rows = new Float64Array(columns * n);
    const all = { energies: E, gradients: this.#points.gradients.length };
    valueRow(this.#pairs, query, all, rows.subarray(0, n), E);
    if (slopes) slopeRows(this.#pairs, query, all, rows.subarray(n), n, E);
    const B = new Float64Array(n * columns);
    for (let c = 0; c < columns; c++) for (let i = 0; i < n; i++) B[i * columns + c] = rows[c * n + i];
    solvePacked(this.#factor, n, B, columns);
    const variances = this.#prior(query, columns);
    for (let i = 0, at = 0; i < n; i++) for (let c = 0; c < columns; c++, at++) variances[c] -= B[at] * B[at];
    // Rounding may take what is nearly certain below zero.
    return variances.map((v) => Math.max(0, v));
  }

  #prior(query: Query, columns: number): Float64Array {
    const M = this.#coordinates;
    const row = new Float64Array(1 + M);
    const variances = new Float64Array(columns);
    const self = { ...query, self: 0 };
    valueRow(this.#ownPairs, self, { energies: 1, gradients: 0 }, row, 1);
    variances[0] = row[0];
    if (columns === 1) return variances;
    const rows = new Float64Array(M * (1 + M));
    slopeRows(this.#ownPairs, self, { energies: 1, gradients: 1 }, rows, 1 + M, 1);
    for (let b = 0; b < M; b++) variances[1 + b] = rows[b * (1 + M) + 1 + b];
    return variances;
  }
}
