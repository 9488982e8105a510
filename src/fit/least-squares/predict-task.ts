import type { Task } from "../../device/pool.ts";
import type { BuildTrainable } from "../gradient-task.ts";
import { PackedFrames } from "../packed.ts";
import type { RowsSpec } from "./task.ts";

/** What predictions without a fold need beside the rows. */
export interface LeftOutSpec extends RowsSpec {
  /** Fold of each lane. */
  readonly folds: Int32Array;
  /** Byte address of the parameters without each fold, [folds, P]. */
  readonly parameters: number;
}

/**
 * The pool task `fit.left-out`: each chunk predicts the frames of one lane with the parameters that have not seen its
 * fold, into the packed frames.
 */
export const leftOutTask =
  (build: BuildTrainable): Task =>
  ({ device }, given) => {
    const spec = given as LeftOutSpec;
    const data = new PackedFrames(device.memory, spec.data);
    const model = build(spec.term, spec.elements, device);
    const P = spec.columns - 1;
    return (lane) => {
      const { first, starts, members, folds, parameters } = spec;
      model.parameters.set(device.memory.f64(parameters + 8 * P * folds[lane], P));
      for (const f of members.subarray(starts[first[lane]], starts[first[lane + 1]])) {
        const out = {
          energies: new Float64Array(1),
          forces: new Float64Array(3 * data.size(f)),
          virials: new Float64Array(9),
        };
        model.forward(model.batch([data.structure(f)]), out);
        data.predicted.energies[f] = out.energies[0];
        data.predicted.forces.set(out.forces, 3 * data.first[f]);
        data.predicted.virials.set(out.virials, 9 * f);
      }
    };
  };
