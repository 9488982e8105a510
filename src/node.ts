// What only Node can do: files and threads. Everything else is in index.ts.
import { createDevice } from "./device/device.ts";
import type { Precision } from "./device/device.ts";
import { createPool } from "./device/pool.ts";
import type { Pool } from "./device/pool.ts";
import { startThreads } from "./device/start.node.ts";
import { tasks } from "./tasks.node.ts";

export { readFrames, readLabelled, writeAtomically, writeFrames } from "./io/files.node.ts";
export type { LabelledFrames } from "./io/files.node.ts";
export { readLammps as readLammpsFiles } from "./io/lammps/folder.node.ts";
export { readFolder, writeFolder } from "./io/n2p2/folder.node.ts";
export { openProgram, programs } from "./outside/programs.node.ts";
export { pyscf } from "./outside/pyscf.node.ts";
export { socketPotential } from "./outside/socket.node.ts";
export { xtb } from "./outside/xtb.node.ts";
export { threadPort } from "./device/port.node.ts";
export { startThreads } from "./device/start.node.ts";

/** Options of `startPool`. */
export interface NodePoolOptions {
  /** All cores by default. */
  readonly threads?: number;
  /** Plain multiply and add instead of fused: the same bits on every machine. */
  readonly deterministic?: boolean;
  /** Of the sums over neighbours; f64 by default, and for fits. */
  readonly precision?: Precision;
  /** Bytes reserved for the shared memory; 2 GiB by default, taken from the system only as they are used. */
  readonly bytes?: number;
}

/** Threads of Node that know surfit's tasks, over one shared memory. */
export function startPool(options: NodePoolOptions = {}): Promise<Pool> {
  const { threads, deterministic, precision, bytes = 2 ** 31 } = options;
  const device = createDevice({ deterministic, precision, bytes });
  return createPool({ tasks, device, threads, start: startThreads() });
}
