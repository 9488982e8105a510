import type { Device } from "../../device/device.ts";
import { joinedSlopes, type Columns } from "./covariance.ts";
import type { Pairs, Query, Seen } from "./pairs.ts";

/**
 * Σ_rc A_rc ∂K_rc/∂log θ_h for the rows of one query at a time: what the slopes of the evidence are made of, without
 * ever holding ∂K/∂θ. Lengths of argument k act through s_k, ∂s_k and ∂²s_k, which all scale as ℓ_k⁻²; other
 * hyper-parameters through F alone.
 */
export class EvidenceSlopes {
  readonly #device: Device;
  readonly #pairs: Pairs;
  /** A of a pair of points with slopes times ∂z/∂R of the second, [M, D], and that A, [M, M]. */
  readonly #product: number;
  readonly #block: number;

  constructor(device: Device, pairs: Pairs) {
    const { coordinates: M, features: D } = pairs.points;
    this.#device = device;
    this.#pairs = pairs;
    this.#product = device.memory.alloc(8 * Math.max(1, M * D));
    this.#block = device.memory.alloc(8 * Math.max(1, M * M));
  }

  /** ADDS to slopes [hyper-parameters] what the query's value has with the energies; A [energies]. */
  addValue(query: Query, A: Float64Array, columns: Columns, slopes: Float64Array): void {
    const pairs = this.#pairs;
    const { energies } = pairs.points;
    const seen = pairs.compare({ ...query, slopes: null }, 0);
    for (let e = 0; e < columns.energies; e++) {
      const j = energies[e];
      this.#addVariables(slopes, (h) => A[e] * pairs.forms.slope(h)[j]);
      for (const [k, { s }] of seen.entries())
        this.#addLength(slopes, query, k, j, s[j], A[e] * pairs.forms.by(k)[j], null);
    }
  }

