import type { Device } from "../../device/device.ts";
import type { Job, Pool } from "../../device/pool.ts";
import { NumericalError } from "../../error.ts";
import { Cholesky, invertLower } from "../../math/cholesky.ts";
import { chunksOf, PHASE, UPDATE, type CovarianceBlock, type CovarianceSpec } from "./covariance-task.ts";

/** "combined": one block of all parameters; "element": one per element; a number: elements in parts of at most so many. */
export type Blocks = "combined" | "element" | number;

/** Sizes of the blocks of P parameters whose elements start at `starts`, P last. */
export function blockSizes(blocks: Blocks, P: number, starts: readonly number[] = [0, P]): number[] {
  if (blocks === "combined") return [P];
  const elements = starts.slice(1).map((end, e) => end - starts[e]);
  if (blocks === "element") return elements;
  return elements.flatMap((size) => {
    const parts = Math.ceil(size / blocks);
    return Array.from(
      { length: parts },
      (_, k) => Math.floor(((k + 1) * size) / parts) - Math.floor((k * size) / parts),
    );
  });
}

/** Bytes of the covariance in blocks of these sizes, and of what an update of `most` observations needs beside it. */
export const covarianceBytes = (sizes: readonly number[], most: number): number => {
  const P = sizes.reduce((a, b) => a + b, 0);
  return 8 * (sizes.reduce((sum, n) => sum + n * n, 0) + 3 * P * most + 3 * most * most);
};

/** One measurement: Hᵀ [count, stride] at a byte address, errors ξ [count]. */
export interface Measurement {
  readonly count: number;
  readonly address: number;
  readonly stride: number;
  readonly errors: Float64Array;
}

/**
 * The covariance P of the parameters in diagonal blocks, and its update by all threads:
 *
 *     X = P H,  A = HᵀX + R,  K = X A⁻¹,  P ← (P − K Xᵀ)/λ + q,  θ ← θ + K ξ,
 *
 * with A = L Lᵀ and W = X L⁻ᵀ, so that K Xᵀ = W Wᵀ is symmetric (Blank and Brown, DOI 10.1002/cem.1180080605;
 * Singraber et al., DOI 10.1021/acs.jctc.8b01092). With several blocks, A is the sum over them: the decoupled filter.
 */
export class Covariance {
  /** Each block, [size, size], row-major. */
  readonly blocks: readonly Float64Array[];
  readonly #device: Device;
  readonly #spec: CovarianceSpec;
  readonly #job: Job;
  readonly #control: Float64Array;
  readonly #cholesky: Cholesky;
  readonly #parameters: number;
  /** Byte addresses of A, L⁻¹ and −L⁻¹, [most, most]. */
  readonly #A: number;
  readonly #inverse: number;
  readonly #minusInverse: number;

  private constructor(device: Device, spec: CovarianceSpec, job: Job, most: number) {
    const { memory } = device;
    this.#device = device;
    this.#spec = spec;
    this.#job = job;
    this.blocks = spec.blocks.map(({ address, size }) => memory.f64(address, size * size));
    this.#parameters = spec.blocks.reduce((sum, { size }) => sum + size, 0);
    this.#control = memory.f64(spec.control, UPDATE.size);
    this.#cholesky = new Cholesky(device, most);
    [this.#A, this.#inverse, this.#minusInverse] = [0, 0, 0].map(() => memory.alloc(8 * most * most));
  }

  /** Reserves blocks of these sizes, all zero, for updates of at most `most` observations. */
  static async create(pool: Pool, sizes: readonly number[], most: number): Promise<Covariance> {
    const { memory } = pool.device;
    let first = 0;
    const blocks = sizes.map((size): CovarianceBlock => {
      first += size;
      return { first: first - size, size, address: memory.alloc(8 * size * size) };
    });
    const [X, W, minusW] = [0, 0, 0].map(() => memory.alloc(8 * first * most));
    const spec = { blocks, X, W, minusW, control: memory.alloc(8 * UPDATE.size) };
    return new Covariance(pool.device, spec, await pool.prepare("fit.covariance", spec), most);
  }

  /** P = variance · 1. */
  reset(variance: number): void {
    this.blocks.forEach((P, b) => {
      const { size } = this.#spec.blocks[b];
      P.fill(0);
      for (let i = 0; i < size; i++) P[i * size + i] = variance;
    });
  }

  /** One update with R = `variance`·1, λ = `forget`, q = `noise`; moves θ [parameters]. */
  async update(
    { count: m, address, stride, errors }: Measurement,
    theta: Float64Array,
    variance: number,
    forget: number,
    noise: number,
  ): Promise<void> {
    const { X, W, minusW, blocks } = this.#spec;
    const { gemm, memory } = this.#device;
    const P = this.#parameters;
    const chunks = chunksOf(blocks).length;
    this.#control.set([PHASE.product, m, stride, address, 1 / forget, noise]);
    await this.#job.run(chunks);
    gemm.f64(m, m, P, address, stride, X, m, this.#A, m);
    this.#factor(m, variance);
    gemm.f64(P, m, m, X, m, this.#inverse, m, W, m, { transB: true });
    gemm.f64(P, m, m, X, m, this.#minusInverse, m, minusW, m, { transB: true });
    this.#move(theta, memory.f64(W, P * m), errors);
    this.#control[UPDATE.phase] = PHASE.update;
    await this.#job.run(chunks);
  }

  /** L⁻¹ and −L⁻¹ of A + variance. */
  #factor(m: number, variance: number): void {
    const { memory } = this.#device;
    const [A, inverse, minus] = [this.#A, this.#inverse, this.#minusInverse].map((at) =>
      memory.f64(at, m * m),
    );
    for (let i = 0; i < m; i++) A[i * m + i] += variance;
    if (!this.#cholesky.factor(m, this.#A))
      throw new NumericalError(
        "the innovation matrix of the Kalman filter is not positive definite: rounding has spoilt the covariance; " +
          "try a larger training.kalman.qmin, a larger epsilon, or a forgetting factor nearer to 1",
      );
    invertLower(A, m, inverse);
    for (let k = 0; k < m * m; k++) minus[k] = -inverse[k];
  }

  /** θ ← θ + W L⁻¹ ξ. */
  #move(theta: Float64Array, W: Float64Array, errors: Float64Array): void {
    const m = errors.length;
    const inverse = this.#device.memory.f64(this.#inverse, m * m);
    const y = new Float64Array(m);
    for (let i = 0; i < m; i++) for (let j = 0; j <= i; j++) y[i] += inverse[i * m + j] * errors[j];
    for (let p = 0; p < theta.length; p++) {
      let sum = 0;
      for (let k = 0; k < m; k++) sum += W[p * m + k] * y[k];
      theta[p] += sum;
    }
  }
}
