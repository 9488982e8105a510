import type { Task } from "../../device/pool.ts";
import {
  Predictor,
  writeWeight,
  type PointsAddress,
} from "../../regressors/symmetric-gradient-domain/predictor.ts";
import { NumericalError } from "../../error.ts";
import { Cholesky } from "../../math/cholesky.ts";
import { bandEnd, rowAt, strideAt, type Triangle } from "../../math/triangle.ts";
import { TriangularSolves } from "../../math/triangular-solves.ts";
import { Blocks, type GeometriesAddress, type Place } from "./blocks.ts";

/** Geometries whose gradients are predicted together, and rows of a piece of the preconditioner. */
export const QUERIES = 8;
export const ROWS = 512;
/** Rows of a tile of a Gram matrix. */
export const TILE = 128;

/** What every thread is sent once: plain data. */
export interface SystemSpec {
  readonly geometries: GeometriesAddress;
  readonly points: PointsAddress;
  /** Byte addresses of a vector along directions and of its product, [M m] each. */
  readonly vector: number;
  readonly product: number;
  /** Energies of the last product, [M]. */
  readonly energies: number;
  /** The lower triangle of the covariance [M m, M m], packed, or its columns of inducing directions [M m, k]. */
  readonly matrix: number;
  /** Inducing geometries with q directions each: columns of the matrix are theirs. */
  readonly inducing: Int32Array;
  readonly perInducing: number;
  /** Parts of a vector times the columns, [pieces, k], and a vector of inducing directions, [k]; k × k. */
  readonly parts: number;
  readonly small: number;
  readonly gram: number;
  /** Cholesky's factors of what the columns leave of each geometry's own block, [M, m, m], and λ. */
  readonly own: number;
  readonly lambda: number;
  /** Two words: see `WORK`; the first chunk. */
  readonly control: number;
}

export const WORK = {
  covariance: 0,
  columns: 1,
  weights: 2,
  product: 3,
  project: 4,
  expand: 5,
  gram: 6,
  own: 7,
} as const;

/** The pool task `fit.gradient-domain`: what is done geometry by geometry or piece by piece. */
export const gradientDomainTask: Task = ({ device }, given) => {
  const spec = given as SystemSpec;
  const { geometries, points, matrix, inducing, perInducing: q } = spec;
  const { count: M, features: D, directions: m } = geometries;
  const { memory, gemm } = device;
  const n = M * m;
  const K: Triangle = { address: matrix, n, stride: 0 };
  const k = inducing.length * q;
  let blocks: Blocks | undefined;
  let predictor: Predictor | undefined;
  const slopesOf = (j: number) => memory.f64(geometries.slopes + 8 * j * D * m, D * m);
  const z = new Float64Array(QUERIES * D);
  const g = new Float64Array(QUERIES * D);
  const E = new Float64Array(QUERIES);
  const b = new Float64Array(D);

  /** Columns of one geometry, from its own rows down. */
  const covariance = (i: number) => {
    blocks ??= new Blocks(device, geometries);
    const first = i * m;
    blocks.run(i, m, i, M, (row): Place => {
      const stride = strideAt(K, row);
      // What lies right of the diagonal may have no room.
      return { at: rowAt(K, row) + 8 * first, stride, rows: bandEnd(K, row) - row, columns: stride - first };
    });
  };
  const whole = (at: number, stride: number): Place => ({ at, stride, rows: m, columns: stride });
  const columns = (s: number) => {
    blocks ??= new Blocks(device, geometries);
    blocks.run(inducing[s], q, 0, M, (row) => whole(matrix + 8 * (row * k + s * q), k));
  };
  /** b = J v of one geometry. */
  const weights = (j: number) => {
    const J = slopesOf(j);
    const v = memory.f64(spec.vector + 8 * j * m, m);
    for (let d = 0; d < D; d++) {
      let sum = 0;
      for (let a = 0; a < m; a++) sum += J[d * m + a] * v[a];
      b[d] = sum;
    }
    writeWeight(device, points, j, b);
  };
  /** Gradients that the weights predict at some geometries, along their directions. */
  const product = (chunk: number) => {
    predictor ??= new Predictor(device, points, QUERIES);
    const first = chunk * QUERIES;
    const count = Math.min(QUERIES, M - first);
    const from = memory.f64(geometries.negative + 8 * first * D, count * D);
    for (let d = 0; d < count * D; d++) z[d] = -from[d];
    predictor.run(count, z, E, g);
    memory.f64(spec.energies + 8 * first, count).set(E.subarray(0, count));
    for (let r = 0; r < count; r++) {
      const J = slopesOf(first + r);
      const out = memory.f64(spec.product + 8 * (first + r) * m, m).fill(0);
      for (let d = 0; d < D; d++) {
        const slope = g[r * D + d];
        for (let a = 0; a < m; a++) out[a] += slope * J[d * m + a];
      }
    }
  };
  /** Columnsᵀ · vector, of one piece of rows. */
  const project = (chunk: number) => {
    const first = chunk * ROWS;
    const rows = Math.min(ROWS, n - first);
    gemm.f64(
      1,
      k,
      rows,
      spec.vector + 8 * first,
      rows,
      matrix + 8 * first * k,
      k,
      spec.parts + 8 * chunk * k,
      k,
    );
  };
  /** Columns · small, of one piece of rows. */
  const expand = (chunk: number) => {
    const first = chunk * ROWS;
    const rows = Math.min(ROWS, n - first);
    const to = spec.product + 8 * first;
    gemm.f64(rows, 1, k, matrix + 8 * first * k, k, spec.small, 1, to, 1);
  };
  /** Columnsᵀ · columns, the longest tile first. */
  const gram = (chunk: number) => {
    const tiles = Math.ceil(k / TILE);
    const first = (tiles - 1 - chunk) * TILE;
    const rows = Math.min(TILE, k - first);
    gemm.f64(rows, first + rows, n, matrix + 8 * first, k, matrix, k, spec.gram + 8 * first * k, k, {
      transA: true,
    });
  };

  let factor:
    | { readonly cholesky: Cholesky; readonly solves: TriangularSolves; readonly minus: number }
    | undefined;
  /** L of K_jj − B_j B_jᵀ + λ, and B_j ← L⁻¹ B_j. */
  const own = (j: number) => {
    blocks ??= new Blocks(device, geometries);
    factor ??= {
      cholesky: new Cholesky(device, m),
      solves: new TriangularSolves(device, m, k),
      minus: memory.alloc(8 * m * k),
    };
    const [at, B] = [spec.own + 8 * j * m * m, matrix + 8 * j * m * k];
    blocks.run(j, m, j, j + 1, () => whole(at, m));
    const minus = memory.f64(factor.minus, m * k);
    const columnsOf = memory.f64(B, m * k);
    for (let t = 0; t < m * k; t++) minus[t] = -columnsOf[t];
    gemm.f64(m, m, k, B, k, factor.minus, k, at, m, { transB: true, add: true });
    const block = memory.f64(at, m * m);
    for (let a = 0; a < m; a++) block[a * m + a] += spec.lambda;
    if (!factor.cholesky.factor(m, at))
      throw new NumericalError(
        "the preconditioner is not positive definite; a larger model.regressor.ridge makes it so",
      );
    factor.solves.forward({ address: at, stride: m, n: m }, B, k, k);
  };

  const works = [covariance, columns, weights, product, project, expand, gram, own];
  const word = memory.i32(spec.control, 2);
  return (chunk) => works[word[0]](word[1] + chunk);
};
