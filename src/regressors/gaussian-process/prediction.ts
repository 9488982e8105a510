import type { Device } from "../../device/device.ts";
import type { KernelFunction } from "../../kernels/function.ts";
import { Forms } from "./forms.ts";
import { reservePoints, scalePoints, scaling, type PointsAddress, type RawPoints } from "./points.ts";

/**
 * E(x) = Σ_i α_i k(x, x_i) + Σ_j β_j · ∂k(x, x_j)/∂R_j and dE/dx. With b_j = (∂x/∂R_j)ᵀ β_j the Jacobians of the points
 * are not needed: every point counts by two vectors, x_i and b_i, of D numbers each.
 */
export class Prediction {
  readonly kernel: KernelFunction;
  readonly #device: Device;
  readonly #forms: Forms;
  readonly #raw: RawPoints;
  readonly #points: PointsAddress;
  readonly #mean: Float64Array;
  readonly #theta: Float64Array;
  /** Σ over slopes of a point, scaled: b/ℓ of each argument, [N, D]; b·z, [N]. */
  readonly #b: readonly number[];
  readonly #own: readonly Float64Array[];
  readonly #alpha: Float64Array;
  /** z of the query, then dots with z_i and with b_i, then factors of z_i and of b_i, then dE/dz. */
  readonly #z: number;
  readonly #dots: number;
  readonly #bDots: number;
  readonly #p: number;
  readonly #q: number;
  readonly #slope: number;

