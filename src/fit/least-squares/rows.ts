import type { Job, Pool } from "../../device/pool.ts";
import { NumericalError } from "../../error.ts";
import type { Term } from "../../potentials/potential.ts";
import type { Written } from "../checkpoint.ts";
import { copyInto } from "../optimiser.ts";
import type { PackedFrames } from "../packed.ts";
import { savedBytes, type Layout } from "./layout.ts";
import type { Expected } from "../course.ts";
import type { LeftOutSpec } from "./predict-task.ts";
import { CONTROL, type RowsSpec } from "./task.ts";
import type { RowWeights } from "./weights.ts";

/** What the rows of a design matrix are made of. */
export interface RowsSetup {
  readonly term: Term;
  readonly elements: readonly number[];
  readonly data: PackedFrames;
  readonly layout: Layout;
  /** Of every frame; those of frames that are in no fold do not count. */
  readonly weights: readonly (RowWeights | null)[];
  /** Upper triangular [P, P]: rows that belong to no fold, with right-hand sides 0; null where there are none. */
  readonly prior: Float64Array | null;
  /** Where a frame came from, for messages. */
  readonly place: (frame: number) => string;
  /** What will be done, and how long it takes. */
  readonly stages: readonly Expected[];
}

/** Blocks of each thread after which it is looked whether to go on. */
const PER_THREAD = 2;

/** The triangles of all lanes, and the threads that feed them with rows. */
export class Rows {
  readonly layout: Layout;
  readonly pool: Pool;
  readonly #setup: RowsSetup;
  readonly #spec: RowsSpec;
  readonly #job: Job;
  /** Blocks of each lane that are in its triangle. */
  readonly #blocks: Float64Array;

  private constructor(pool: Pool, setup: RowsSetup, spec: RowsSpec, job: Job) {
    this.pool = pool;
    this.layout = setup.layout;
    this.#setup = setup;
    this.#spec = spec;
    this.#job = job;
    this.#blocks = new Float64Array(setup.layout.lanes.length);
  }

  /** Reserves the triangles and makes every thread ready. */
  static async create(pool: Pool, setup: RowsSetup): Promise<Rows> {
    const { memory } = pool.device;
    const { layout, data, weights } = setup;
    const { lanes, columns, blockRows } = layout;
    const blocks = lanes.flatMap((lane) => lane.blocks);
    const starts = new Int32Array(blocks.length + 1);
    blocks.forEach((block, k) => (starts[k + 1] = starts[k] + block.length));
    const first = new Int32Array(lanes.length + 1);
    lanes.forEach((lane, l) => (first[l + 1] = first[l] + lane.blocks.length));
    const spec: RowsSpec = {
      term: setup.term,
      elements: setup.elements,
      data: data.address,
      columns,
      blockRows,
      triangles: memory.alloc(8 * columns * columns * lanes.length),
      weights: memory.alloc(8 * 4 * data.frames),
      first,
      starts,
      members: Int32Array.from(blocks.flat()),
      control: memory.alloc(4 * (1 + 3 * lanes.length)),
    };
    const factors = memory.f64(spec.weights, 4 * data.frames);
    weights.forEach((w, f) => w && factors.set([w.energy, w.forces, w.virial, w.shear], 4 * f));
    return new Rows(pool, setup, spec, await pool.prepare("fit.rows", spec));
  }

  /** Rows beside those of the data. */
  get prior(): Float64Array | null {
    return this.#setup.prior;
  }

  get stages(): readonly Expected[] {
    return this.#setup.stages;
  }

  /** Byte address of the first lane's triangle. */
  get triangles(): number {
    return this.#spec.triangles;
  }

  /** Share of the blocks that are in their triangles. */
  get done(): number {
    const all = this.layout.lanes.reduce((n, { blocks }) => n + blocks.length, 0);
    return this.#blocks.reduce((a, b) => a + b, 0) / all;
  }

  /**
   * Takes some lanes that are behind one block further: a few for each thread, so that it can be looked whether to go
   * on. A row that is not finite is an error that names its frame.
   */
  async advance(): Promise<void> {
    const { lanes } = this.layout;
    const control = this.#control;
    const open = [...lanes.keys()].filter((l) => this.#blocks[l] < lanes[l].blocks.length);
    const round = Math.min(...open.map((l) => this.#blocks[l]));
    const behind = open.filter((l) => this.#blocks[l] === round);
    const active = behind.slice(0, PER_THREAD * this.pool.threads);
    control[CONTROL.round] = round;
    control.set(active, CONTROL.lanes);
    await this.#job.run(active.length);
    for (const l of active) this.#blocks[l]++;
    const bad = control.subarray(1 + 2 * lanes.length).find((f) => f > 0);
    if (bad !== undefined)
      throw new NumericalError(
        `a row of ${this.#setup.place(bad - 1)} is not finite; look at the frame with the doctor`,
      );
  }

  /** Predicts every frame of every fold with the parameters [P] that have not seen its fold, into the packed frames. */
  async predictLeftOut(parameters: readonly Float64Array[]): Promise<void> {
    const { memory } = this.pool.device;
    const P = this.layout.columns - 1;
    const address = memory.alloc(8 * P * parameters.length);
    parameters.forEach((theta, k) => memory.f64(address + 8 * P * k, P).set(theta));
    const folds = Int32Array.from(this.layout.lanes, (lane) => lane.fold);
    const spec: LeftOutSpec = { ...this.#spec, folds, parameters: address };
    const job = await this.pool.prepare("fit.left-out", spec);
    await job.run(this.layout.lanes.length);
  }

  /** Rows in all triangles so far. */
  get count(): number {
    return this.#used.reduce((a, b) => a + b, 0);
  }

  /** Rows of each lane's triangle. */
  get #used(): Int32Array {
    const n = this.layout.lanes.length;
    return this.#control.subarray(1 + n, 1 + 2 * n);
  }

  get #control(): Int32Array {
    return this.pool.device.memory.i32(this.#spec.control, 1 + 3 * this.layout.lanes.length);
  }

  /** The upper triangles of all lanes one behind the other, and their rows: the whole state. */
  save(): Record<string, Float64Array | Written> {
    const triangles: Written = {
      length: savedBytes(this.layout) / 8,
      write: (to) => this.#each((row, at) => to.set(row, at)),
    };
    return { triangles, rows: Float64Array.from(this.#used), blocks: this.#blocks };
  }

  load({ triangles, rows, blocks }: Readonly<Record<string, Float64Array>>): void {
    copyInto(this.#blocks, blocks, "blocks");
    this.#each((row, at) => row.set(triangles.subarray(at, at + row.length)));
    this.#used.set(rows);
  }

  /** Calls back with the part of each row on and right of the diagonal, and where it goes. */
  #each(use: (row: Float64Array, at: number) => void): void {
    const { columns: N, lanes } = this.layout;
    const { memory } = this.pool.device;
    let at = 0;
    for (let l = 0; l < lanes.length; l++) {
      const R = memory.f64(this.#spec.triangles + 8 * l * N * N, N * N);
      for (let i = 0; i < N; i++) {
        use(R.subarray(i * N + i, (i + 1) * N), at);
        at += N - i;
      }
    }
  }
}
