import type { Device } from "../../device/device.ts";
import type { Design, Term } from "../../potentials/potential.ts";
import type { BuildTrainable } from "../gradient-task.ts";
import { PackedFrames, type PackedAddress } from "../packed.ts";
import { VOIGT } from "../../math/symmetric.ts";
import { rowsOf } from "./layout.ts";

/** What rows are made of. */
export interface RowMakerSpec {
  readonly term: Term;
  readonly elements: readonly number[];
  readonly data: PackedAddress;
  /** P + 1: the last column is the right-hand side. */
  readonly columns: number;
  /** Byte address of the factors of the rows of each frame, [frames, 4]: energy, forces, virial, shear. */
  readonly weights: number;
}

/** Weighted rows of the design matrix, frame by frame. */
export class RowMaker {
  readonly data: PackedFrames;
  readonly #columns: number;
  readonly #design: Design;
  readonly #weights: Float64Array;

  constructor(build: BuildTrainable, device: Device, spec: RowMakerSpec) {
    const { memory } = device;
    this.data = new PackedFrames(memory, spec.data);
    this.#columns = spec.columns;
    const { design } = build(spec.term, spec.elements, device);
    if (!design) throw new TypeError("a model that is not linear in its parameters (this is a bug)");
    this.#design = design;
    this.#weights = memory.f64(spec.weights, 4 * this.data.frames);
  }

  /**
   * Writes the rows of frame f with their right-hand sides, those of weight 0 left out, and returns how many; −1 where
   * one is not finite. `rows` has room for all that the frame may have, see `rowsOf`.
   */
  put(f: number, rows: Float64Array): number {
    const N = this.#columns;
    const n = this.data.size(f);
    const { energy, forces, virial } = this.data.labels(f);
    const [wE, wF, wW, shear] = this.#weights.subarray(4 * f, 4 * f + 4);
    this.#design.fill(this.data.structure(f), rows.subarray(0, rowsOf(n) * N), N);
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

/** VOIGT transposed. */
const MIRROR = [0, 4, 8, 7, 6, 3];
