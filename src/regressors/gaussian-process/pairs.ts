import type { Device } from "../../device/device.ts";
import type { Forms } from "./forms.ts";
import type { PointsAddress } from "./points.ts";

/** One point that is compared with all others: byte addresses for each argument, slopes where it has them. */
export interface Query {
  readonly z: readonly number[];
  /** ∂z/∂R, rows of coordinates, [M, D]; null for a value alone. */
  readonly slopes: readonly number[] | null;
  /** Number of the point if it is one of them: `white` counts there. */
  readonly self: number | null;
}

/** What one argument of the kernel says of a query and all points. */
export interface Seen {
  /** s or p, [N]; a view of the inputs of `Forms`. */
  readonly s: Float64Array;
  /** ∂s/∂R of the query, [its M, N]. */
  readonly u: Float64Array;
  /** ∂s/∂R of the points with slopes, [G M]. */
  readonly w: Float64Array;
  /** ∂z/∂R · (∂z/∂R)ᵀ, [its M, G M]; ∂²s/∂R∂R′ over `mixed`. */
  readonly Q: Float64Array;
  /** ∂²s/∂R∂R′ = mixed · Q: −2 of a squared distance, 1 of a product. */
  readonly mixed: number;
}

/** Products of a query with all points, and the derivatives of the kernel there. */
export class Pairs {
  readonly points: PointsAddress;
  readonly forms: Forms;
  /** Coordinates M of a query with slopes; those of the points unless stated. */
  readonly rows: number;
  readonly #device: Device;
  readonly #u: number[];
  readonly #w: number[];
  readonly #Q: number[];
  readonly #dots: number;
  readonly #own: number;

  constructor(device: Device, points: PointsAddress, forms: Forms, rows: number = points.coordinates) {
    const { points: N, coordinates, gradients } = points;
    const [M, slopes] = [rows, gradients.length * coordinates];
    const room = (n: number) => points.scaled.map(() => device.memory.alloc(8 * Math.max(1, n)));
    this.points = points;
    this.forms = forms;
    this.rows = rows;
    this.#device = device;
    this.#u = room(M * N);
    this.#w = room(slopes);
    this.#Q = room(M * slopes);
    this.#dots = device.memory.alloc(8 * N);
    this.#own = device.memory.alloc(8 * Math.max(1, M));
  }

  /** Bytes of the room of one thread. */
  static bytes(N: number, G: number, M: number, args: number): number {
    return 8 * args * (M * N + G * M + M * G * M) + 8 * (args + 12) * N;
  }

  /** Compares; `gradients` bounds the points with slopes that count as such. Forms are computed for all points. */
  compare(query: Query, gradients = this.points.gradients.length): Seen[] {
    const { points: N } = this.points;
    const { arguments: args, same } = this.forms.inputs(N);
    same.fill(0);
    if (query.self !== null) same[query.self] = 1;
    const seen = args.map((s, a) => this.#argument(query, a, s, gradients));
    this.forms.run(N);
    return seen;
  }

  #argument(query: Query, a: number, s: Float64Array, gradients: number): Seen {
    const { memory, gemm } = this.#device;
    const { points: N, features: D, coordinates, scaled } = this.points;
    const M = this.rows;
    const { z, norms, slopes, own } = scaled[a];
    const distance = this.forms.kernel.seen[a].kind === "distance";
    const from = query.z[a];
    const transB = { transB: true };
    gemm.f64(1, N, D, from, D, z, D, this.#dots, N, transB);
    const dots = memory.f64(this.#dots, N);
    if (distance) {
      gemm.f64(1, 1, D, from, D, from, D, this.#own, 1, transB);
      const [square] = memory.f64(this.#own, 1);
      const squares = memory.f64(norms, N);
      for (let j = 0; j < N; j++) s[j] = Math.max(0, square + squares[j] - 2 * dots[j]);
    } else s.set(dots);
    const rows = gradients * coordinates;
    const w = memory.f64(this.#w[a], rows);
    if (rows > 0) {
      gemm.f64(1, rows, D, from, D, slopes, D, this.#w[a], rows, transB);
      const self = memory.f64(own, rows);
      if (distance) for (let k = 0; k < rows; k++) w[k] = 2 * (self[k] - w[k]);
    }
    const u = memory.f64(this.#u[a], M * N);
    const Q = memory.f64(this.#Q[a], M * rows);
    if (query.slopes) {
      const J = query.slopes[a];
      gemm.f64(M, N, D, J, D, z, D, this.#u[a], N, transB);
      if (distance) {
        gemm.f64(1, M, D, from, D, J, D, this.#own, M, transB);
        const self = memory.f64(this.#own, M);
        for (let b = 0, at = 0; b < M; b++) for (let j = 0; j < N; j++, at++) u[at] = 2 * (self[b] - u[at]);
      }
      if (rows > 0) gemm.f64(M, rows, D, J, D, slopes, D, this.#Q[a], rows, transB);
    }
    return { s, u, w, Q, mixed: distance ? -2 : 1 };
  }
}