  constructor(device: Device, kernel: KernelFunction, raw: RawPoints, mean: Float64Array) {
    const { memory } = device;
    const N = raw.x.length / raw.features;
    const D = raw.features;
    this.kernel = kernel;
    this.#device = device;
    this.#forms = new Forms(device, kernel, 2, false);
    this.#raw = raw;
    this.#points = reservePoints(memory, { ...raw, gradients: new Int32Array(0) }, kernel);
    this.#mean = mean;
    this.#theta = new Float64Array(kernel.hyperparameters.length);
    this.#b = kernel.seen.map(() => memory.alloc(8 * N * D));
    this.#own = kernel.seen.map(() => new Float64Array(N));
    this.#alpha = new Float64Array(N);
    [this.#z, this.#slope] = [memory.alloc(8 * D), memory.alloc(8 * D)];
    [this.#dots, this.#bDots, this.#p, this.#q] = [0, 0, 0, 0].map(() => memory.alloc(8 * N));
  }

  /** Takes hyper-parameters by value and weights [n] of the observations. */
  set(theta: Float64Array, weights: Float64Array): void {
    const { memory, gemm } = this.#device;
    const { energies, gradients, coordinates: M, features: D, slopes } = this.#raw;
    this.#theta.set(theta);
    this.#forms.set(theta);
    const bare = { ...this.#raw, slopes: new Float64Array(0), gradients: new Int32Array(0) };
    scalePoints(memory, gemm.f64, this.kernel, bare, this.#points, theta, this.#mean);
    this.#alpha.fill(0);
    energies.forEach((i, e) => (this.#alpha[i] = weights[e]));
    const N = this.#alpha.length;
    const b = new Float64Array(N * D);
    gradients.forEach((i, g) => {
      for (let c = 0; c < M; c++) {
        const w = weights[energies.length + g * M + c];
        for (let d = 0, at = (g * M + c) * D; d < D; d++) b[i * D + d] += w * slopes[at + d];
      }
    });
    for (const [a, address] of this.#b.entries()) {
      const { lengths } = scaling(this.kernel, a, theta, this.#mean);
      const B = memory.f64(address, N * D);
      const Z = memory.f64(this.#points.scaled[a].z, N * D);
      this.#own[a].fill(0);
      for (let i = 0, at = 0; i < N; i++)
        for (let d = 0; d < D; d++, at++) {
          B[at] = b[at] / lengths[d];
          this.#own[a][i] += B[at] * Z[at];
        }
    }
  }

  /** E at features x [D]; overwrites dEdx [D] where it is given. */
  evaluate(x: Float64Array, dEdx: Float64Array | null): number {
    const { memory, gemm } = this.#device;
    const N = this.#alpha.length;
    const D = this.#raw.features;
    const m = this.kernel.seen.length;
    const { arguments: s, same } = this.#forms.inputs(N);
    same.fill(0);
    const t: Float64Array[] = [];
    const queries: Float64Array[] = [];
    for (let a = 0; a < m; a++) {
      const { lengths, shift } = scaling(this.kernel, a, this.#theta, this.#mean);
      const z = memory.f64(this.#z, D);
      for (let d = 0; d < D; d++) z[d] = (x[d] - shift[d]) / lengths[d];
      queries.push(z.slice());
      const { z: Z, norms } = this.#points.scaled[a];
      gemm.f64(1, N, D, this.#z, D, Z, D, this.#dots, N, { transB: true });
      gemm.f64(1, N, D, this.#z, D, this.#b[a], D, this.#bDots, N, { transB: true });
      const [dots, bDots] = [memory.f64(this.#dots, N), memory.f64(this.#bDots, N)];
      if (this.kernel.seen[a].kind === "distance") {
        gemm.f64(1, 1, D, this.#z, D, this.#z, D, this.#slope, 1, { transB: true });
        const [square] = memory.f64(this.#slope, 1);
        const squares = memory.f64(norms, N);
        for (let i = 0; i < N; i++) s[a][i] = Math.max(0, square + squares[i] - 2 * dots[i]);
        t.push(Float64Array.from(this.#own[a], (own, i) => 2 * (own - bDots[i])));
      } else {
        s[a].set(dots);
        t.push(bDots.slice());
      }
    }
    this.#forms.run(N);
    const F = this.#forms.by();
    let energy = 0;
    for (let i = 0; i < N; i++) energy += this.#alpha[i] * F[i];
    for (let a = 0; a < m; a++) {
      const Fa = this.#forms.by(a);
      for (let i = 0; i < N; i++) energy += t[a][i] * Fa[i];
    }
    if (dEdx) this.#slopes(queries, t, dEdx);
    return energy;
  }

  /** dE/dx = Σ_i (α_i F_a + Σ_b F_ab t_b) ∂s_a/∂x + F_a ∂t_a/∂x over all arguments. */
  #slopes(queries: readonly Float64Array[], t: readonly Float64Array[], dEdx: Float64Array): void {
    const { memory, gemm } = this.#device;
    const N = this.#alpha.length;
    const D = this.#raw.features;
    dEdx.fill(0);
    for (const [a, z] of queries.entries()) {
      const distance = this.kernel.seen[a].kind === "distance";
      const sign = distance ? -2 : 1;
      const [p, q] = [memory.f64(this.#p, N), memory.f64(this.#q, N)];
      const Fa = this.#forms.by(a);
      let total = 0;
      for (let i = 0; i < N; i++) {
        p[i] = this.#alpha[i] * Fa[i];
        q[i] = sign * Fa[i];
      }
      for (const [b, tb] of t.entries()) {
        const Fab = this.#forms.by(a, b);
        for (let i = 0; i < N; i++) p[i] += Fab[i] * tb[i];
      }
      // ∂s/∂z = 2 (z − z_i) of distances, z_i of products.
      for (let i = 0; i < N; i++) {
        total += p[i];
        p[i] *= sign;
      }
      gemm.f64(1, D, N, this.#p, N, this.#points.scaled[a].z, D, this.#slope, D);
      gemm.f64(1, D, N, this.#q, N, this.#b[a], D, this.#slope, D, { add: true });
      const slope = memory.f64(this.#slope, D);
      const { lengths } = scaling(this.kernel, a, this.#theta, this.#mean);
      for (let d = 0; d < D; d++) dEdx[d] += (slope[d] + (distance ? 2 * total * z[d] : 0)) / lengths[d];
    }
  }
}
