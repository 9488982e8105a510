import type { Device, Kernel } from "../../device/device.ts";
import { hessianSpec } from "./kernel.ts";
import type { PointsAddress } from "./predictor.ts";

/** Slopes of energies and gradients by the weights of the points, in which they are linear. */
export class WeightSlopes {
  readonly #device: Device;
  readonly #points: PointsAddress;
  readonly #kernel: Kernel;
  readonly #lanes: number;
  /** s, then a and b of every point, and a zero. */
  readonly #table: number;

  constructor(device: Device, points: PointsAddress) {
    this.#device = device;
    this.#points = points;
    this.#kernel = device.compile(hessianSpec);
    this.#lanes = points.points + (points.points & 1);
    this.#table = device.memory.alloc(8 * (2 * this.#lanes + 1));
  }

  /** ADDS Σ_P (seed a d + factor (a·1 − b·d dᵀ) P tangent), d = P z − z_j, of every point j to out [M, D]. */
  add(z: Float64Array, seed: number, tangent: Float64Array, factor: number, out: Float64Array): void {
    const { points: M, features: D, places, rows } = this.#points;
    const { memory } = this.#device;
    const negative = memory.f64(rows, M * D);
    const table = memory.f64(this.#table, 2 * this.#lanes + 1);
    for (let p = 0; p < places.length; p += D) {
      for (let j = 0; j < M; j++) {
        table[j] = 0;
        for (let d = 0; d < D; d++) table[j] += (z[places[p + d]] + negative[j * D + d]) ** 2;
      }
      if (this.#lanes > M) table[M] = 0;
      const zero = this.#table + 8 * 2 * this.#lanes;
      this.#kernel.run(this.#lanes, this.#table, 8 * this.#lanes, zero, this.#table, 0);
      for (let j = 0; j < M; j++) {
        const [a, b] = [table[j], table[this.#lanes + j]];
        let along = 0;
        for (let d = 0; d < D; d++)
          along += (z[places[p + d]] + negative[j * D + d]) * tangent[places[p + d]];
        for (let d = 0; d < D; d++) {
          const apart = z[places[p + d]] + negative[j * D + d];
          out[j * D + d] += seed * a * apart + factor * (a * tangent[places[p + d]] - b * along * apart);
        }
      }
    }
  }
}
