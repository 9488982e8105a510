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
  /** Atoms to move; all by default. Rows and columns of the others are zero. */
  readonly atoms?: readonly number[];
  /** Called with the part that is done. */
  readonly watch?: (done: number) => void;
}

/** Weights of the displacements h, 2h in differences of order 2 and 4. */
const STENCIL = { 2: [1 / 2], 4: [2 / 3, -1 / 12] } as const;

/** Force constants ∂²E/∂x_i∂x_j, symmetric, row-major [3n, 3n], eV/Å², from central differences of forces. */
export function hessian(
  structure: Structure,
  potential: Potential,
  { step = 0.005, order = 2, atoms, watch }: HessianOptions = {},
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
  for (let a = 0; a < size; a++)
    for (let b = 0; b < a; b++) {
      const mean = (H[a * size + b] + H[b * size + a]) / 2;
      // Where only one of the two was moved, its row is the whole of what is known.
      const known = atoms ? inPart(a, b, moved, H, size) : mean;
      H[a * size + b] = H[b * size + a] = known;
    }
  return H;
}

/** The mean of both entries where both atoms were moved, 0 where one was not: it stays fixed. */
function inPart(a: number, b: number, moved: readonly number[], H: Float64Array, size: number): number {
  const both = moved.includes(Math.floor(a / 3)) && moved.includes(Math.floor(b / 3));
  return both ? (H[a * size + b] + H[b * size + a]) / 2 : 0;
}
