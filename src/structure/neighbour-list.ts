import { completeCell, inverse, multiply } from "./cell.ts";
import { findNeighbours } from "./neighbours.ts";
import type { Neighbours } from "./neighbours.ts";
import type { Structure } from "./structure.ts";

/**
 * Neighbours kept between steps of dynamics: found once within cutoff + skin and used again until a pair could have
 * come closer than the cutoff unseen (L. Verlet, Phys. Rev. 159, 98 (1967), DOI 10.1103/PhysRev.159.98).
 */
export class NeighbourList {
  /** Every pair closer than this is listed, Å. */
  readonly cutoff: number;
  /** Å. */
  readonly skin: number;
  /** How often the list was built. */
  rebuilds = 0;
  #reference: Structure | null = null;
  #neighbours: Neighbours | null = null;

  constructor(cutoff: number, skin: number) {
    this.cutoff = cutoff;
    this.skin = skin;
  }

  /** A list that holds every pair closer than the cutoff; pairs up to cutoff + skin and beyond may be in it. */
  update(structure: Structure): Neighbours {
    if (this.#neighbours && this.#reference && this.#holds(this.#reference, structure))
      return this.#neighbours;
    const found = findNeighbours(structure, this.cutoff + this.skin);
    this.rebuilds++;
    this.#reference = {
      ...structure,
      positions: structure.positions.slice(),
      cell: structure.cell && structure.cell.slice(),
      pbc: [...structure.pbc],
    };
    this.#neighbours = { ...found, cutoff: this.cutoff };
    return this.#neighbours;
  }

  /**
   * With the cell deformed by F (row vectors: cell = cell₀·F) and atoms displaced by u from r₀·F, a pair that was not
   * listed is at least σ_min(F)(rc + skin) − 2 max|u| apart, and σ_min(F) ≥ 1 − ‖F − 1‖ (Frobenius norm).
   */
  #holds(old: Structure, now: Structure): boolean {
    if (old.positions.length !== now.positions.length || old.pbc.some((p, k) => p !== now.pbc[k]))
      return false;
    const F = deformation(old, now);
    let norm2 = 0;
    for (let k = 0; k < 9; k++) norm2 += (F[k] - (k % 4 === 0 ? 1 : 0)) ** 2;
    const room = (1 - Math.sqrt(norm2)) * (this.cutoff + this.skin) - this.cutoff;
    return room > 0 && largestSquare(old.positions, now.positions, F) < (room / 2) ** 2;
  }
}

const IDENTITY = Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);

function deformation(old: Structure, now: Structure): Float64Array {
  const [a, b] = [old.cell, now.cell];
  if (!old.pbc.some(Boolean) || (a && b && a.every((x, k) => x === b[k]))) return IDENTITY;
  return multiply(inverse(completeCell(a, old.pbc)), completeCell(b, now.pbc));
}

function largestSquare(old: Float64Array, now: Float64Array, F: Float64Array): number {
  let largest = 0;
  if (F === IDENTITY) {
    for (let i = 0; i < now.length; i += 3) {
      const [ux, uy, uz] = [now[i] - old[i], now[i + 1] - old[i + 1], now[i + 2] - old[i + 2]];
      const u2 = ux * ux + uy * uy + uz * uz;
      if (!(u2 <= largest)) largest = u2;
    }
    return largest;
  }
  for (let i = 0; i < now.length; i += 3) {
    const [x, y, z] = [old[i], old[i + 1], old[i + 2]];
    const ux = now[i] - (x * F[0] + y * F[3] + z * F[6]);
    const uy = now[i + 1] - (x * F[1] + y * F[4] + z * F[7]);
    const uz = now[i + 2] - (x * F[2] + y * F[5] + z * F[8]);
    const u2 = ux * ux + uy * uy + uz * uz;
    // Not (u2 <= largest): a NaN position must reach the rebuild, whose check names the atom.
    if (!(u2 <= largest)) largest = u2;
  }
  return largest;
}
