import type { Pool } from "../../../device/pool.ts";
import { invalid } from "../../../error.ts";
import { secondsOf, type Expected } from "../../course.ts";
import { rowsOf } from "../layout.ts";
import type { RowsInput, RowsPlan } from "../prepare.ts";
import { PREDICTION, STAGE } from "../stages.ts";
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
  const all = [...frames.keys()].reduce((total, f) => total + rowsOf(data.size(f)), 0);
  const stages = stagesOf(pool, equations, rows, perRow / 1000, all);
  const plan = {
    rows,
    columns: P,
    folds: 1,
    rounds: blocks.length,
    seconds: secondsOf(stages),
    stages,
    bytes,
    beside: Equations.savedBytes(P + 1),
  };
  return { rows: new NormalWorkspace(equations, await NormalSolver.create(equations), stages), plan };
}

/** Solutions with the factor: one for the parameters, the others for their effective number. */
const SOLUTIONS = 9;

/** What will be done and how long it takes; `all` rows of all frames are predicted twice in the end. */
function stagesOf(pool: Pool, equations: Equations, rows: number, perRow: number, all: number): Expected[] {
  const { columns: N } = equations.setup;
  const { product, read } = productTimes(pool, equations);
  const { threads } = pool;
  return [
    { name: STAGE.rows, seconds: (perRow * rows + product * rows * N * N) / threads },
    {
      name: STAGE.solve,
      seconds: (product * N ** 3) / 3 / threads + read * N * N * (1 + SOLUTIONS),
    },
    { name: STAGE.errors, seconds: (2 * PREDICTION * perRow * all) / threads },
  ];
}

/** Seconds of an operation of a product with a strip, and of a number that is read. */
function productTimes(
  { device }: Pool,
  { address, setup: { columns: N } }: Equations,
): { readonly product: number; readonly read: number } {
  const n = Math.min(STRIP, N);
  const run = () => device.gemm.f64(n, N, n, address, N, address, N, address, N, { transA: true, add: true });
  run();
  const began = performance.now();
  run();
  const product = (performance.now() - began) / 1000 / (2 * n * N * n);
  const strip = device.memory.f64(address, n * N);
  let sum = 0;
  const start = performance.now();
  for (let k = 0; k < strip.length; k++) sum += strip[k] * strip[k];
  if (Number.isNaN(sum)) throw new TypeError("numbers that are none (this is a bug)");
  return { product, read: (performance.now() - start) / 1000 / strip.length };
}
