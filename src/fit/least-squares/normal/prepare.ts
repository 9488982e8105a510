import type { Pool } from "../../../device/pool.ts";
import { invalid } from "../../../error.ts";
import { rowsOf } from "../layout.ts";
import type { RowsInput, RowsPlan } from "../prepare.ts";
import type { RowWeights } from "../weights.ts";
import { Equations, STRIP } from "./equations.ts";
import { NormalSolver } from "./solve.ts";
import { NormalWorkspace } from "./workspace.ts";

/** What the caller knows of the rows. */
export interface Counted {
  /** Training frames that count. */
  readonly train: readonly number[];
  readonly weights: readonly (RowWeights | null)[];
  /** Rows with a weight that a frame has. */
  readonly used: (frame: number) => number;
  /** Milliseconds in which one row is made. */
  readonly perRow: number;
}

/** Rows of a block: many against a strip, since the matrix is read and written for each block. */
const BLOCK_ROWS = 1024;

/** Blocks of consecutive frames of at most BLOCK_ROWS rows, or of one frame that has more. */
function blocksOf(train: readonly number[], used: (f: number) => number): number[][] {
  const blocks: number[][] = [];
  let rows = Infinity;
  for (const f of train) {
    if (rows + used(f) > BLOCK_ROWS) {
      blocks.push([]);
      rows = 0;
    }
    blocks.at(-1)!.push(f);
    rows += used(f);
  }
  return blocks;
}

/** Normal equations ready to be made, and what that will take; refused where memory does not do. */
export async function prepareNormal(
  { pool, model, frames, data, options, term, elements }: RowsInput,
  { train, weights, used, perRow }: Counted,
): Promise<{ rows: NormalWorkspace; plan: RowsPlan }> {
  const { memory, strength } = options.leastSquares;
  if (strength === "auto")
    throw invalid("training.leastSquares.strength", "a number for solver normal, such as 1e-11", strength);
  if (model.prior)
    throw invalid("training.leastSquares.solver", "qr or another one for this regressor", "normal");
  const P = model.parameters.length;
  const blocks = blocksOf(train, used);
  const sum = (block: readonly number[]) => block.reduce((n, f) => n + used(f), 0);
  const blockRows = Math.max(...blocks.map(sum));
  const largest = Math.max(...train.map((f) => rowsOf(data.size(f))));
  const bytes =
    Equations.bytes(P + 1, blockRows) +
    NormalSolver.bytes(P, pool.threads) +
    8 * pool.threads * largest * (P + 1);
  if (bytes > memory * 2 ** 20)
    throw invalid(
      "training.leastSquares.memory",
      `at least ${Math.ceil(bytes / 2 ** 20)} MiB for two matrices of ${P}² numbers and blocks of ${blockRows} rows`,
      `${memory} MiB`,
    );
  const equations = await Equations.create(pool, {
    term,
    elements,
    data,
    columns: P + 1,
    blocks,
    blockRows,
    rowsOf: used,
    weights,
    place: (f) => frames[f].place,
  });
  const rows = sum(train);
  const plan = {
    rows,
    columns: P,
    folds: 1,
    rounds: blocks.length,
    seconds: ((perRow * rows) / pool.threads + productsTime(pool, equations, rows)) / 1000,
    bytes,
  };
  return { rows: new NormalWorkspace(equations, await NormalSolver.create(equations)), plan };
}

/** Milliseconds that all threads need for the products and the factor, from one strip of zeros. */
function productsTime(
  { device, threads }: Pool,
  { address, setup: { columns: N } }: Equations,
  rows: number,
): number {
  const n = Math.min(STRIP, N);
  const run = () => device.gemm.f64(n, N, n, address, N, address, N, address, N, { transA: true, add: true });
  run();
  const began = performance.now();
  run();
  const perProduct = (performance.now() - began) / (n * N * n);
  return (perProduct * (rows * (N / 2) * N + N ** 3 / 6)) / threads;
}
