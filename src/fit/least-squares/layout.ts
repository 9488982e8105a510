import { invalid } from "../../error.ts";
import type { InputError } from "../../error.ts";
import { RowQr } from "../../math/qr.ts";
import { Random } from "../../math/random.ts";
import type { Frame } from "../../structure/structure.ts";
import type { LeastSquaresOptions } from "./options.ts";

/** Frames that are left out together, by the name that the report gives them. */
export interface Fold {
  readonly name: string;
  readonly frames: readonly number[];
}

/** One triangle that grows by the blocks of rows of some frames, one block after another. */
export interface Lane {
  readonly fold: number;
  /** Frames of each block. */
  readonly blocks: readonly (readonly number[])[];
}

/** How the rows of the design matrix are cut up: by data, columns and memory, not by threads, so that bits do not depend on them. */
export interface Layout {
  readonly folds: readonly Fold[];
  readonly lanes: readonly Lane[];
  /** Rows of a block at most, before those without weight are dropped. */
  readonly blockRows: number;
  /** Blocks of the longest lane. */
  readonly rounds: number;
  /** Rows of all blocks, likewise. */
  readonly rows: number;
  /** P + 1. */
  readonly columns: number;
  /** Bytes of triangles and of the blocks of all threads. */
  readonly bytes: number;
}

/** Config_types from which on a random division is clearer. */
const MOST_TYPES = 24;
const FOLDS = 8;
const MOST_LANES = 48;

/** Rows that a frame of n atoms may have. */
export const rowsOf = (n: number): number => 1 + 3 * n + 6;

/** The folds asked for; none where frames are fewer than folds would need. */
export function makeFolds(
  frames: readonly Frame[],
  train: readonly number[],
  { folds }: LeastSquaresOptions,
  seed: number,
): Fold[] {
  const types = new Map<string, number[]>();
  for (const f of train) {
    const name = frames[f].configType ?? "";
    types.set(name, [...(types.get(name) ?? []), f]);
  }
  const byType = folds === "config_type" || (folds === "auto" && types.size > 1 && types.size <= MOST_TYPES);
  if (folds === "config_type" && types.size < 2)
    throw invalid("training.leastSquares.folds", "a number: the training frames have one config_type", folds);
  if (byType)
    return [...types].map(([name, members]) => ({ name: name || "without config_type", frames: members }));
  const count = Math.min(typeof folds === "number" ? folds : FOLDS, train.length);
  if (count < 2) return [{ name: "all", frames: train }];
  const order = new Random(seed, "folds").shuffle([...train]);
  return Array.from({ length: count }, (_, k) => ({
    name: `part ${k + 1} of ${count}`,
    frames: order.filter((_, at) => at % count === k),
  }));
}

/** Blocks of consecutive frames, of at most `target` rows each. */
function blocksOf(fold: Fold, size: (f: number) => number, target: number): number[][] {
  const blocks: number[][] = [];
  let rows = Infinity;
  for (const f of fold.frames) {
    if (rows + size(f) > target) {
      blocks.push([]);
      rows = 0;
    }
    blocks.at(-1)!.push(f);
    rows += size(f);
  }
  return blocks;
}

/** `blocks` as `count` runs of nearly equal length. */
const runs = <T>(blocks: readonly T[], count: number): T[][] =>
  Array.from({ length: count }, (_, k) =>
    blocks.slice(Math.floor((k * blocks.length) / count), Math.floor(((k + 1) * blocks.length) / count)),
  );

/** Bytes of what one thread works with: a block of rows and the reflections. */
const threadBytes = (columns: number, blockRows: number): number =>
  8 * blockRows * columns + RowQr.bytes(columns, blockRows);

/**
 * Lanes and blocks for P parameters. Blocks are long against the number of columns, since a triangle is read and
 * written for each; there are lanes enough for many threads, but not so many that merging them counts.
 */
export function makeLayout(
  folds: readonly Fold[],
  atoms: (frame: number) => number,
  P: number,
  { memory }: LeastSquaresOptions,
  threads: number,
): Layout {
  const columns = P + 1;
  const size = (f: number) => rowsOf(atoms(f));
  const all = folds.flatMap(({ frames }) => frames.map(size));
  const rows = all.reduce((a, b) => a + b, 0);
  const largest = Math.max(...all);
  const limit = memory * 2 ** 20;
  const triangle = 8 * columns * columns;
  const wished = Math.max(largest, Math.min(2048, Math.max(256, columns)));
  // Of the memory, triangles may take half: one per lane and fold, and some while folds are left out.
  const beside = folds.length + Math.ceil(Math.log2(folds.length)) + 4;
  const room = Math.floor(limit / 2 / triangle) - beside;
  const count = Math.min(MOST_LANES, Math.max(folds.length, Math.floor(rows / (4 * columns))));
  const most = Math.max(folds.length, Math.min(count, room));
  const lanes = folds.flatMap((fold, f) => {
    const blocks = blocksOf(fold, size, wished);
    const part = fold.frames.reduce((sum, k) => sum + size(k), 0) / rows;
    const share = Math.max(1, Math.min(blocks.length, Math.round(part * most)));
    return runs(blocks, share).map((blocks): Lane => ({ fold: f, blocks }));
  });
  const bytes = triangle * (lanes.length + beside) + threads * threadBytes(columns, wished) + 8 * largest;
  const rounds = Math.max(...lanes.map(({ blocks }) => blocks.length));
  return { folds, lanes, blockRows: wished, rounds, rows, columns, bytes };
}

/** Bytes of the triangles in a checkpoint. */
export const savedBytes = ({ columns, lanes }: Layout): number => 4 * lanes.length * columns * (columns + 1);

/** What a layout that takes more memory than allowed is refused with. */
export const tooLarge = (
  { bytes, lanes, columns, blockRows }: Layout,
  { memory }: LeastSquaresOptions,
): InputError =>
  invalid(
    "training.leastSquares.memory",
    `at least ${Math.ceil(bytes / 2 ** 20)} MiB for ${lanes.length} triangles of ${columns}² numbers and blocks of ` +
      `${blockRows} rows, or fewer folds (training.leastSquares.folds), solver normal, or fewer parameters`,
    `${memory} MiB`,
  );
