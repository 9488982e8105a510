import type { Job, Pool } from "../../device/pool.ts";
import { KernelFunction, type KernelOptions } from "../../kernels/function.ts";
import { PoolCholesky } from "../../math/pool-cholesky.ts";
import { packedNumbers, rowAt, type Triangle } from "../../math/triangle.ts";
import {
  meanFeatures,
  observationsOf,
  pointsBytes,
  reservePoints,
  scalePoints,
  type PointsAddress,
  type RawPoints,
} from "./points.ts";
import { Pairs } from "./pairs.ts";
import { chunksOf, WORK, type CovarianceSpec } from "./task.ts";

/** Variances of what is added to the labels: energies (eV²) and their slopes. */
export interface Noise {
  readonly energies: number;
  readonly gradients: number;
}

/** Hyper-parameters of the kernel, by value, and the noise. */
export interface Setting {
  readonly theta: Float64Array;
  readonly noise: Noise;
}

/** What observations say at one setting. */
export interface Evidence {
  /** ln p(y) = −½ yᵀK⁻¹y − ½ ln det K − ½ n ln 2π. */
  readonly logLikelihood: number;
  /** K⁻¹ y, [n]. */
  readonly weights: Float64Array;
}

/** A set of observations of a surface, and what it makes of kernels: K by all threads, its factor, the evidence with its slopes. */
export class GaussianProcess {
  readonly kernel: KernelFunction;
  readonly points: PointsAddress;
  /** Number n of observations. */
  readonly size: number;
  readonly mean: Float64Array;
  /** The lower triangle of K, packed, which its factor overwrites. */
  readonly matrix: Triangle;
  readonly #pool: Pool;
  readonly #raw: RawPoints;
  readonly #labels: Float64Array;
  readonly #job: Job;
  readonly #spec: CovarianceSpec;
  readonly #cholesky: PoolCholesky;
  readonly #slopes: boolean;

  private constructor(
    pool: Pool,
    raw: RawPoints,
    labels: Float64Array,
    kernel: KernelFunction,
    made: {
      spec: CovarianceSpec;
      job: Job;
      cholesky: PoolCholesky;
      slopes: boolean;
    },
  ) {
    this.kernel = kernel;
    this.points = made.spec.points;
    this.size = labels.length;
    this.mean = meanFeatures(raw);
    this.matrix = { address: made.spec.matrix, n: this.size, stride: 0 };
    this.#pool = pool;
    this.#raw = raw;
    this.#labels = labels;
    this.#job = made.job;
    this.#spec = made.spec;
    this.#cholesky = made.cholesky;
    this.#slopes = made.slopes;
  }

  /** Labels y [n]: energies, then gradients point by point; `slopes` reserves what slopes of the evidence need. */
  static async create(
    pool: Pool,
    options: KernelOptions,
    raw: RawPoints,
    labels: Float64Array,
    slopes: boolean,
  ): Promise<GaussianProcess> {
    const { memory } = pool.device;
    const kernel = new KernelFunction(options, raw.features);
    const points = reservePoints(memory, raw, kernel);
    const n = observationsOf(points);
    const H = kernel.hyperparameters.length;
    const spec: CovarianceSpec = {
      kernel: options,
      points,
      theta: memory.alloc(8 * Math.max(1, H)),
      matrix: memory.alloc(8 * packedNumbers(n)),
      weights: slopes ? memory.alloc(8 * packedNumbers(n)) : 0,
      slopes: slopes ? memory.alloc(8 * chunksOf(points) * Math.max(1, H)) : 0,
      noise: memory.alloc(16),
      control: memory.alloc(4),
    };
    const job = await pool.prepare("gaussian-process.covariance", spec);
    const cholesky = await PoolCholesky.create(pool, n);
    return new GaussianProcess(pool, raw, labels, kernel, { spec, job, cholesky, slopes });
  }

  /** Bytes that all this takes. */
  static bytes(
    shape: { points: number; energies: number; gradients: number; coordinates: number; features: number },
    args: number,
    threads: number,
    slopes: boolean,
  ): number {
    const { points: N, energies: E, gradients: G, coordinates: M, features: D } = shape;
    const n = E + G * M;
    return (
      8 * packedNumbers(n) * (slopes ? 2 : 1) +
      8 * M * n * threads +
      (slopes ? 8 * E * (M + D) * threads : 0) +
      PoolCholesky.bytes(n, threads) +
      2 * pointsBytes(N, G, M, D, args) +
      threads * (slopes ? 2 : 1) * Pairs.bytes(N, G, M, args)
    );
  }

