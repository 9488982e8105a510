import type { Task } from "../../device/pool.ts";

/** A square block of the covariance: parameters first … first+size, P [size, size] at a byte address. */
export interface CovarianceBlock {
  readonly first: number;
  readonly size: number;
  readonly address: number;
}

/** Where everything of a filter lies: plain data, sent to threads. */
export interface CovarianceSpec {
  readonly blocks: readonly CovarianceBlock[];
  /** Byte addresses of X = P H, of W and of −W, [parameters, m] each. */
  readonly X: number;
  readonly W: number;
  readonly minusW: number;
  /** Byte address of the three integers and two reals of an update, see `UPDATE`. */
  readonly control: number;
}

/** What the caller sets before each job: what to do, m, stride and address of Hᵀ, 1/λ, q. */
export const UPDATE = { phase: 0, count: 1, stride: 2, measurement: 3, scale: 4, noise: 5, size: 6 } as const;
export const PHASE = { product: 0, update: 1 } as const;

/** Rows of one chunk of work. */
const ROWS = 64;

/** Chunks: block and first row, those with the most work first. */
export const chunksOf = (blocks: readonly CovarianceBlock[]): (readonly [block: number, row: number])[] =>
  blocks
    .flatMap(({ size }, b) =>
      Array.from({ length: Math.ceil(size / ROWS) }, (_, r) => [b, r * ROWS] as const),
    )
    .sort((x, y) => y[1] - x[1] || x[0] - y[0]);

/**
 * The pool task `fit.covariance`, for rows i of one block:
 * product: X_i = P_i H;
 * update: P_ij ← (P_ij − W_i·W_j)/λ + q δ_ij for j ≤ i, copied to P_ji, so that P stays symmetric to the bit.
 * A chunk writes what no other one reads or writes, and every element is one chain of operations: the bits do not
 * depend on the threads.
 */
export const covarianceTask: Task = ({ device }, spec) => {
  const { blocks, X, W, minusW, control } = spec as CovarianceSpec;
  const { memory, gemm } = device;
  const set = memory.f64(control, UPDATE.size);
  const chunks = chunksOf(blocks);
  const views = blocks.map(({ address, size }) => memory.f64(address, size * size));
  const product = ({ first, size, address }: CovarianceBlock, row: number, rows: number) => {
    const [m, stride] = [set[UPDATE.count], set[UPDATE.stride]];
    const Ht = set[UPDATE.measurement] + 8 * first;
    const to = X + 8 * (first + row) * m;
    gemm.f64(rows, m, size, address + 8 * row * size, size, Ht, stride, to, m, { transB: true });
  };
  const update = ({ first, size, address }: CovarianceBlock, P: Float64Array, row: number, rows: number) => {
    const m = set[UPDATE.count];
    const [from, to] = [8 * first * m, address + 8 * row * size];
    const left = W + from + 8 * row * m;
    gemm.f64(rows, row + rows, m, left, m, minusW + from, m, to, size, { transB: true, add: true });
    const [scale, noise] = [set[UPDATE.scale], set[UPDATE.noise]];
    for (let i = row; i < row + rows; i++) {
      for (let j = 0; j < i; j++) P[j * size + i] = P[i * size + j] *= scale;
      P[i * size + i] = P[i * size + i] * scale + noise;
    }
  };
  return (chunk) => {
    const [b, row] = chunks[chunk];
    const rows = Math.min(ROWS, blocks[b].size - row);
    if (set[UPDATE.phase] === PHASE.product) product(blocks[b], row, rows);
    else update(blocks[b], views[b], row, rows);
  };
};
