import type { Job, Pool } from "../../device/pool.ts";
import { pairPlaces, type Permutation } from "../../regressors/symmetric-gradient-domain/group.ts";
import { scaled, symmetricMean } from "../../regressors/symmetric-gradient-domain/molecule.ts";
import {
  Predictor,
  pointsBytes,
  reservePoints,
  writePoints,
} from "../../regressors/symmetric-gradient-domain/predictor.ts";
import { packedNumbers, rowAt, type Triangle } from "../../math/triangle.ts";
import { Blocks } from "./blocks.ts";
import type { Geometries } from "./geometries.ts";
import { QUERIES, ROWS, TILE, WORK, type SystemSpec } from "./task.ts";

/** Chunks of each thread after which it is looked whether to go on. */
const PER_THREAD = 4;

/** Which part of the covariance is held in memory. */
export interface Held {
  /** "all": the lower triangle; "columns": those of inducing directions; "none". */
  readonly part: "all" | "columns" | "none";
  readonly inducing?: Int32Array;
  readonly perInducing?: number;
  /** λ, which the preconditioner takes in. */
  readonly lambda?: number;
}

const factors = (held: Held) => (held.inducing?.length ?? 0) * (held.perInducing ?? 0);

/** Bytes that a system takes. */
export function systemBytes(
  { count: M, size: D, directions: m }: Geometries,
  P: number,
  held: Held,
  threads: number,
): number {
  const [n, k] = [M * m, factors(held)];
  const places = new Int32Array(P * D);
  const set = { points: M, count: M, features: D, directions: m, places };
  const fixed = pointsBytes(M, D) + 8 * (M * (D + D * m + 2) + 2 * n);
  const matrix =
    held.part === "all"
      ? 8 * packedNumbers(n)
      : 8 * (n * k + k * k + Math.ceil(n / ROWS) * k + k + (k > 0 ? n * m : 0));
  return fixed + matrix + threads * (Predictor.bytes(set, QUERIES) + Blocks.bytes(set));
}

/** The equations K v = y of one molecule, and what can be done with K by all threads. */
export class System {
  readonly geometries: Geometries;
  /** Number of equations M m. */
  readonly rows: number;
  /** Number of inducing directions k. */
  readonly inducing: number;
  readonly spec: SystemSpec;
  /** Views: v or its place, K v, and the energies that v predicts. */
  readonly vector: Float64Array;
  readonly product: Float64Array;
  readonly energies: Float64Array;
  /** The whole covariance, where it is held. */
  readonly matrix: Triangle;
  readonly #pool: Pool;
  readonly #job: Job;

  private constructor(pool: Pool, job: Job, spec: SystemSpec, geometries: Geometries) {
    const { memory } = pool.device;
    this.#pool = pool;
    this.#job = job;
    this.spec = spec;
    this.geometries = geometries;
    this.rows = geometries.count * geometries.directions;
    this.inducing = spec.inducing.length * spec.perInducing;
    this.vector = memory.f64(spec.vector, this.rows);
    this.product = memory.f64(spec.product, this.rows);
    this.energies = memory.f64(spec.energies, geometries.count);
    this.matrix = { address: spec.matrix, n: this.rows, stride: 0 };
  }

  /** `room`: byte address for the part that is held; reserved where it is not given. */
  static async create(
    pool: Pool,
    numbers: Uint8Array,
    geometries: Geometries,
    permutations: readonly Permutation[],
    held: Held,
    room?: number,
  ): Promise<System> {
    const { device } = pool;
    const { memory } = device;
    const { count: M, size: D, directions: m } = geometries;
    const [n, k] = [M * m, factors(held)];
    const places = pairPlaces(permutations, numbers.length);
    const points = reservePoints(device, { points: M, features: D, places });
    const own = memory.alloc(8 * M * (D + 1 + D * m));
    const spec: SystemSpec = {
      geometries: {
        count: M,
        features: D,
        directions: m,
        places,
        negative: own,
        squares: own + 8 * M * D,
        slopes: own + 8 * M * (D + 1),
      },
      points,
      vector: memory.alloc(8 * n),
      product: memory.alloc(8 * n),
      energies: memory.alloc(8 * M),
      inducing: held.inducing ?? new Int32Array(0),
      perInducing: held.perInducing ?? 0,
      matrix: room ?? memory.alloc(held.part === "all" ? 8 * packedNumbers(n) : 8 * n * k),
      parts: memory.alloc(8 * Math.ceil(n / ROWS) * k),
      small: memory.alloc(8 * k),
      gram: memory.alloc(8 * k * k),
      own: memory.alloc(k > 0 ? 8 * M * m * m : 0),
      lambda: held.lambda ?? 0,
      control: memory.alloc(8),
    };
    return new System(pool, await pool.prepare("fit.gradient-domain", spec), spec, geometries);
  }