  /** The same of the query's slopes; A [M, stride] has energies first and gradients from `offset` on. */
  addSlopes(
    query: Query,
    A: Float64Array,
    stride: number,
    offset: number,
    columns: Columns,
    slopes: Float64Array,
  ): void {
    const seen = this.#pairs.compare(query, columns.gradients);
    for (let e = 0; e < columns.energies; e++) this.#addMixed(query, seen, A, stride, e, slopes);
    for (let g = 0; g < columns.gradients; g++)
      this.#addDouble(
        query,
        seen,
        A,
        stride,
        offset + g * this.#pairs.points.coordinates,
        g,
        columns,
        slopes,
      );
  }

  /** Slopes of the query with the energy of a point: cov = Σ_a F_a u_a. */
  #addMixed(
    query: Query,
    seen: readonly Seen[],
    A: Float64Array,
    stride: number,
    e: number,
    slopes: Float64Array,
  ): void {
    const { forms, points } = this.#pairs;
    const { points: N, coordinates: M, energies } = points;
    const j = energies[e];
    const column = Float64Array.from({ length: M }, (_, b) => A[b * stride + e]);
    const projected = seen.map(({ u }) => column.reduce((sum, x, b) => sum + x * u[b * N + j], 0));
    this.#addVariables(slopes, (h) => projected.reduce((sum, p, a) => sum + p * forms.slope(h, a)[j], 0));
    for (const [k, { s }] of seen.entries()) {
      const Fk = forms.by(k)[j];
      const along = projected.reduce((sum, p, a) => sum + p * forms.by(a, k)[j], 0);
      this.#addLength(slopes, query, k, j, s[j], along, {
        whole: Fk * projected[k],
        each: (d, add) => {
          const [zq, zj, J] = this.#views(query, k, j);
          const D = points.features;
          for (let b = 0; b < M; b++)
            for (let f = 0; f < D; f++)
              add(d(f), Fk * column[b] * J[b * D + f] * this.#lever(k, zq[f], zj[f]));
        },
      });
    }
  }

  /** Slopes of the query with slopes of a point: cov = Σ_a mixed F_a Q_a + Σ_ab F_ab u_a w_b. */
  #addDouble(
    query: Query,
    seen: readonly Seen[],
    A: Float64Array,
    stride: number,
    at: number,
    g: number,
    columns: Columns,
    slopes: Float64Array,
  ): void {
    const { forms, points } = this.#pairs;
    const { points: N, coordinates: M, gradients } = points;
    const m = seen.length;
    const j = gradients[g];
    const width = columns.gradients * M;
    const q = new Float64Array(m);
    const r = new Float64Array(m * m);
    for (let b = 0; b < M; b++)
      for (const [a, { u, Q }] of seen.entries()) {
        const row = b * stride + at;
        let sum = 0;
        for (let c = 0, from = b * width + g * M; c < M; c++) sum += A[row + c] * Q[from + c];
        q[a] += sum;
        const ub = u[b * N + j];
        for (const [o, { w }] of seen.entries()) {
          let dot = 0;
          for (let c = 0; c < M; c++) dot += A[row + c] * w[g * M + c];
          r[a * m + o] += ub * dot;
        }
      }
    const total = (of: (...args: readonly number[]) => Float64Array, ...more: readonly number[]): number => {
      let sum = 0;
      for (let a = 0; a < m; a++) {
        sum += seen[a].mixed * of(a, ...more)[j] * q[a];
        for (let o = 0; o < m; o++) sum += of(a, o, ...more)[j] * r[a * m + o];
      }
      return sum;
    };
    this.#addVariables(slopes, (h) => total((...args) => forms.slope(h, ...args)));
    for (const [k, { s, mixed }] of seen.entries()) {
      let whole = mixed * forms.by(k)[j] * q[k];
      for (let a = 0; a < m; a++) whole += forms.by(a, k)[j] * (r[a * m + k] + r[k * m + a]);
      const along = total((...args) => forms.by(...args), k);
      this.#addLength(slopes, query, k, j, s[j], along, {
        whole,
        each: (d, add) => this.#addDimensions(query, seen, A, stride, at, g, k, d, add),
      });
    }
  }

  /** Shares of the dimensions in what `whole` is of all of them. */
  #addDimensions(
    query: Query,
    seen: readonly Seen[],
    A: Float64Array,
    stride: number,
    at: number,
    g: number,
    k: number,
    d: (f: number) => number,
    add: (h: number, value: number) => void,
  ): void {
    const { memory, gemm } = this.#device;
    const { forms, points } = this.#pairs;
    const { points: N, coordinates: M, features: D, gradients, scaled } = points;
    const j = gradients[g];
    const [zq, zj, J] = this.#views(query, k, j);
    const other = scaled[k].slopes + 8 * g * M * D;
    const Jg = memory.f64(other, M * D);
    const block = memory.f64(this.#block, M * M);
    for (let b = 0; b < M; b++) block.set(A.subarray(b * stride + at, b * stride + at + M), b * M);
    gemm.f64(M, D, M, this.#block, M, other, D, this.#product, D);
    const AJ = memory.f64(this.#product, M * D);
    const t = seen.map(() => new Float64Array(M));
    joinedSlopes(this.#pairs, seen, g, t);
    const f = seen[k].mixed * forms.by(k)[j];
    for (let b = 0; b < M; b++) {
      let At = 0;
      for (let c = 0; c < M; c++) At += block[b * M + c] * t[k][c];
      for (let e = 0; e < D; e++) {
        const own = J[b * D + e];
        add(d(e), f * own * AJ[b * D + e] + At * own * this.#lever(k, zq[e], zj[e]));
      }
    }
    for (let c = 0; c < M; c++) {
      let tau = 0;
      for (const [a, { u }] of seen.entries()) {
        const Fak = forms.by(a, k)[j];
        for (let b = 0; b < M; b++) tau += Fak * u[b * N + j] * block[b * M + c];
      }
      for (let e = 0; e < D; e++) add(d(e), tau * Jg[c * D + e] * this.#lever(k, zj[e], zq[e]));
    }
  }

  /** ∂s/∂z of the first point. */
  #lever(k: number, z: number, other: number): number {
    return this.#pairs.forms.kernel.seen[k].kind === "distance" ? 2 * (z - other) : other;
  }

  #views(query: Query, k: number, j: number): [Float64Array, Float64Array, Float64Array] {
    const { memory } = this.#device;
    const { features: D, coordinates: M, scaled } = this.#pairs.points;
    return [
      memory.f64(query.z[k], D),
      memory.f64(scaled[k].z + 8 * j * D, D),
      query.slopes ? memory.f64(query.slopes[k], M * D) : new Float64Array(0),
    ];
  }

  #addVariables(slopes: Float64Array, value: (h: number) => number): void {
    for (const [h, { variable }] of this.#pairs.forms.kernel.hyperparameters.entries())
      if (variable !== null) slopes[h] += value(h);
  }

  /** Lengths of argument k: `along` is what comes with ∂s_k, `more` what comes with ∂(∂s_k) and ∂(∂²s_k). */
  #addLength(
    slopes: Float64Array,
    query: Query,
    k: number,
    j: number,
    s: number,
    along: number,
    more: {
      readonly whole: number;
      each(place: (f: number) => number, add: (h: number, value: number) => void): void;
    } | null,
  ): void {
    const { lengths, kind } = this.#pairs.forms.kernel.seen[k];
    if (lengths.length === 1) {
      slopes[lengths[0]] -= 2 * (along * s + (more?.whole ?? 0));
      return;
    }
    const [zq, zj] = this.#views(query, k, j);
    for (const [f, h] of lengths.entries())
      slopes[h] -= 2 * along * (kind === "distance" ? (zq[f] - zj[f]) ** 2 : zq[f] * zj[f]);
    more?.each(
      (f) => lengths[f],
      (h, value) => (slopes[h] -= 2 * value),
    );
  }
}
