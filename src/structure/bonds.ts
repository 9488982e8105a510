import { covalentRadius } from "./elements.ts";
import type { Structure } from "./structure.ts";

/** Atoms closer than this many sums of covalent radii are bonded. */
const REACH = 1.3;
/** Å, for elements without a radius. */
const RADIUS = 1.5;

/** Distance of two atoms as they are listed over the sum of their covalent radii. */
export function relativeLength({ numbers, positions }: Structure, i: number, j: number): number {
  let square = 0;
  for (let k = 0; k < 3; k++) square += (positions[3 * i + k] - positions[3 * j + k]) ** 2;
  const radii = (covalentRadius(numbers[i]) ?? RADIUS) + (covalentRadius(numbers[j]) ?? RADIUS);
  return Math.sqrt(square) / radii;
}

/** Bonds of a molecule by covalent radii, [i, j] with i < j, in order. */
export function bondsOf(structure: Structure): [number, number][] {
  const n = structure.numbers.length;
  const bonds: [number, number][] = [];
  for (let i = 0; i < n; i++)
    for (let j = i + 1; j < n; j++) if (relativeLength(structure, i, j) < REACH) bonds.push([i, j]);
  return bonds;
}

/** For each of n atoms, those it is bonded to, ascending. */
export function neighboursByBond(n: number, bonds: readonly (readonly [number, number])[]): number[][] {
  const near: number[][] = Array.from({ length: n }, () => []);
  for (const [i, j] of bonds) {
    near[i].push(j);
    near[j].push(i);
  }
  near.forEach((list) => list.sort((a, b) => a - b));
  return near;
}
