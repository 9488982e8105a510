import type { Task } from "../../../device/pool.ts";
import type { BuildTrainable } from "../../gradient-task.ts";
import { rowsOf } from "../layout.ts";
import { RowMaker, type RowMakerSpec } from "../row-maker.ts";

/** What every thread is sent once: plain data. */
export interface BlockSpec extends RowMakerSpec {
  /** Byte address of the rows of a block. */
  readonly rows: number;
  /** Frames of block b are members[starts[b]] … members[starts[b+1]]; places are their first rows in the block. */
  readonly starts: Int32Array;
  readonly members: Int32Array;
  readonly places: Int32Array;
  /** Byte address of the control words, see `WORD`. */
  readonly control: number;
}

/** Words of the control block: the block in work, and the frame + 1 that has a row that is not finite. */
export const WORD = { block: 0, bad: 1, size: 2 } as const;

/** The pool task `fit.block`: a chunk makes the rows of one frame of the block. */
export const blockTask =
  (build: BuildTrainable): Task =>
  ({ device }, given) => {
    const spec = given as BlockSpec;
    const { columns, starts, members, places } = spec;
    const maker = new RowMaker(build, device, spec);
    const word = device.memory.i32(spec.control, WORD.size);
    let room = new Float64Array(0);
    return (chunk) => {
      const at = starts[word[WORD.block]] + chunk;
      const f = members[at];
      // A frame's rows come with those of weight 0 first.
      const needed = rowsOf(maker.data.size(f)) * columns;
      if (room.length < needed) room = new Float64Array(needed);
      const rows = maker.put(f, room);
      if (rows < 0) Atomics.store(word, WORD.bad, f + 1);
      else
        device.memory
          .f64(spec.rows + 8 * places[at] * columns, rows * columns)
          .set(room.subarray(0, rows * columns));
    };
  };
