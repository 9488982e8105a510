import type { Device } from "../device/device.ts";
import { numberOf } from "../structure/elements.ts";
import { findNeighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";
import type { Descriptor } from "./descriptor.ts";
import { environments } from "./environments.ts";

/** A structure as the shared reference files write it. */
export interface StoredStructure {
  readonly symbols: readonly string[];
  readonly positions_A: readonly (readonly number[])[];
  readonly cell_A?: readonly (readonly number[])[] | null;
  readonly pbc: boolean | readonly [boolean, boolean, boolean];
}

/** The structure of a reference file. */
export function readStructure({ symbols, positions_A, cell_A, pbc }: StoredStructure): Structure {
  return {
    numbers: Uint8Array.from(symbols, numberOf),
    positions: Float64Array.from(positions_A.flat()),
    cell: cell_A ? Float64Array.from(cell_A.flat()) : null,
    pbc: typeof pbc === "boolean" ? [pbc, pbc, pbc] : pbc,
  };
}

/** Features of every atom, in the order of the atoms. */
export function atomFeatures(d: Descriptor, device: Device, structure: Structure): number[][] {
  const env = environments(
    [{ structure, neighbours: findNeighbours(structure, d.cutoff) }],
    d.elements,
    d.cutoff,
  );
  const counts = d.elements.map((_, e) => env.starts[e + 1] - env.starts[e]);
  const pointers = counts.map((count, e) => device.memory.alloc(8 * count * d.size(e)));
  const matrices = counts.map((count, e) => device.memory.f64(pointers[e], count * d.size(e)));
  d.forward(env, { matrices, pointers, counts });
  const rows: number[][] = [];
  for (const e of d.elements.keys())
    for (let c = env.starts[e]; c < env.starts[e + 1]; c++) {
      const first = (c - env.starts[e]) * d.size(e);
      rows[env.centre[c]] = [...matrices[e].subarray(first, first + d.size(e))];
    }
  return rows;
}

/** Largest absolute difference of two tables; NaN where their shapes differ. */
export function difference(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number {
  if (a.length !== b.length || a.some((row, i) => row.length !== b[i].length)) return NaN;
  return Math.max(...a.flatMap((row, i) => row.map((x, t) => Math.abs(x - b[i][t]))));
}
