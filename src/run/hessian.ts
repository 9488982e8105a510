import { NumericalError, invalid } from "../error.ts";
import type { Potential } from "../potentials/potential.ts";
import type { Structure } from "../structure/structure.ts";
import { createSurface } from "./surface.ts";

/** Options of `hessian`. */
export interface HessianOptions {
  /** Displacement, Å; 0.005 by default. */
  readonly step?: number;
  /** 2: central differences, error O(h²); 4: twice the evaluations, error O(h⁴). 2 by default. */
  readonly order?: 2 | 4;
  /** Atoms to move; all by default. Rows and columns of the others are zero: they stay fixed. */
  readonly atoms?: readonly number[];
  /** Only the rows of these atoms, with the columns of all, as they are found: for crystals. */
  readonly rows?: boolean;
  /** Called with the part that is done. */
  readonly watch?: (done: number) => void;
}

/** Weights of the displacements h, 2h in differences of order 2 and 4. */
const STENCIL = { 2: [1 / 2], 4: [2 / 3, -1 / 12] } as const;

/** Force constants ∂²E/∂x_i∂x_j, symmetric, row-major [3n, 3n], eV/Å², from central differences of forces. */
export function hessian(
  structure: Structure,
  potential: Potential,
  { step = 0.005, order = 2, atoms, rows = false, watch }: HessianOptions = {},
): Float64Array {
  if (!(step > 0)) throw invalid("step", "a positive length in Å", step);
  const n = structure.numbers.length;
  const size = 3 * n;
  const moved = atoms ?? Array.from({ length: n }, (_, i) => i);
  // The skin takes up the displacement, so the neighbour list is made once.
  const surface = createSurface(structure, potential, 8 * step);
  const point = surface.start();
  const H = new Float64Array(size * size);
  moved.forEach((atom, k) => {
    for (let a = 3 * atom; a < 3 * atom + 3; a++)
      for (const [d, weight] of STENCIL[order].entries())
        for (const sign of [1, -1]) {
          point.positions.set(structure.positions);
          point.positions[a] += sign * (d + 1) * step;
          surface.evaluate(point);
          for (let b = 0; b < size; b++) H[a * size + b] -= (sign * weight * point.forces[b]) / step;
        }
    watch?.((k + 1) / moved.length);
  });
  if (!H.every(Number.isFinite)) throw new NumericalError("a force constant is not finite");
  if (!rows) symmetrise(H, size, atoms && new Set(atoms));
  return H;
}

/** The mean of both entries of a pair; 0 where one of them stays fixed. */
function symmetrise(H: Float64Array, size: number, moved: ReadonlySet<number> | undefined): void {
  for (let a = 0; a < size; a++)
    for (let b = 0; b < a; b++) {
      const free = !moved || (moved.has(Math.floor(a / 3)) && moved.has(Math.floor(b / 3)));
      H[a * size + b] = H[b * size + a] = free ? (H[a * size + b] + H[b * size + a]) / 2 : 0;
    }
}
