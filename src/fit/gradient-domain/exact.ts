import type { Pool } from "../../device/pool.ts";
import { NumericalError } from "../../error.ts";
import { PoolCholesky } from "../../math/pool-cholesky.ts";
import type { System } from "./system.ts";

/** v of (K + λ) v = y by Cholesky's factor of the whole matrix. */
export async function solveExactly(system: System, lambda: number, pool: Pool): Promise<Float64Array> {
  const { rows: n, spec, geometries } = system;
  await system.fill(lambda);
  const cholesky = await PoolCholesky.create(pool, n);
  if (!(await cholesky.factor(n, spec.matrix)))
    throw new NumericalError(
      `the covariance of ${n} gradients is not positive definite; a larger model.regressor.ridge than ${lambda} makes it so`,
    );
  const v = geometries.gradients.slice();
  substitute(pool, spec.matrix, n, v);
  return v;
}

/** x ← (L Lᵀ)⁻¹ x for the factor L [n, n] at byte address `a`, row by row: no view of it is longer than a row. */
export function substitute({ device: { memory } }: Pool, a: number, n: number, x: Float64Array): void {
  for (let i = 0; i < n; i++) {
    const row = memory.f64(a + 8 * i * n, i + 1);
    let sum = x[i];
    for (let j = 0; j < i; j++) sum -= row[j] * x[j];
    x[i] = sum / row[i];
  }
  for (let i = n - 1; i >= 0; i--) {
    const row = memory.f64(a + 8 * i * n, i + 1);
    const v = (x[i] /= row[i]);
    for (let j = 0; j < i; j++) x[j] -= row[j] * v;
  }
}