  /** K at this setting, at `matrix`. */
  async covariance({ theta, noise }: Setting): Promise<void> {
    const { memory, gemm } = this.#pool.device;
    scalePoints(memory, gemm.f64, this.kernel, this.#raw, this.points, theta, this.mean);
    memory.f64(this.#spec.theta, theta.length).set(theta);
    memory.f64(this.#spec.noise, 2).set([noise.energies, noise.gradients]);
    await this.#run(WORK.covariance);
  }

  /** Factor of K at `matrix`, and what it says of the labels; null where K is not positive definite. */
  async solve(setting: Setting): Promise<Evidence | null> {
    await this.covariance(setting);
    return (await this.#cholesky.factor(this.size, this.matrix)) ? this.evidence() : null;
  }

  /** The factorisation of K panel by panel, after `covariance`; yields the share that is done, false where it fails. */
  async *factorise(): AsyncGenerator<number, boolean> {
    const panels = this.#cholesky.panels(this.size, this.matrix);
    // each panel needs the one before
    for (;;) {
      const next = await panels.next();
      if (next.done) return next.value;
      yield PoolCholesky.flops(this.size, next.value) / PoolCholesky.flops(this.size);
    }
  }

  /** What the factor says of the labels. */
  evidence(): Evidence {
    const { memory } = this.#pool.device;
    const y = this.#labels;
    const weights = this.apply(y);
    let logLikelihood = -(this.size / 2) * LN_2PI;
    for (let i = 0; i < this.size; i++) {
      const [pivot] = memory.f64(rowAt(this.matrix, i) + 8 * i, 1);
      logLikelihood -= 0.5 * y[i] * weights[i] + Math.log(pivot);
    }
    return { logLikelihood, weights };
  }

  /** b_c ← L⁻¹ b_c for rows b [columns, n] at byte address `b`, by all threads. */
  forward(b: number, columns: number): Promise<void> {
    return this.#cholesky.forward(this.size, this.matrix, b, columns);
  }

  /** K⁻¹ b by the factor. */
  apply(b: Float64Array): Float64Array {
    const n = this.size;
    const { memory } = this.#pool.device;
    const x = b.slice();
    for (let i = 0; i < n; i++) {
      const row = memory.f64(rowAt(this.matrix, i), i + 1);
      let sum = x[i];
      for (let j = 0; j < i; j++) sum -= row[j] * x[j];
      x[i] = sum / row[i];
    }
    for (let i = n - 1; i >= 0; i--) {
      const row = memory.f64(rowAt(this.matrix, i), i + 1);
      const v = (x[i] /= row[i]);
      for (let j = 0; j < i; j++) x[j] -= row[j] * v;
    }
    return x;
  }

  /**
   * ∂ ln p(y)/∂ log θ of every hyper-parameter, then of the two noise variances, [H + 2], after `solve`:
   * ½ tr((α αᵀ − K⁻¹) ∂K/∂log θ) (Rasmussen, Williams, 2006, eq. 5.9).
   */
  async slopes({ weights: alpha }: Evidence, { noise }: Setting): Promise<Float64Array> {
    if (!this.#slopes) throw new TypeError("no room for slopes of the evidence (this is a bug)");
    const n = this.size;
    const { memory } = this.#pool.device;
    await this.#cholesky.inverse(n, this.matrix, this.#spec.weights);
    const E = this.points.energies.length;
    const H = this.kernel.hyperparameters.length;
    const slopes = new Float64Array(H + 2);
    const A = { ...this.matrix, address: this.#spec.weights };
    for (let i = 0; i < n; i++) {
      const row = memory.f64(rowAt(A, i), i + 1);
      for (let j = 0; j <= i; j++) row[j] = 0.5 * (alpha[i] * alpha[j] - row[j]);
      if (i < E) slopes[H] += row[i] * noise.energies;
      else slopes[H + 1] += row[i] * noise.gradients;
    }
    const chunks = await this.#run(WORK.slopes);
    const parts = memory.f64(this.#spec.slopes, chunks * H);
    for (let c = 0; c < chunks; c++) for (let h = 0; h < H; h++) slopes[h] += parts[c * H + h];
    return slopes;
  }

  async #run(work: number): Promise<number> {
    this.#pool.device.memory.i32(this.#spec.control, 1)[0] = work;
    const chunks = chunksOf(this.points);
    await this.#job.run(chunks);
    return chunks;
  }
}

const LN_2PI = Math.log(2 * Math.PI);