  /** Makes the equations those of a kernel of this length, 1/Å; to be called before anything else. */
  setLength(length: number): void {
    const { device } = this.#pool;
    const { places, negative: at, squares: squaresAt, slopes: slopesAt } = this.spec.geometries;
    const { count: M, size: D, features, slopes: raw } = this.geometries;
    const z = scaled(features, symmetricMean(features, places, D), length);
    writePoints(device, this.spec.points, z);
    const negative = device.memory.f64(at, M * D);
    const squares = device.memory.f64(squaresAt, M).fill(0);
    for (let t = 0; t < M * D; t++) {
      negative[t] = -z[t];
      squares[Math.floor(t / D)] += z[t] * z[t];
    }
    const slopes = device.memory.f64(slopesAt, raw.length);
    for (let t = 0; t < raw.length; t++) slopes[t] = raw[t] / length;
  }

  /** Fills the lower triangle of K, λ added on its diagonal; yields the share that is done. */
  async *fill(lambda: number): AsyncGenerator<number, void> {
    yield* this.#parts(WORK.covariance, this.geometries.count);
    const { memory } = this.#pool.device;
    for (let i = 0; i < this.rows; i++) memory.f64(rowAt(this.matrix, i) + 8 * i, 1)[0] += lambda;
  }

  /** Fills the columns of K. */
  fillColumns(): AsyncGenerator<number, void> {
    return this.#parts(WORK.columns, this.spec.inducing.length);
  }

  /** `product` = K `vector`, and `energies`, without K in memory. */
  async multiply(): Promise<void> {
    const M = this.geometries.count;
    await this.#run(WORK.weights, M);
    await this.#run(WORK.product, Math.ceil(M / QUERIES));
  }

  /** Columnsᵀ `vector`, [k]: parts are added in their order. */
  async project(): Promise<Float64Array> {
    const [k, pieces] = [this.inducing, Math.ceil(this.rows / ROWS)];
    await this.#run(WORK.project, pieces);
    const parts = this.#pool.device.memory.f64(this.spec.parts, pieces * k);
    const sum = new Float64Array(k);
    for (let p = 0; p < pieces; p++) for (let c = 0; c < k; c++) sum[c] += parts[p * k + c];
    return sum;
  }

  /** `product` = columns · x. */
  async expand(x: Float64Array): Promise<void> {
    this.#pool.device.memory.f64(this.spec.small, this.inducing).set(x);
    await this.#run(WORK.expand, Math.ceil(this.rows / ROWS));
  }

  /** Takes from the columns, made B, what they leave of each geometry's own block: B_j ← L_j⁻¹ B_j. */
  scaleColumns(): AsyncGenerator<number, void> {
    return this.#parts(WORK.own, this.geometries.count);
  }

  /** Lower triangle of columnsᵀ columns, [k, k]. */
  gram(): AsyncGenerator<number, void> {
    return this.#parts(WORK.gram, Math.ceil(this.inducing / TILE), 1);
  }

  /** Weights of the training geometries ∂x/∂R·v, [M, D], eV/Å for v in eV. */
  weights(v: Float64Array): Float64Array {
    const { count: M, size: D, directions: m, slopes } = this.geometries;
    const out = new Float64Array(M * D);
    for (let t = 0; t < M * D; t++) {
      const first = Math.floor(t / D) * m;
      for (let a = 0; a < m; a++) out[t] += slopes[t * m + a] * v[first + a];
    }
    return out;
  }

  /** The same a few chunks at a time; yields the share that is done. */
  async *#parts(work: number, chunks: number, perThread = PER_THREAD): AsyncGenerator<number, void> {
    const size = perThread * this.#pool.threads;
    // all threads work on each part
    for (let first = 0; first < chunks; first += size) {
      await this.#run(work, Math.min(size, chunks - first), first);
      yield Math.min(1, (first + size) / chunks);
    }
  }

  async #run(work: number, chunks: number, first = 0): Promise<void> {
    this.#pool.device.memory.i32(this.spec.control, 2).set([work, first]);
    await this.#job.run(chunks);
  }
}
