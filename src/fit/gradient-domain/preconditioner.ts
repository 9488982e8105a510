import type { Pool } from "../../device/pool.ts";
import { NumericalError } from "../../error.ts";
import { PoolCholesky } from "../../math/pool-cholesky.ts";
import { substitute } from "./exact.ts";
import type { System } from "./system.ts";

/** Rounding of the columns' own covariance, a part of its trace, by which it is made positive definite. */
const ROUNDING = 1e-14;

/**
 * The inverse of B Bᵀ + L Lᵀ: the Nyström approximation B Bᵀ = K_nk K_kk⁻¹ K_kn of K from whole geometries
 * (S. Chmiela et al., DOI 10.1126/sciadv.adf0873), and what it leaves of every geometry's own block of K + λ, by
 * Woodbury's formula. The blocks matter: forces on the atoms of one geometry depend on each other the most.
 */
export class Preconditioner {
  readonly #system: System;
  readonly #pool: Pool;

  private constructor(system: System, pool: Pool) {
    this.#system = system;
    this.#pool = pool;
  }

  static async create(system: System, pool: Pool): Promise<Preconditioner> {
    const { rows: n, inducing: k, spec } = system;
    const { memory } = pool.device;
    await system.fillColumns();
    const { directions: m } = system.geometries;
    const q = spec.perInducing;
    const gram = memory.f64(spec.gram, k * k);
    for (let c = 0; c < k; c++) {
      const row = spec.inducing[Math.floor(c / q)] * m + (c % q);
      gram.set(memory.f64(spec.matrix + 8 * row * k, k), c * k);
    }
    let trace = 0;
    for (let c = 0; c < k; c++) trace += gram[c * k + c];
    for (let c = 0; c < k; c++) gram[c * k + c] += spec.lambda + ROUNDING * trace;
    const cholesky = await PoolCholesky.create(pool, k);
    await factor(cholesky, k, spec.gram);
    await cholesky.forward(k, spec.gram, spec.matrix, n);
    await system.scaleColumns();
    await system.gram();
    for (let c = 0; c < k; c++) gram[c * k + c] += 1;
    await factor(cholesky, k, spec.gram);
    return new Preconditioner(system, pool);
  }

  /** `to` = M⁻¹ r. */
  async apply(r: Float64Array, to: Float64Array): Promise<void> {
    const system = this.#system;
    const { vector } = system;
    vector.set(r);
    this.#own((L, x, m) => {
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < i; j++) x[i] -= L[i * m + j] * x[j];
        x[i] /= L[i * m + i];
      }
    });
    const x = await system.project();
    substitute(this.#pool, system.spec.gram, system.inducing, x);
    await system.expand(x);
    for (let i = 0; i < r.length; i++) vector[i] -= system.product[i];
    this.#own((L, y, m) => {
      for (let i = m - 1; i >= 0; i--) {
        y[i] /= L[i * m + i];
        for (let j = 0; j < i; j++) y[j] -= L[i * m + j] * y[i];
      }
    });
    to.set(vector);
  }

  /** Does something to the part of `vector` of every geometry with the factor of its own block. */
  #own(work: (L: Float64Array, x: Float64Array, m: number) => void): void {
    const { spec, geometries, vector } = this.#system;
    const { count, directions: m } = geometries;
    for (let j = 0; j < count; j++)
      work(
        this.#pool.device.memory.f64(spec.own + 8 * j * m * m, m * m),
        vector.subarray(j * m, (j + 1) * m),
        m,
      );
  }
}

async function factor(cholesky: PoolCholesky, k: number, at: number): Promise<void> {
  if (!(await cholesky.factor(k, at)))
    throw new NumericalError(
      "the preconditioner is not positive definite; a larger model.regressor.ridge makes it so",
    );
}
