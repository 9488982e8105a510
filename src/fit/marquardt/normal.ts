import type { Device } from "../../device/device.ts";
import type { Job, Pool, Task } from "../../device/pool.ts";
import { Cholesky, solveCholesky } from "../../math/cholesky.ts";
import type { Measurement } from "../kalman/covariance.ts";

/** Where the matrix lies, and what the caller sets before a job: number, stride and address of the rows. */
export interface NormalSpec {
  readonly parameters: number;
  readonly address: number;
  readonly control: number;
  /** Rows of one chunk of work: the more, the less often the rows of a measurement are read; 64 by default. */
  readonly strip?: number;
}

const ROWS = 64;

/**
 * The pool task `fit.normal`: N_i ← N_i + Σ_m h_i h_j for j ≤ i, rows i of one chunk. Every element is one chain over
 * m, so the bits do not depend on the threads.
 */
export const normalTask: Task = ({ device }, spec) => {
  const { parameters: P, address, control, strip = ROWS } = spec as NormalSpec;
  const set = device.memory.f64(control, 3);
  const last = Math.ceil(P / strip) - 1;
  return (chunk) => {
    const [m, stride, from] = set;
    // The longest rows first.
    const row = (last - chunk) * strip;
    const rows = Math.min(strip, P - row);
    const to = address + 8 * row * P;
    device.gemm.f64(rows, row + rows, m, from + 8 * row, stride, from, stride, to, P, {
      transA: true,
      add: true,
    });
  };
};

/** Bytes of the normal equations of P parameters: the matrix and its factor. */
export const normalBytes = (P: number): number => 16 * P * P;

/** The normal matrix N = Σ h hᵀ of P parameters, lower triangle, and the solution of damped equations. */
export class NormalEquations {
  readonly #device: Device;
  readonly #job: Job;
  readonly #spec: NormalSpec;
  readonly #N: Float64Array;
  readonly #L: Float64Array;
  readonly #cholesky: Cholesky;

  private constructor(device: Device, spec: NormalSpec, job: Job) {
    const { memory } = device;
    const P = spec.parameters;
    this.#device = device;
    this.#spec = spec;
    this.#job = job;
    this.#N = memory.f64(spec.address, P * P);
    this.#L = memory.f64(memory.alloc(8 * P * P), P * P);
    this.#cholesky = new Cholesky(device, P);
  }

  static async create(pool: Pool, parameters: number): Promise<NormalEquations> {
    const { memory } = pool.device;
    const address = memory.alloc(8 * parameters * parameters);
    const spec = { parameters, address, control: memory.alloc(24) };
    return new NormalEquations(pool.device, spec, await pool.prepare("fit.normal", spec));
  }

  reset(): void {
    this.#N.fill(0);
  }

  /** Adds the rows of a measurement. */
  async add({ count, address, stride }: Measurement): Promise<void> {
    this.#device.memory.f64(this.#spec.control, 3).set([count, stride, address]);
    await this.#job.run(Math.ceil(this.#spec.parameters / ROWS));
  }

  /**
   * δ of (scale·N + μ D) δ = x, in place of x; D is the diagonal of scale·N, but nowhere below `floor` of its mean
   * (D. W. Marquardt, DOI 10.1137/0111030). False where the matrix is not positive definite.
   */
  solve(scale: number, mu: number, floor: number, x: Float64Array): boolean {
    const P = this.#spec.parameters;
    const [N, L] = [this.#N, this.#L];
    let trace = 0;
    for (let i = 0; i < P; i++) trace += N[i * P + i];
    const least = (floor * scale * trace) / P;
    for (let i = 0; i < P; i++) {
      for (let j = 0; j <= i; j++) L[i * P + j] = scale * N[i * P + j];
      L[i * P + i] += mu * Math.max(L[i * P + i], least);
    }
    if (!this.#cholesky.factor(P, L.byteOffset)) return false;
    solveCholesky(L, P, x);
    return true;
  }
}
