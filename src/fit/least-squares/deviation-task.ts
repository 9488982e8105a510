import type { Pool, Task } from "../../device/pool.ts";
import type { Term } from "../../potentials/potential.ts";
import { Posterior } from "../../potentials/posterior.ts";
import type { BuildTrainable } from "../gradient-task.ts";
import { PackedFrames, type PackedAddress } from "../packed.ts";

interface DeviationSpec {
  readonly term: Term;
  readonly elements: readonly number[];
  readonly data: PackedAddress;
  readonly parameters: number;
  /** Byte address of the packed root of the covariance. */
  readonly root: number;
  readonly frames: Int32Array;
  /** Byte address of the deviations, [frames]. */
  readonly out: number;
}

/** Frames of one chunk. */
const CHUNK = 8;

/** The pool task `fit.deviation`: each chunk finds the standard deviations of the energies of some frames. */
export const deviationTask =
  (build: BuildTrainable): Task =>
  ({ device }, given) => {
    const { term, elements, data: address, parameters, root, frames, out } = given as DeviationSpec;
    const data = new PackedFrames(device.memory, address);
    const { design } = build(term, elements, device);
    const posterior = new Posterior(device.memory.f64(root, (parameters * (parameters + 1)) / 2));
    const to = device.memory.f64(out, frames.length);
    const row = new Float64Array(parameters);
    return (chunk) => {
      for (let k = chunk * CHUNK; k < Math.min(frames.length, (chunk + 1) * CHUNK); k++) {
        design!.energy(data.structure(frames[k]), row);
        to[k] = posterior.deviation(row);
      }
    };
  };

/** Standard deviations of the energies of frames by the covariance whose packed root is given, eV. */
export async function deviationsOf(
  pool: Pool,
  { term, elements, data }: { term: Term; elements: readonly number[]; data: PackedFrames },
  root: Float64Array,
  frames: readonly number[],
): Promise<Float64Array> {
  const { memory } = pool.device;
  const spec: DeviationSpec = {
    term,
    elements,
    data: data.address,
    parameters: new Posterior(root).parameters,
    root: memory.alloc(root.byteLength),
    frames: Int32Array.from(frames),
    out: memory.alloc(8 * frames.length),
  };
  memory.f64(spec.root, root.length).set(root);
  const job = await pool.prepare("fit.deviation", spec);
  await job.run(Math.ceil(frames.length / CHUNK));
  return memory.f64(spec.out, frames.length).slice();
}
