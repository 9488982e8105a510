import type { Pool, Task } from "../device/pool.ts";
import type { Memory } from "../device/memory.ts";
import type { Model, Potential } from "../potentials/potential.ts";
import type { Structure } from "../structure/structure.ts";
import { createSurface } from "./surface.ts";

/** Where another thread gets the potential from: a model, or the name of an outside program, "xtb:gfn2". */
export type Source = { readonly model: Model } | { readonly program: string };

/** Makes the potential of a source on a thread. */
export type BuildSource = (source: Source, thread: Parameters<Task>[0]) => Potential;

/** What one displaced structure gave. */
export interface Displaced {
  /** eV. */
  readonly energy: number;
  /** [n, 3], eV/Å. */
  readonly forces: Float64Array;
  /** [3], e Å, where the potential tells one. */
  readonly dipole?: Float64Array;
}

/** Evaluates structures that differ from one by less than half of a skin, several at once. */
export interface Displacements {
  /** Most structures at once. */
  readonly room: number;
  /** Positions [n, 3] (Å) of up to `room` structures; answers in their order, views that hold until the next call. */
  evaluate(positions: readonly Float64Array[]): Promise<readonly Displaced[]>;
}

/** What every thread is sent once. */
interface Spec {
  readonly source: Source;
  readonly structure: Structure;
  /** Å. */
  readonly skin: number;
  /** Byte address of the slots. */
  readonly slots: number;
}

/** Numbers of a slot: energy, whether there is a dipole, dipole, positions, forces. */
const HEAD = 5;
const slotSize = ({ positions }: Structure): number => HEAD + 2 * positions.length;

/** Structures of a round for each thread: some threads are faster than others. */
const EACH = 4;

/** The pool task `run.displaced`: one displaced structure, in its own slot. */
export const displacedTask =
  (build: BuildSource): Task =>
  (thread, given) => {
    const { source, structure, skin, slots } = given as Spec;
    const size = structure.positions.length;
    const surface = createSurface(structure, build(source, thread), skin);
    let point: ReturnType<typeof surface.start> | undefined;
    return (slot) => {
      const table = slotOf(thread.device.memory, slots, structure, slot);
      // Every thread makes its neighbour list where the caller would, so that the bits are the same.
      point ??= surface.start();
      point.positions.set(table.subarray(HEAD, HEAD + size));
      surface.evaluate(point);
      table[0] = point.energy;
      table[1] = point.dipole ? 1 : 0;
      if (point.dipole) table.set(point.dipole, 2);
      table.set(point.forces, HEAD + size);
    };
  };

const slotOf = (memory: Memory, slots: number, structure: Structure, slot: number): Float64Array =>
  memory.f64(slots + 8 * slot * slotSize(structure), slotSize(structure));

/** Displacements of a structure by all threads of a pool; an outside program runs once on each of them. */
export async function displacementsBy(
  pool: Pool,
  source: Source,
  structure: Structure,
  skin: number,
): Promise<Displacements> {
  const { memory } = pool.device;
  const room = EACH * pool.threads;
  const slots = memory.alloc(8 * room * slotSize(structure));
  const spec: Spec = { source, structure, skin, slots };
  const job = await pool.prepare("run.displaced", spec);
  const size = structure.positions.length;
  return {
    room,
    async evaluate(positions) {
      const tables = positions.map((_, slot) => slotOf(memory, slots, structure, slot));
      for (const [slot, r] of positions.entries()) tables[slot].set(r, HEAD);
      await job.run(positions.length);
      return tables.map((table) => ({
        energy: table[0],
        forces: table.subarray(HEAD + size),
        ...(table[1] > 0 && { dipole: table.subarray(2, HEAD) }),
      }));
    },
  };
}
