import type { Device } from "../../device/device.ts";
import type { KernelFunction } from "../../kernels/function.ts";
import type { Query } from "./pairs.ts";
import { reservePoints, scalePoints, type PointsAddress, type RawPoints } from "./points.ts";

/** A point that is none of the observed ones, in memory beside them. */
export class QueryPoint {
  /** The query as the only point, with value and slopes. */
  readonly points: PointsAddress;
  readonly #device: Device;
  readonly #kernel: KernelFunction;
  readonly #raw: RawPoints;

  /** For queries with slopes along so many coordinates. */
  constructor(device: Device, kernel: KernelFunction, features: number, coordinates: number) {
    this.#device = device;
    this.#kernel = kernel;
    this.#raw = {
      x: new Float64Array(features),
      slopes: new Float64Array(coordinates * features),
      features,
      coordinates,
      energies: Int32Array.of(0),
      gradients: Int32Array.of(0),
    };
    this.points = reservePoints(device.memory, this.#raw, kernel);
  }

  /** Features x [D] and perhaps ∂x/∂R [M, D], scaled by the values of the hyper-parameters about the observed points' mean. */
  set(x: Float64Array, slopes: Float64Array | null, theta: Float64Array, mean: Float64Array): Query {
    const { memory, gemm } = this.#device;
    this.#raw.x.set(x);
    if (slopes) this.#raw.slopes.set(slopes);
    scalePoints(memory, gemm.f64, this.#kernel, this.#raw, this.points, theta, mean);
    const { scaled } = this.points;
    return { z: scaled.map(({ z }) => z), slopes: slopes && scaled.map((s) => s.slopes), self: null };
  }
}
