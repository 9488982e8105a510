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
  /** A of a query's slopes with the energies, [M, E], and of these times ∂z/∂R of the query, [E, D]. */
  readonly #columns: number;
  readonly #projected: number;
  /** Shares of the dimensions, [D]. */
  readonly #shares: Float64Array;

  constructor(device: Device, pairs: Pairs) {
    const { coordinates: M, features: D, energies } = pairs.points;
    const room = (n: number) => device.memory.alloc(8 * Math.max(1, n));
    this.#device = device;
    this.#pairs = pairs;
    this.#columns = room(M * energies.length);
    this.#projected = room(D * energies.length);
    this.#shares = new Float64Array(D);
    this.#product = room(M * D);
    this.#block = room(M * M);
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
    this.#addMixed(query, seen, A, stride, columns.energies, slopes);
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

  /** Slopes of the query with the energies of the first E points: cov = Σ_a F_a u_a. */
  #addMixed(
    query: Query,
    seen: readonly Seen[],
    A: Float64Array,
    stride: number,
    E: number,
    slopes: Float64Array,
  ): void {
    const { memory } = this.#device;
    const { forms, points } = this.#pairs;
    const { points: N, coordinates: M, features: D, energies } = points;
    const block = memory.f64(this.#columns, M * E);
    for (let b = 0; b < M; b++) block.set(A.subarray(b * stride, b * stride + E), b * E);
    const projected = seen.map(({ u }) => {
      const sums = new Float64Array(E);
      for (let b = 0; b < M; b++)
        for (let e = 0; e < E; e++) sums[e] += block[b * E + e] * u[b * N + energies[e]];
      return sums;
    });
    for (let e = 0; e < E; e++)
      this.#addVariables(slopes, (h) =>
        projected.reduce((sum, p, a) => sum + p[e] * forms.slope(h, a)[energies[e]], 0),
      );
    for (const [k, { s }] of seen.entries()) {
      const Fk = forms.by(k);
      const along = seen.map((_, a) => forms.by(a, k));
      const P = this.#projectSlopes(query, k, E);
      for (let e = 0; e < E; e++) {
        const j = energies[e];
        let sum = 0;
        for (let a = 0; a < along.length; a++) sum += projected[a][e] * along[a][j];
        if (P) {
          const [zq, zj] = this.#views(query, k, j);
          for (let f = 0; f < D; f++) this.#shares[f] = Fk[j] * P[e * D + f] * this.#lever(k, zq[f], zj[f]);
        }
        this.#addLength(slopes, query, k, j, s[j], sum, {
          whole: Fk[j] * projected[k][e],
          shared: P !== null,
        });
      }
    }
  }

  /** Aᵀ ∂z/∂R of the query for the energies, [E, D]; null where argument k has one length. */
  #projectSlopes(query: Query, k: number, E: number): Float64Array | null {
    const { memory, gemm } = this.#device;
    const { coordinates: M, features: D } = this.#pairs.points;
    if (this.#pairs.forms.kernel.seen[k].lengths.length === 1 || E === 0) return null;
    gemm.f64(E, D, M, this.#columns, E, query.slopes![k], D, this.#projected, D, { transA: true });
    return memory.f64(this.#projected, E * D);
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
      const shared = this.#pairs.forms.kernel.seen[k].lengths.length > 1;
      if (shared) this.#shareDimensions(query, seen, A, stride, at, g, k);
      this.#addLength(slopes, query, k, j, s[j], along, { whole, shared });
    }
  }

  /** Shares of the dimensions in what `whole` is of all of them. */
  #shareDimensions(
    query: Query,
    seen: readonly Seen[],
    A: Float64Array,
    stride: number,
    at: number,
    g: number,
    k: number,
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
    const shares = this.#shares.fill(0);
    const [own, others] = [new Float64Array(D), new Float64Array(D)];
    for (let b = 0; b < M; b++) {
      let [At, tau] = [0, 0];
      for (let c = 0; c < M; c++) At += block[b * M + c] * t[k][c];
      for (const [a, { u }] of seen.entries()) {
        const Fak = forms.by(a, k)[j];
        for (let c = 0; c < M; c++) tau += Fak * u[c * N + j] * block[c * M + b];
      }
      for (let e = 0, from = b * D; e < D; e++, from++) {
        shares[e] += f * J[from] * AJ[from];
        own[e] += At * J[from];
        others[e] += tau * Jg[from];
      }
    }
    for (let e = 0; e < D; e++)
      shares[e] += own[e] * this.#lever(k, zq[e], zj[e]) + others[e] * this.#lever(k, zj[e], zq[e]);
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

  /** Lengths of argument k: `along` is what comes with ∂s_k, `more` what comes with ∂(∂s_k) and ∂(∂²s_k), whole or in shares. */
  #addLength(
    slopes: Float64Array,
    query: Query,
    k: number,
    j: number,
    s: number,
    along: number,
    more: { readonly whole: number; readonly shared: boolean } | null,
  ): void {
    const { lengths, kind } = this.#pairs.forms.kernel.seen[k];
    if (lengths.length === 1) {
      slopes[lengths[0]] -= 2 * (along * s + (more?.whole ?? 0));
      return;
    }
    const [zq, zj] = this.#views(query, k, j);
    const distance = kind === "distance";
    for (let f = 0; f < lengths.length; f++) {
      const seen = distance ? (zq[f] - zj[f]) ** 2 : zq[f] * zj[f];
      slopes[lengths[f]] -= 2 * (along * seen + (more?.shared ? this.#shares[f] : 0));
    }
  }
}
