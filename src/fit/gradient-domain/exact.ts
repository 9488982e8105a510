import type { Pool } from "../../device/pool.ts";
import { NumericalError } from "../../error.ts";
import { PoolCholesky } from "../../math/pool-cholesky.ts";
import { BAND, rowAt, type Triangle } from "../../math/triangle.ts";
import type { Written } from "../checkpoint.ts";
import { copyInto } from "../optimiser.ts";
import type { Solution } from "./solution.ts";
import type { System } from "./system.ts";

/** Of the whole work, filling the matrix takes about this share. */
const FILLING = 0.03;

/** v of (K + λ) v = y by Cholesky's factor of the whole matrix, a panel of columns at a time. */
export class ExactSolution implements Solution {
  readonly #system: System;
  readonly #lambda: number;
  readonly #pool: Pool;
  readonly #cholesky: PoolCholesky;
  readonly #steps: AsyncGenerator<void, void>;
  /** Columns of the factor that are done. */
  #columns = 0;
  #filled = 0;
  /** Of an earlier run. */
  #saved: Float64Array | undefined;

  private constructor(system: System, lambda: number, pool: Pool, cholesky: PoolCholesky) {
    this.#system = system;
    this.#lambda = lambda;
    this.#pool = pool;
    this.#cholesky = cholesky;
    this.#steps = this.#run();
  }

  /** With what factors matrices of this size, where there is one already. */
  static async create(
    system: System,
    lambda: number,
    pool: Pool,
    cholesky?: PoolCholesky,
  ): Promise<ExactSolution> {
    return new ExactSolution(
      system,
      lambda,
      pool,
      cholesky ?? (await PoolCholesky.create(pool, system.rows)),
    );
  }

  get done(): number {
    const n = this.#system.rows;
    const factored = PoolCholesky.flops(n, this.#columns) / PoolCholesky.flops(n);
    return FILLING * this.#filled + (1 - FILLING) * factored;
  }

  async advance(): Promise<boolean> {
    return (await this.#steps.next()).done!;
  }

  async *#run(): AsyncGenerator<void, void> {
    const { rows: n, matrix } = this.#system;
    for await (this.#filled of this.#system.fill(this.#lambda)) yield;
    if (this.#saved) this.#restore(this.#saved);
    const panels = this.#cholesky.panels(n, matrix, this.#columns);
    // each panel needs those before
    let next = await panels.next();
    for (; !next.done; next = await panels.next()) {
      this.#columns = next.value;
      yield;
    }
    if (!next.value)
      throw new NumericalError(
        `the covariance of ${n} gradients is not positive definite; a larger model.regressor.ridge than ${this.#lambda} makes it so`,
      );
    this.#columns = n;
  }

  get solution(): Float64Array {
    const v = this.#system.geometries.gradients.slice();
    substitute(this.#pool, this.#system.matrix, v);
    return v;
  }

  /** The columns of the factor that are done, row after row. */
  save(): Record<string, Float64Array | Written> {
    if (this.#columns === 0) return this.#saved ? { factor: this.#saved } : {};
    const n = this.#system.rows;
    const k = this.#columns;
    return {
      factor: {
        length: 1 + (k * (k + 1)) / 2 + (n - k) * k,
        write: (to) => {
          to[0] = k;
          this.#each(k, (row, at) => to.set(row, at));
        },
      },
    };
  }

  load({ factor }: Readonly<Record<string, Float64Array>>): void {
    this.#saved = factor;
  }

  #restore(factor: Float64Array): void {
    const k = factor[0];
    if (k % BAND !== 0 && k !== this.#system.rows) throw new TypeError("a panel half done (this is a bug)");
    this.#each(k, (row, at) => copyInto(row, factor.subarray(at, at + row.length), "factor"));
    this.#columns = k;
    this.#saved = undefined;
  }

  /** The first k columns of every row, and where they go. */
  #each(k: number, use: (row: Float64Array, at: number) => void): void {
    const { matrix } = this.#system;
    let at = 1;
    for (let i = 0; i < matrix.n; i++) {
      const row = this.#pool.device.memory.f64(rowAt(matrix, i), Math.min(i + 1, k));
      use(row, at);
      at += row.length;
    }
  }
}

/** v of (K + λ) v = y. */
export async function solveExactly(system: System, lambda: number, pool: Pool): Promise<Float64Array> {
  const solution = await ExactSolution.create(system, lambda, pool);
  // each panel needs those before
  while (!(await solution.advance()));
  return solution.solution;
}

/** x ← (L Lᵀ)⁻¹ x for the factor L, row by row: no view of it is longer than a row. */
export function substitute({ device: { memory } }: Pool, L: Triangle, x: Float64Array): void {
  for (let i = 0; i < L.n; i++) {
    const row = memory.f64(rowAt(L, i), i + 1);
    let sum = x[i];
    for (let j = 0; j < i; j++) sum -= row[j] * x[j];
    x[i] = sum / row[i];
  }
  for (let i = L.n - 1; i >= 0; i--) {
    const row = memory.f64(rowAt(L, i), i + 1);
    const v = (x[i] /= row[i]);
    for (let j = 0; j < i; j++) x[j] -= row[j] * v;
  }
}
