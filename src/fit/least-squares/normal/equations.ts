import type { Job, Pool } from "../../../device/pool.ts";
import { NumericalError } from "../../../error.ts";
import type { Term } from "../../../potentials/potential.ts";
import type { NormalSpec } from "../../marquardt/normal.ts";
import type { Written } from "../../checkpoint.ts";
import { copyInto } from "../../optimiser.ts";
import type { PackedFrames } from "../../packed.ts";
import type { RowWeights } from "../weights.ts";
import { WORD, type BlockSpec } from "./task.ts";

/** What normal equations are made of. */
export interface EquationsSetup {
  readonly term: Term;
  readonly elements: readonly number[];
  readonly data: PackedFrames;
  /** P + 1. */
  readonly columns: number;
  /** Frames of each block. */
  readonly blocks: readonly (readonly number[])[];
  /** Rows of a block at most. */
  readonly blockRows: number;
  /** Rows with a weight that a frame has. */
  readonly rowsOf: (frame: number) => number;
  /** Of every frame; those of frames that are in no block do not count. */
  readonly weights: readonly (RowWeights | null)[];
  /** Where a frame came from, for messages. */
  readonly place: (frame: number) => string;
}

/** Rows of the matrix that a thread works on at a time. */
export const STRIP = 256;

/** [A b]ᵀ[A b] of weighted rows A with right-hand sides b: lower triangle of one matrix, whose strips threads share. */
export class Equations {
  readonly pool: Pool;
  readonly setup: EquationsSetup;
  /** Byte address of the matrix, [P + 1, P + 1]. */
  readonly address: number;
  readonly #block: BlockSpec;
  readonly #normal: NormalSpec;
  readonly #make: Job;
  readonly #add: Job;
  /** Rows so far. */
  #count = 0;

  private constructor(
    pool: Pool,
    setup: EquationsSetup,
    specs: readonly [BlockSpec, NormalSpec],
    jobs: readonly [Job, Job],
  ) {
    this.pool = pool;
    this.setup = setup;
    [this.#block, this.#normal] = specs;
    [this.#make, this.#add] = jobs;
    this.address = this.#normal.address;
  }

  /** Reserves the matrix and a block of rows, and makes every thread ready. */
  static async create(pool: Pool, setup: EquationsSetup): Promise<Equations> {
    const { memory } = pool.device;
    const { data, columns: N, blocks, blockRows, rowsOf, weights } = setup;
    const starts = new Int32Array(blocks.length + 1);
    blocks.forEach((block, k) => (starts[k + 1] = starts[k] + block.length));
    const places = blocks.flatMap((block) => {
      let at = 0;
      return block.map((f) => (at += rowsOf(f)) - rowsOf(f));
    });
    const block: BlockSpec = {
      term: setup.term,
      elements: setup.elements,
      data: data.address,
      columns: N,
      weights: memory.alloc(8 * 4 * data.frames),
      rows: memory.alloc(8 * blockRows * N),
      starts,
      members: Int32Array.from(blocks.flat()),
      places: Int32Array.from(places),
      control: memory.alloc(4 * WORD.size),
    };
    const normal: NormalSpec = {
      parameters: N,
      address: memory.alloc(8 * N * N),
      control: memory.alloc(24),
      strip: STRIP,
    };
    const factors = memory.f64(block.weights, 4 * data.frames);
    weights.forEach((w, f) => w && factors.set([w.energy, w.forces, w.virial, w.shear], 4 * f));
    const jobs = [await pool.prepare("fit.block", block), await pool.prepare("fit.normal", normal)] as const;
    return new Equations(pool, setup, [block, normal], jobs);
  }

  /** Bytes of the matrix and of a block. */
  static bytes(N: number, blockRows: number): number {
    return 8 * N * (N + blockRows);
  }

  /** Bytes of the matrix in a checkpoint. */
  static savedBytes(N: number): number {
    return 4 * N * (N + 1);
  }

  /** How many blocks there are. */
  get rounds(): number {
    return this.setup.blocks.length;
  }

  get count(): number {
    return this.#count;
  }

  /** [A b]ᵀ[A b], of which the lower triangle counts. */
  get matrix(): Float64Array {
    const { columns: N } = this.setup;
    return this.pool.device.memory.f64(this.address, N * N);
  }

  /** Adds the rows of block `k`; a row that is not finite is an error that names its frame. */
  async round(k: number): Promise<void> {
    const { memory } = this.pool.device;
    const { blocks, columns: N, rowsOf, place } = this.setup;
    const word = memory.i32(this.#block.control, WORD.size);
    word[WORD.block] = k;
    await this.#make.run(blocks[k].length);
    if (word[WORD.bad] > 0)
      throw new NumericalError(
        `a row of ${place(word[WORD.bad] - 1)} is not finite; look at the frame with the doctor`,
      );
    const rows = blocks[k].reduce((sum, f) => sum + rowsOf(f), 0);
    memory.f64(this.#normal.control, 3).set([rows, N, this.#block.rows]);
    await this.#add.run(Math.ceil(N / STRIP));
    this.#count += rows;
  }

  /** The lower triangle row after row, and the number of rows: the whole state. */
  save(): Record<string, Float64Array | Written> {
    const equations: Written = {
      length: Equations.savedBytes(this.setup.columns) / 8,
      write: (to) => this.#each((row, at) => to.set(row, at)),
    };
    return { equations, rows: Float64Array.of(this.#count) };
  }

  load({ equations, rows }: Readonly<Record<string, Float64Array>>): void {
    const count = new Float64Array(1);
    copyInto(count, rows, "rows");
    this.#each((row, at) => copyInto(row, equations.subarray(at, at + row.length), "equations"));
    this.#count = count[0];
  }

  /** Calls back with the part of each row on and left of the diagonal, and where it goes. */
  #each(use: (row: Float64Array, at: number) => void): void {
    const { columns: N } = this.setup;
    const { matrix } = this;
    for (let i = 0, at = 0; i < N; at += ++i) use(matrix.subarray(i * N, i * N + i + 1), at);
  }
}
