import { invalid } from "../../../error.ts";
import { solveCholesky } from "../../../math/cholesky.ts";
import { PoolCholesky } from "../../../math/pool-cholesky.ts";
import { Random } from "../../../math/random.ts";
import { noiseOf } from "../solvers/solver.ts";
import { NEGLIGIBLE } from "../system.ts";
import type { Equations } from "./equations.ts";

/** The minimum of |A θ − b|² + λ |D θ|², D the lengths of the columns of A. */
export interface NormalSolution {
  readonly theta: Float64Array;
  /** Effective number of parameters, estimated. */
  readonly effective: number;
  /** Parameters that the data say something of, and those of which they say nothing. */
  readonly rank: number;
  readonly unused: readonly number[];
  /** Standard deviation of a weighted row. */
  readonly noise: number;
}

/** Of a part this small of the square of a free column that others leave, rounding has made most. */
const ROUNDING = 1e-12;
/** Random vectors for the trace of the inverse. */
const PROBES = 8;

/** Free columns that are, to rounding, combinations of free ones before them: energies of atoms that always come together. */
function dependent(G: Float64Array, N: number, free: readonly number[]): number[] {
  const L: number[][] = [];
  const kept: number[] = [];
  const found: number[] = [];
  for (const k of free) {
    const row: number[] = [];
    for (const [j, other] of kept.entries()) {
      let sum = G[k * N + other];
      for (let l = 0; l < j; l++) sum -= row[l] * L[j][l];
      row.push(sum / L[j][j]);
    }
    const left = G[k * N + k] - row.reduce((sum, x) => sum + x * x, 0);
    if (left <= ROUNDING * G[k * N + k]) found.push(k);
    else {
      L.push([...row, Math.sqrt(left)]);
      kept.push(k);
    }
  }
  return found;
}

/** Solves the equations; parameters that do not decay are free of the penalty. The equations stay as they are. */
export class NormalSolver {
  readonly #equations: Equations;
  readonly #cholesky: PoolCholesky;
  /** Byte address of the factor, [P, P]. */
  readonly #factor: number;

  private constructor(equations: Equations, cholesky: PoolCholesky, factor: number) {
    this.#equations = equations;
    this.#cholesky = cholesky;
    this.#factor = factor;
  }

  static async create(equations: Equations): Promise<NormalSolver> {
    const { pool, setup } = equations;
    const P = setup.columns - 1;
    const factor = pool.device.memory.alloc(8 * P * P);
    return new NormalSolver(equations, await PoolCholesky.create(pool, P), factor);
  }

  static bytes(P: number, threads: number): number {
    return 8 * P * P + PoolCholesky.bytes(P, threads);
  }

  /** Yields the share of the factor that is done. */
  async *solve(decays: Uint8Array, lambda: number): AsyncGenerator<number, NormalSolution> {
    const P = decays.length;
    const N = P + 1;
    const G = this.#equations.matrix;
    const lengths = Float64Array.from(decays, (_, k) => Math.sqrt(G[k * N + k]));
    const least = NEGLIGIBLE * lengths.reduce((a, b) => Math.max(a, b), 0);
    const scale = lengths.map((s) => (s < least ? 0 : s));
    const free = Array.from(decays.keys()).filter((k) => decays[k] === 0 && scale[k] > 0);
    const out = new Set(dependent(G, N, free));
    // Its equation becomes x = 0.
    const used = scale.map((s, k) => (out.has(k) ? 0 : s));
    const M = this.#equations.pool.device.memory.f64(this.#factor, P * P);
    for (let i = 0; i < P; i++) {
      for (let j = 0; j < i; j++)
        M[i * P + j] = used[i] * used[j] > 0 ? G[i * N + j] / (used[i] * used[j]) : 0;
      M[i * P + i] = used[i] > 0 ? 1 + (decays[i] === 1 ? lambda : 0) : 1;
    }
    const panels = this.#cholesky.panels(P, this.#factor);
    // each panel needs those before
    let next = await panels.next();
    for (; !next.done; next = await panels.next())
      yield PoolCholesky.flops(P, next.value) / PoolCholesky.flops(P);
    if (!next.value)
      throw invalid(
        "training.leastSquares.strength",
        "a stronger penalty, or another solver: to rounding, the normal equations are not positive definite",
        lambda,
      );
    const b = used.map((s, k) => (s > 0 ? G[P * N + k] / s : 0));
    const x = b.slice();
    solveCholesky(M, P, x);
    let [fitted, penalty] = [0, 0];
    for (let k = 0; k < P; k++) {
      fitted += b[k] * x[k];
      if (decays[k] === 1) penalty += lambda * x[k] * x[k];
    }
    const rank = used.reduce((n, s) => n + (s > 0 ? 1 : 0), 0);
    const effective = rank - lambda * trace(M, P, (k) => decays[k] === 1 && used[k] > 0);
    const error = Math.max(0, G[P * N + P] - fitted - penalty);
    return {
      theta: x.map((v, k) => (used[k] > 0 ? v / used[k] : 0)),
      effective,
      rank,
      unused: [...used.keys()].filter((k) => used[k] === 0),
      noise: noiseOf(error, this.#equations.count, effective),
    };
  }
}

/** Σ_k (L Lᵀ)⁻¹_kk over some k, from random signs (M. F. Hutchinson, DOI 10.1080/03610919008812866). */
function trace(L: Float64Array, n: number, counts: (k: number) => boolean): number {
  const random = new Random(1, "trace");
  let total = 0;
  for (let probe = 0; probe < PROBES; probe++) {
    const v = Float64Array.from({ length: n }, (_, k) => (counts(k) ? (random.uniform() < 0.5 ? -1 : 1) : 0));
    const x = v.slice();
    solveCholesky(L, n, x);
    total += x.reduce((sum, y, k) => sum + v[k] * y, 0);
  }
  return total / PROBES;
}
