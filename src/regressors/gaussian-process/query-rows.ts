import type { Device } from "../../device/device.ts";
import type { KernelFunction } from "../../kernels/function.ts";
import { slopeRows, valueRow } from "./covariance.ts";
import { Forms } from "./forms.ts";
import { Pairs, type Query } from "./pairs.ts";
import { observationsOf, reservePoints, scalePoints, type PointsAddress, type RawPoints } from "./points.ts";
import { QueryPoint } from "./query.ts";

/** Covariances of what is predicted at a point with all observations, and with itself. */
export class QueryRows {
  /** Number n of observations. */
  readonly size: number;
  /** Slopes M of a query with slopes. */
  readonly coordinates: number;
  readonly #device: Device;
  readonly #kernel: KernelFunction;
  readonly #mean: Float64Array;
  readonly #raw: RawPoints;
  readonly #points: PointsAddress;
  readonly #pairs: Pairs;
  readonly #query: QueryPoint;
  /** Of the query with itself. */
  readonly #ownPairs: Pairs;
  readonly #theta: Float64Array;

  /** For queries with slopes along so many coordinates. */
  constructor(
    device: Device,
    kernel: KernelFunction,
    raw: RawPoints,
    mean: Float64Array,
    coordinates: number,
  ) {
    this.#device = device;
    this.#kernel = kernel;
    this.#mean = mean;
    this.#raw = raw;
    this.#points = reservePoints(device.memory, raw, kernel);
    this.size = observationsOf(this.#points);
    this.coordinates = coordinates;
    this.#pairs = new Pairs(device, this.#points, new Forms(device, kernel, 2, false), coordinates);
    this.#query = new QueryPoint(device, kernel, raw.features, coordinates);
    this.#ownPairs = new Pairs(device, this.#query.points, new Forms(device, kernel, 2, false));
    this.#theta = new Float64Array(kernel.hyperparameters.length);
  }

  /** Takes hyper-parameters by value. */
  set(theta: Float64Array): void {
    const { memory, gemm } = this.#device;
    this.#theta.set(theta);
    this.#pairs.forms.set(theta);
    this.#ownPairs.forms.set(theta);
    scalePoints(memory, gemm.f64, this.#kernel, this.#raw, this.#points, theta, this.#mean);
  }

  /**
   * Overwrites rows [1, n], or [1 + M, n] with slopes, for features x [D] and ∂x/∂R in rows of coordinates, [M, D]; returns
   * the variances before anything was observed, [1] or [1 + M].
   */
  fill(x: Float64Array, slopes: Float64Array | null, rows: Float64Array): Float64Array {
    const { energies, gradients } = this.#points;
    const [n, E] = [this.size, energies.length];
    const query = this.#query.set(x, slopes, this.#theta, this.#mean);
    const all = { energies: E, gradients: gradients.length };
    valueRow(this.#pairs, query, all, rows.subarray(0, n), E);
    if (slopes) slopeRows(this.#pairs, query, all, rows.subarray(n), n, E);
    return this.#prior(query);
  }

  #prior(query: Query): Float64Array {
    const M = query.slopes ? this.coordinates : 0;
    const row = new Float64Array(1 + this.coordinates);
    const variances = new Float64Array(1 + M);
    const self = { ...query, self: 0 };
    valueRow(this.#ownPairs, self, { energies: 1, gradients: 0 }, row, 1);
    variances[0] = row[0];
    if (M === 0) return variances;
    const rows = new Float64Array(M * (1 + M));
    slopeRows(this.#ownPairs, self, { energies: 1, gradients: 1 }, rows, 1 + M, 1);
    for (let b = 0; b < M; b++) variances[1 + b] = rows[b * (1 + M) + 1 + b];
    return variances;
  }
}
