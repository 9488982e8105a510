/** Lengths and tilts of a box of LAMMPS as a cell, [3, 3], and where it begins. */
export interface Box {
  readonly cell: Float64Array;
  readonly origin: readonly number[];
}

/** How far the tilts of a lower triangular cell move the bounds outwards: [low, high] for x and y. */
function reach(xy: number, xz: number, yz: number): readonly (readonly [number, number])[] {
  return [
    [Math.min(0, xy, xz, xy + xz), Math.max(0, xy, xz, xy + xz)],
    [Math.min(0, yz), Math.max(0, yz)],
    [0, 0],
  ];
}

/** Rows of BOX BOUNDS: low, high, and a tilt (xy, xz, yz) in a box that is not a brick; https://docs.lammps.org/Howto_triclinic.html. */
export function boundsOf(cell: Float64Array, tilted: boolean): number[][] {
  const [xy, xz, yz] = [cell[3], cell[6], cell[7]];
  const tilts = [xy, xz, yz];
  return reach(xy, xz, yz).map(([low, high], k) => [low, cell[4 * k] + high, ...(tilted ? [tilts[k]] : [])]);
}

/** The box of such rows. */
export function boxOf(rows: readonly (readonly number[])[]): Box {
  const [xy, xz, yz] = rows.map((row) => row[2] ?? 0);
  const out = reach(xy, xz, yz);
  const origin = rows.map(([low], k) => low - out[k][0]);
  const [lx, ly, lz] = rows.map(([, high], k) => high - out[k][1] - origin[k]);
  return { cell: Float64Array.of(lx, 0, 0, xy, ly, 0, xz, yz, lz), origin };
}

/** The cell that is read where this one is written: bounds have the tilts added, which rounds. */
export function throughBounds(cell: Float64Array): Float64Array {
  const tilted = isTilted(cell);
  let now = cell;
  for (let k = 0; k < 10; k++) {
    const next = boxOf(boundsOf(now, tilted)).cell;
    if (next.every((x, i) => x === now[i])) break;
    now = next;
  }
  return now;
}

export const isTilted = (cell: Float64Array): boolean => cell[3] !== 0 || cell[6] !== 0 || cell[7] !== 0;
