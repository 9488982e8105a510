import { NumericalError, invalid } from "../error.ts";
import type { Potential } from "../potentials/potential.ts";
import { findNeighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";
import type { Displacements } from "./displacements.ts";
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

/** What displacing atoms changes, to first order. */
export interface Response {
  /** Force constants ∂²E/∂x_i∂x_j, symmetric, row-major [3n, 3n], eV/Å². */
  readonly hessian: Float64Array;
  /** ∂μ/∂x_i, [3n, 3], e, where the potential tells a dipole; rows of atoms that were not moved are zero. */
  readonly dipoleSlopes?: Float64Array;
}

/** Weights of the displacements h, 2h in differences of order 2 and 4. */
const STENCIL = { 2: [1 / 2], 4: [2 / 3, -1 / 12] } as const;

/** Half of the skin that takes up the displacements, so that one neighbour list serves them all, Å. */
export const skinOf = ({ step = 0.005 }: HessianOptions): number => 8 * step;

/** Force constants ∂²E/∂x_i∂x_j, symmetric, row-major [3n, 3n], eV/Å², from central differences of forces. */
export const hessian = (
  structure: Structure,
  potential: Potential,
  options: HessianOptions = {},
): Float64Array => response(structure, potential, options).hessian;

/**
 * The same from the second derivatives of the potential's formulas; null where it has none. The part of the crystal's own
 * images is in it: force constants at q = 0.
 */
export function exactHessian(structure: Structure, potential: Potential): Float64Array | null {
  if (!potential.curvature) return null;
  const size = structure.positions.length;
  const H = new Float64Array(size * size);
  potential.curvature(structure, findNeighbours(structure, potential.cutoff), H);
  if (!H.every(Number.isFinite)) throw new NumericalError("a force constant is not finite");
  symmetrise(H, size, undefined);
  return H;
}

/** Force constants and dipole derivatives from the same central differences. */
export function response(structure: Structure, potential: Potential, options: HessianOptions = {}): Response {
  const differences = new Differences(structure, options);
  const surface = createSurface(structure, potential, skinOf(options));
  const point = surface.start();
  for (let k = 0; k < differences.count; k++) {
    point.positions.set(differences.positions(k));
    surface.evaluate(point);
    differences.add(k, point.forces, point.dipole);
    options.watch?.((k + 1) / differences.count);
  }
  return differences.result();
}

/** The same with the displaced structures evaluated several at once: the same bits. */
export async function responseBy(
  structure: Structure,
  displacements: Displacements,
  options: HessianOptions = {},
): Promise<Response> {
  const differences = new Differences(structure, options);
  for (let k = 0; k < differences.count; k += displacements.room) {
    const size = Math.min(displacements.room, differences.count - k);
    const round = Array.from({ length: size }, (_, i) => differences.positions(k + i));
    // oxlint-disable-next-line no-await-in-loop -- rounds follow each other, what is in one runs at once
    const found = await displacements.evaluate(round);
    for (const [i, { forces, dipole }] of found.entries()) differences.add(k + i, forces, dipole);
    options.watch?.((k + size) / differences.count);
  }
  return differences.result();
}

/** Which positions central differences need, and what follows from the forces there, added in their order. */
class Differences {
  readonly count: number;
  readonly #structure: Structure;
  readonly #options: HessianOptions;
  readonly #step: number;
  readonly #moved: readonly number[];
  readonly #weights: readonly number[];
  readonly #H: Float64Array;
  #slopes: Float64Array | undefined;

  constructor(structure: Structure, options: HessianOptions) {
    const { step = 0.005, order = 2, atoms } = options;
    if (!(step > 0)) throw invalid("step", "a positive length in Å", step);
    const n = structure.numbers.length;
    this.#structure = structure;
    this.#options = options;
    this.#step = step;
    this.#moved = atoms ?? Array.from({ length: n }, (_, i) => i);
    this.#weights = STENCIL[order].flatMap((weight) => [weight, -weight]);
    this.#H = new Float64Array(9 * n * n);
    this.count = 3 * this.#moved.length * this.#weights.length;
  }

  /** Coordinate a, its displacement (Å) and the weight of evaluation k. */
  #move(k: number) {
    const [which, s] = [Math.floor(k / this.#weights.length), k % this.#weights.length];
    const a = 3 * this.#moved[Math.floor(which / 3)] + (which % 3);
    const sign = s % 2 === 0 ? 1 : -1;
    return { a, by: sign * (Math.floor(s / 2) + 1) * this.#step, weight: this.#weights[s] };
  }

  /** Positions of evaluation k, [n, 3], Å. */
  positions(k: number): Float64Array {
    const { a, by } = this.#move(k);
    const positions = this.#structure.positions.slice();
    positions[a] += by;
    return positions;
  }

  /** Takes in what evaluation k gave. */
  add(k: number, forces: Float64Array, dipole: Float64Array | undefined): void {
    const { a, weight } = this.#move(k);
    const [H, size, step] = [this.#H, forces.length, this.#step];
    for (let b = 0; b < size; b++) H[a * size + b] -= (weight * forces[b]) / step;
    if (!dipole) return;
    this.#slopes ??= new Float64Array(3 * size);
    for (let d = 0; d < 3; d++) this.#slopes[3 * a + d] += (weight * dipole[d]) / step;
  }

  result(): Response {
    const { atoms, rows = false } = this.#options;
    const [hessian, dipoleSlopes] = [this.#H, this.#slopes];
    if (!hessian.every(Number.isFinite)) throw new NumericalError("a force constant is not finite");
    if (!rows) symmetrise(hessian, this.#structure.positions.length, atoms && new Set(atoms));
    return { hessian, ...(dipoleSlopes && { dipoleSlopes }) };
  }
}

/** The mean of both entries of a pair; 0 where one of them stays fixed. */
function symmetrise(H: Float64Array, size: number, moved: ReadonlySet<number> | undefined): void {
  for (let a = 0; a < size; a++)
    for (let b = 0; b < a; b++) {
      const free = !moved || (moved.has(Math.floor(a / 3)) && moved.has(Math.floor(b / 3)));
      H[a * size + b] = H[b * size + a] = free ? (H[a * size + b] + H[b * size + a]) / 2 : 0;
    }
}
