import type { Memory } from "../../device/memory.ts";
import type { Pool, Task } from "../../device/pool.ts";
import type { Structure } from "../../structure/structure.ts";
import type { BuildSource, Source } from "../displacements.ts";
import { createSurface } from "../surface.ts";
import type { Point, Surface } from "../surface.ts";

/** Evaluates images of a path: energy, forces and virial of points of the same atoms. */
export interface Images {
  /** Overwrites what the points hold for their positions; `first` is the number of the first of them on the path. */
  evaluate(points: readonly Point[], first: number): void;
}

/** One after another on this thread. */
export const imagesOn = (surfaces: readonly Surface[]): Images => ({
  evaluate: (points, first) => points.forEach((point, k) => surfaces[first + k].evaluate(point)),
});

/** What every thread is sent once. */
interface Spec {
  readonly source: Source;
  readonly structure: Structure;
  /** Byte address of the slots. */
  readonly slots: number;
}

/** A slot: energy, whether there is a dipole, dipole, virial; then positions, those of the neighbour list, forces. */
const [DIPOLE, VIRIAL, HEAD] = [2, 5, 14];
const slotSize = ({ positions }: Structure): number => HEAD + 3 * positions.length;

/** The views of a slot. */
function slotOf(memory: Memory, slots: number, structure: Structure, slot: number) {
  const size = slotSize(structure);
  const table = memory.f64(slots + 8 * slot * size, size);
  const n = structure.positions.length;
  const part = (k: number) => table.subarray(HEAD + k * n, HEAD + (k + 1) * n);
  return { table, positions: part(0), reference: part(1), forces: part(2) };
}

/** The pool task `run.images`: one image, in its own slot. */
export const imagesTask =
  (build: BuildSource): Task =>
  (thread, given) => {
    const { source, structure, slots } = given as Spec;
    const potential = build(source, thread);
    const surfaces: Surface[] = [];
    return (slot) => {
      const { table, positions, reference, forces } = slotOf(thread.device.memory, slots, structure, slot);
      const point: Point = {
        positions: positions.slice(),
        forces: new Float64Array(forces.length),
        virial: new Float64Array(9),
        energy: 0,
        cell: structure.cell,
        reference: reference.slice(),
        referenceCell: structure.cell && structure.cell.slice(),
      };
      // Each image has a neighbour list of its own; one that another thread has made is made again where it was made.
      (surfaces[slot] ??= createSurface(structure, potential)).evaluate(point);
      table[0] = point.energy;
      table[1] = point.dipole ? 1 : 0;
      if (point.dipole) table.set(point.dipole, DIPOLE);
      table.set(point.virial, VIRIAL);
      reference.set(point.reference);
      forces.set(point.forces);
    };
  };

/**
 * All images at once on the threads of a pool, the same bits as on one; an outside program runs once on each. Undefined
 * where this thread may not wait (a browser's main thread).
 */
export async function imagesBy(
  pool: Pool,
  source: Source,
  structure: Structure,
  images: number,
): Promise<Images | undefined> {
  const { memory } = pool.device;
  const slots = memory.alloc(8 * images * slotSize(structure));
  const spec: Spec = { source, structure, slots };
  const { runSync } = await pool.prepare("run.images", spec);
  if (!runSync) return undefined;
  return {
    evaluate(points) {
      const views = points.map((_, slot) => slotOf(memory, slots, structure, slot));
      for (const [k, { positions, reference }] of views.entries()) {
        positions.set(points[k].positions);
        reference.set(points[k].reference);
      }
      runSync(points.length);
      for (const [k, { table, reference, forces }] of views.entries()) {
        const point = points[k];
        point.energy = table[0];
        if (table[1] > 0) (point.dipole ??= new Float64Array(3)).set(table.subarray(DIPOLE, VIRIAL));
        point.virial.set(table.subarray(VIRIAL, HEAD));
        point.reference.set(reference);
        point.referenceCell?.set(point.cell!);
        point.forces.set(forces);
      }
    },
  };
}
