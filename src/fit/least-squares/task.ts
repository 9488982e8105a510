import type { Task, Thread } from "../../device/pool.ts";
import { RowQr } from "../../math/qr.ts";
import type { BuildTrainable } from "../gradient-task.ts";
import { RowMaker, type RowMakerSpec } from "./row-maker.ts";

/** What every thread is sent once: plain data. */
export interface RowsSpec extends RowMakerSpec {
  readonly blockRows: number;
  /** Byte address of the first lane's triangle; the others follow. */
  readonly triangles: number;
  /** Frames of block b of lane l are members[starts[k]] … members[starts[k+1]], k = first[l] + b. */
  readonly first: Int32Array;
  readonly starts: Int32Array;
  readonly members: Int32Array;
  /** Byte address of the control block, see `Control`. */
  readonly control: number;
}

/** Words of the control block: the round, then the lane of each chunk, then for each lane rows in use and the bad frame + 1. */
export const CONTROL = { round: 0, lanes: 1 } as const;

/** Rows of frames, weighted, go into triangles. */
class RowWorker {
  readonly #spec: RowsSpec;
  readonly #maker: RowMaker;
  readonly #control: Int32Array;
  readonly #qr: RowQr;
  readonly #address: number;
  readonly #rows: Float64Array;

  constructor(build: BuildTrainable, { device }: Thread, spec: RowsSpec) {
    const { memory } = device;
    const lanes = spec.first.length - 1;
    this.#spec = spec;
    this.#maker = new RowMaker(build, device, spec);
    this.#control = memory.i32(spec.control, 1 + 3 * lanes);
    this.#qr = new RowQr(device, spec.columns, spec.blockRows);
    this.#address = memory.alloc(8 * spec.blockRows * spec.columns);
    this.#rows = memory.f64(this.#address, spec.blockRows * spec.columns);
  }

  /** The block of this round of the chunk's lane. */
  work(chunk: number): void {
    const { first, starts, members, columns, triangles } = this.#spec;
    const lanes = first.length - 1;
    const lane = this.#control[CONTROL.lanes + chunk];
    const block = first[lane] + this.#control[CONTROL.round];
    let rows = 0;
    for (const f of members.subarray(starts[block], starts[block + 1])) {
      const more = this.#maker.put(f, this.#rows.subarray(rows * columns));
      if (more < 0) {
        this.#control[CONTROL.lanes + 2 * lanes + lane] = f + 1;
        return;
      }
      rows += more;
    }
    this.#qr.append(triangles + 8 * lane * columns * columns, this.#address, rows);
    this.#control[CONTROL.lanes + lanes + lane] += rows;
  }
}

/** The pool task `fit.rows`: each chunk takes one lane of the present round a block further. */
export const rowsTask =
  (build: BuildTrainable): Task =>
  (thread, spec) => {
    const worker = new RowWorker(build, thread, spec as RowsSpec);
    return (chunk) => worker.work(chunk);
  };
