import type { Pool } from "../../device/pool.ts";
import { NumericalError } from "../../error.ts";
import { PoolCholesky } from "../../math/pool-cholesky.ts";
import { substitute } from "./exact.ts";
import type { System } from "./system.ts";

/** Columns of B that each thread takes before it is looked whether to go on. */
const PER_THREAD = 512;
/** Shares of the time: columns, their own factor, B, blocks, the Gram matrix, its factor. */
const SHARES = [0.06, 0.03, 0.44, 0.02, 0.42, 0.03];

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

  /** Yields the share that is done. */
  static async *create(system: System, pool: Pool): AsyncGenerator<number, Preconditioner> {
    const { rows: n, inducing: k, spec } = system;
    const { memory } = pool.device;
    yield* within(0, system.fillColumns());
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
    yield* within(1, factor(cholesky, k, spec.gram));
    yield* within(2, forward(cholesky, k, spec.gram, spec.matrix, n, PER_THREAD * pool.threads));
    yield* within(3, system.scaleColumns());
    yield* within(4, system.gram());
    for (let c = 0; c < k; c++) gram[c * k + c] += 1;
    yield* within(5, factor(cholesky, k, spec.gram));
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
    substitute(this.#pool, { address: system.spec.gram, n: system.inducing, stride: system.inducing }, x);
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

/** Shares of one stage as shares of all. */
async function* within(stage: number, parts: AsyncGenerator<number, void>): AsyncGenerator<number, void> {
  const before = SHARES.slice(0, stage).reduce((a, b) => a + b, 0);
  for await (const part of parts) yield before + SHARES[stage] * part;
}

/** b ← L⁻¹ b for rows b [columns, k], some at a time. */
async function* forward(
  cholesky: PoolCholesky,
  k: number,
  L: number,
  b: number,
  columns: number,
  size: number,
): AsyncGenerator<number, void> {
  // all threads work on each part
  for (let first = 0; first < columns; first += size) {
    const count = Math.min(size, columns - first);
    await cholesky.forward(k, L, b + 8 * first * k, count);
    yield (first + count) / columns;
  }
}

async function* factor(cholesky: PoolCholesky, k: number, at: number): AsyncGenerator<number, void> {
  const panels = cholesky.panels(k, at);
  // each panel needs those before
  let next = await panels.next();
  for (; !next.done; next = await panels.next())
    yield PoolCholesky.flops(k, next.value) / PoolCholesky.flops(k);
  if (!next.value)
    throw new NumericalError(
      "the preconditioner is not positive definite; a larger model.regressor.ridge makes it so",
    );
}
