import type { Task, Thread } from "../../device/pool.ts";
import { RowQr } from "../../math/qr.ts";
import type { Design, Term } from "../../potentials/potential.ts";
import type { BuildTrainable } from "../gradient-task.ts";
import { PackedFrames, type PackedAddress } from "../packed.ts";
import { rowsOf } from "./layout.ts";

/** What every thread is sent once: plain data. */
export interface RowsSpec {
  readonly term: Term;
  readonly elements: readonly number[];
  readonly data: PackedAddress;
  /** P + 1: the last column is the right-hand side. */
  readonly columns: number;
  readonly blockRows: number;
  /** Byte address of the first lane's triangle; the others follow. */
  readonly triangles: number;
  /** Byte address of the factors of the rows of each frame, [frames, 4]: energy, forces, virial, shear. */
  readonly weights: number;
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
  readonly #data: PackedFrames;
  readonly #design: Design;
  readonly #weights: Float64Array;
  readonly #control: Int32Array;
  readonly #qr: RowQr;
  readonly #address: number;
  readonly #rows: Float64Array;

  constructor(build: BuildTrainable, { device }: Thread, spec: RowsSpec) {
    const { memory } = device;
    const lanes = spec.first.length - 1;
    this.#spec = spec;
    this.#data = new PackedFrames(memory, spec.data);
    const { design } = build(spec.term, spec.elements, device);
    if (!design) throw new TypeError("a model that is not linear in its parameters (this is a bug)");
    this.#design = design;
    this.#weights = memory.f64(spec.weights, 4 * this.#data.frames);
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
      const more = this.#put(f, this.#rows.subarray(rows * columns));
      if (more < 0) {
        this.#control[CONTROL.lanes + 2 * lanes + lane] = f + 1;
        return;
      }
      rows += more;
    }
    this.#qr.append(triangles + 8 * lane * columns * columns, this.#address, rows);
    this.#control[CONTROL.lanes + lanes + lane] += rows;
  }

  /** Weighted rows of frame f with their right-hand sides, without those of weight 0; −1 where one is not finite. */
  #put(f: number, rows: Float64Array): number {
    const N = this.#spec.columns;
    const n = this.#data.size(f);
    const { energy, forces, virial } = this.#data.labels(f);
    const [wE, wF, wW, shear] = this.#weights.subarray(4 * f, 4 * f + 4);
    this.#design.fill(this.#data.structure(f), rows.subarray(0, rowsOf(n) * N), N);
    let to = 0;
    let sum = 0;
    const take = (from: number, label: number, weight: number) => {
      if (weight === 0) return;
      const [source, target] = [from * N, to * N];
      for (let k = 0; k < N - 1; k++) sum += rows[target + k] = weight * rows[source + k];
      sum += rows[target + N - 1] = weight * label;
      to++;
    };
    if (energy !== null) take(0, energy, wE);
    if (forces) for (let k = 0; k < 3 * n; k++) take(1 + k, forces[k], wF);
    if (virial)
      for (const [k, at] of VOIGT.entries())
        take(1 + 3 * n + k, (virial[at] + virial[MIRROR[k]]) / 2, k < 3 ? wW : wW * shear);
    return Number.isFinite(sum) ? to : -1;
  }
}

/** xx, yy, zz, yz, xz, xy in a 3×3 matrix, and the same transposed. */
const VOIGT = [0, 4, 8, 5, 2, 1];
const MIRROR = [0, 4, 8, 7, 6, 3];

/** The pool task `fit.rows`: each chunk takes one lane of the present round a block further. */
export const rowsTask =
  (build: BuildTrainable): Task =>
  (thread, spec) => {
    const worker = new RowWorker(build, thread, spec as RowsSpec);
    return (chunk) => worker.work(chunk);
  };
