import type { Memory } from "../../device/memory.ts";
import type { Pool, Task } from "../../device/pool.ts";
import { NumericalError } from "../../error.ts";
import type { Potential } from "../../potentials/potential.ts";
import type { Structure } from "../../structure/structure.ts";
import type { BuildSource, Source } from "../displacements.ts";
import { lbfgs, relax } from "../relax.ts";

/** How far to relax. */
export interface Until {
  /** eV/Å. */
  readonly fmax: number;
  readonly steps: number;
}

/** A minimum. */
export interface Minimum {
  /** [n, 3], Å. */
  readonly positions: Float64Array;
  /** eV. */
  readonly energy: number;
}

/** Relaxes many structures of the same atoms. */
export interface Relaxations {
  /** Most at once. */
  readonly room: number;
  /** The minima that the starts [n, 3] fall into, in their order; null for one that falls into none. */
  relax(starts: readonly Float64Array[]): (Minimum | null)[];
}

/** The minimum below a start; null where it does not converge, or falls into a hole of the surface. */
function minimum(structure: Structure, potential: Potential, until: Until): Minimum | null {
  try {
    const found = relax(lbfgs(structure, potential), structure, until);
    return found.converged ? { positions: found.structure.positions, energy: found.energy } : null;
  } catch (error) {
    if (error instanceof NumericalError) return null;
    throw error;
  }
}

/** One after another on this thread. */
export const relaxationsOn = (structure: Structure, potential: Potential, until: Until): Relaxations => ({
  room: 1,
  relax: (starts) => starts.map((positions) => minimum({ ...structure, positions }, potential, until)),
});

/** What every thread is sent once. */
interface Spec {
  readonly source: Source;
  readonly structure: Structure;
  readonly until: Until;
  /** Byte address of the slots. */
  readonly slots: number;
}

/** A slot: whether there is a minimum, its energy, positions. */
const HEAD = 2;
const slotOf = (memory: Memory, slots: number, { positions }: Structure, slot: number): Float64Array => {
  const size = HEAD + positions.length;
  return memory.f64(slots + 8 * slot * size, size);
};

/** The pool task `run.relaxations`: one relaxation, in its own slot. */
export const relaxationsTask =
  (build: BuildSource): Task =>
  (thread, given) => {
    const { source, structure, until, slots } = given as Spec;
    const potential = build(source, thread);
    return (slot) => {
      const table = slotOf(thread.device.memory, slots, structure, slot);
      const found = minimum({ ...structure, positions: table.slice(HEAD) }, potential, until);
      table[0] = found ? 1 : 0;
      if (!found) return;
      table[1] = found.energy;
      table.set(found.positions, HEAD);
    };
  };

/** Starts for each thread at once: some take longer than others. */
const EACH = 2;

/**
 * Many at once on the threads of a pool, the same bits as on one; an outside program runs once on each. Undefined where this
 * thread may not wait (a browser's main thread).
 */
export async function relaxationsBy(
  pool: Pool,
  source: Source,
  structure: Structure,
  until: Until,
): Promise<Relaxations | undefined> {
  const { memory } = pool.device;
  const room = EACH * pool.threads;
  const slots = memory.alloc(8 * room * (HEAD + structure.positions.length));
  const spec: Spec = { source, structure, until, slots };
  const { runSync } = await pool.prepare("run.relaxations", spec);
  if (!runSync) return undefined;
  return {
    room,
    relax(starts) {
      const tables = starts.map((_, slot) => slotOf(memory, slots, structure, slot));
      for (const [slot, start] of starts.entries()) tables[slot].set(start, HEAD);
      runSync(starts.length);
      return tables.map((table) =>
        table[0] > 0 ? { energy: table[1], positions: table.slice(HEAD) } : null,
      );
    },
  };
}
