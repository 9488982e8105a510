import type { Device, Kernel } from "../../device/device.ts";
import { hessianSpec } from "../../regressors/symmetric-gradient-domain/kernel.ts";

/** Byte addresses of training geometries in scaled features. */
export interface GeometriesAddress {
  readonly count: number;
  readonly features: number;
  readonly directions: number;
  /** Where each feature comes from in a permuted copy, [permutations, D]. */
  readonly places: Int32Array;
  /** −z, [M, D]. */
  readonly negative: number;
  /** |z|², [M]. */
  readonly squares: number;
  /** ∂z/∂R along directions, [M, D, m]. */
  readonly slopes: number;
}

/** Where some rows of a block lie: byte address of the first, numbers from row to row, how many rows and columns there are. */
export interface Place {
  readonly at: number;
  readonly stride: number;
  readonly rows: number;
  readonly columns: number;
}

/** Geometries that one geometry is paired with at a time. */
const TOGETHER = 32;

/**
 * Blocks of the covariance of gradients, K_ji = J_jᵀ Σ_P (a·1 − b·d dᵀ) P J_i with d = P z_i − z_j; what comes right of
 * J_jᵀ is gathered first, so that almost all work is in matrix products.
 */
export class Blocks {
  readonly #device: Device;
  readonly #set: GeometriesAddress;
  readonly #kernel: Kernel;
  readonly #permuted: number;
  readonly #permutedColumns: number;
  /** P J_i as [P, D q] and as [D, P q]. */
  readonly #slopes: number;
  readonly #slopesByFeature: number;
  readonly #own: number;
  /** s less |z_i|², then a and b; [2, TOGETHER, P]. */
  readonly #forms: number;
  readonly #along: number;
  readonly #right: number;
  readonly #apart: number;
  readonly #scalar: number;

  constructor(device: Device, set: GeometriesAddress) {
    const { features: D, directions: m, places } = set;
    const P = places.length / D;
    const room = (n: number) => device.memory.alloc(8 * n);
    this.#device = device;
    this.#set = set;
    this.#kernel = device.compile(hessianSpec);
    this.#permuted = room(P * D);
    this.#permutedColumns = room(P * D);
    this.#slopes = room(P * D * m);
    this.#slopesByFeature = room(P * D * m);
    this.#own = room(m);
    this.#forms = room(2 * TOGETHER * P);
    this.#along = room(TOGETHER * P * m);
    this.#right = room(TOGETHER * D * m);
    this.#apart = room(P * D);
    this.#scalar = room(1);
  }

  /** Bytes of one thread's room. */
  static bytes({
    features: D,
    directions: m,
    places,
  }: Omit<GeometriesAddress, "negative" | "squares" | "slopes">): number {
    const P = places.length / D;
    return 8 * (3 * P * D + 2 * P * D * m + TOGETHER * (2 * P + P * m + D * m));
  }

  /**
   * Overwrites the blocks [m, q] of geometries first … last − 1 with geometry i, the first q of its directions; `to` says
   * where row r of the covariance, that of geometry r / m, and those below it lie.
   */
  run(i: number, q: number, first: number, last: number, to: (row: number) => Place): void {
    this.#permute(i, q);
    for (let j = first; j < last; j += TOGETHER) this.#together(q, j, Math.min(TOGETHER, last - j), to);
  }

  #permute(i: number, q: number): void {
    const { memory } = this.#device;
    const { features: D, directions: m, places, negative, squares, slopes } = this.#set;
    const P = places.length / D;
    const z = memory.f64(negative + 8 * i * D, D);
    const J = memory.f64(slopes + 8 * i * D * m, D * m);
    const Z = memory.f64(this.#permuted, P * D);
    const columns = memory.f64(this.#permutedColumns, P * D);
    const S = memory.f64(this.#slopes, P * D * q);
    const T = memory.f64(this.#slopesByFeature, P * D * q);
    const own = memory.f64(this.#own, q).fill(0);
    for (let p = 0, k = 0; p < P; p++)
      for (let d = 0; d < D; d++, k++) {
        const from = places[k];
        Z[k] = -z[from];
        // −2 · (−z_j) · … is taken from −z_j, hence the sign.
        columns[d * P + p] = -2 * z[from];
        for (let a = 0; a < q; a++) T[(d * P + p) * q + a] = S[k * q + a] = J[from * m + a];
      }
    for (let d = 0; d < D; d++) for (let a = 0; a < q; a++) own[a] -= z[d] * J[d * m + a];
    memory.f64(this.#scalar, 1)[0] = memory.f64(squares + 8 * i, 1)[0];
  }

  #together(q: number, first: number, count: number, to: (row: number) => Place): void {
    const { memory, gemm } = this.#device;
    const { features: D, directions: m, places, negative, squares, slopes } = this.#set;
    const P = places.length / D;
    const from = negative + 8 * first * D;
    const lanes = count * P + ((count * P) & 1);
    const forms = memory.f64(this.#forms, 2 * lanes);
    const square = memory.f64(squares + 8 * first, count);
    for (let j = 0; j < count; j++) forms.fill(square[j], j * P, (j + 1) * P);
    // s = |z_j|² − 2 z_j·P z_i + |z_i|²
    gemm.f64(count, P, D, from, D, this.#permutedColumns, P, this.#forms, P, { add: true });
    if (lanes > count * P) forms[lanes - 1] = forms[0];
    this.#kernel.run(lanes, this.#forms, 8 * lanes, this.#scalar, this.#forms, 0);
    // u = (P z_i − z_j)ᵀ P J_i; z·J of the geometry itself is the same for all permutations.
    const U = memory.f64(this.#along, count * P * q);
    const own = memory.f64(this.#own, q);
    for (let k = 0; k < count * P; k++) U.set(own, k * q);
    gemm.f64(count, P * q, D, from, D, this.#slopesByFeature, P * q, this.#along, P * q, { add: true });
    gemm.f64(count, D * q, P, this.#forms, P, this.#slopes, D * q, this.#right, D * q);
    const Z = memory.f64(this.#permuted, P * D);
    const apart = memory.f64(this.#apart, P * D);
    for (let j = 0; j < count; j++) {
      const zj = memory.f64(from + 8 * j * D, D);
      for (let p = 0, k = 0; p < P; p++) for (let d = 0; d < D; d++, k++) apart[k] = -Z[k] - zj[d];
      for (let p = 0; p < P; p++) {
        const b = forms[lanes + j * P + p];
        for (let k = (j * P + p) * q, end = k + q; k < end; k++) U[k] *= b;
      }
      const right = this.#right + 8 * j * D * q;
      const along = this.#along + 8 * j * P * q;
      gemm.f64(D, q, P, this.#apart, D, along, q, right, q, { transA: true, add: true });
      for (let r = 0; r < m;) {
        const { at, stride, rows: most, columns } = to((first + j) * m + r);
        const rows = Math.min(most, m - r);
        const J = slopes + 8 * ((first + j) * D * m + r);
        gemm.f64(rows, Math.min(q, columns), D, J, m, right, q, at, stride, { transA: true });
        r += rows;
      }
    }
  }
}
