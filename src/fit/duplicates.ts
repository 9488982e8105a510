import { isInField } from "../potentials/isolated-atoms.ts";
import { formulaOf } from "../structure/elements.ts";
import { findNeighbours, type Neighbours } from "../structure/neighbours.ts";
import type { Frame, Structure } from "../structure/structure.ts";

/** Distances beyond this do not enter the fingerprint, Å. */
export const CUTOFF = 6;
/** Two fingerprints closer than this, relative, are one structure: displacements of about 1e-6 Å. */
const TOLERANCE = 1e-7;

/**
 * Three sums over pairs that no rotation, translation, reflection or renumbering changes:
 * Σ w(r) s, Σ w(r) r s, Σ w(r) r² p with w = (1 − r²/rc²)² and s, p the sum and product of atomic numbers.
 */
export function fingerprint(
  structure: Structure,
  neighbours: Neighbours = findNeighbours(structure, CUTOFF),
): Float64Array {
  const { numbers, positions, cell } = structure;
  const { offsets, index, shift } = neighbours;
  const sums = new Float64Array(3);
  for (let i = 0; i < numbers.length; i++)
    for (let p = offsets[i]; p < offsets[i + 1]; p++) {
      const j = index[p];
      let r2 = 0;
      for (let k = 0; k < 3; k++) {
        let d = positions[3 * j + k] - positions[3 * i + k];
        if (cell) for (let l = 0; l < 3; l++) d += shift[3 * p + l] * cell[3 * l + k];
        r2 += d * d;
      }
      const r = Math.sqrt(r2);
      const w = r < CUTOFF ? (1 - r2 / CUTOFF ** 2) ** 2 : 0;
      sums[0] += w * (numbers[i] + numbers[j]);
      sums[1] += w * r * (numbers[i] + numbers[j]);
      sums[2] += w * r2 * numbers[i] * numbers[j];
    }
  return sums;
}

const close = (a: Float64Array, b: Float64Array) =>
  a.every((x, k) => Math.abs(x - b[k]) <= TOLERANCE * (1 + Math.abs(x)));

/**
 * Groups of frames that show the same structure, moved, turned, mirrored or renumbered as they may be; frame
 * numbers, ascending, only groups of two or more. Equal means to about 1e-6 Å; the labels are not compared.
 * Cost: one neighbour list per frame and a sort.
 */
export const findDuplicates = (frames: readonly Frame[]): number[][] =>
  groupDuplicates(
    frames.map((frame) => {
      const { numbers, positions } = frame.structure;
      const kind = formulaOf(numbers);
      return isInField(frame)
        ? { kind: `${kind} in a field`, print: positions }
        : { kind, print: fingerprint(frame.structure) };
    }),
  );

/** The same from fingerprints; only those of equal `kind`, the composition, are compared. */
export function groupDuplicates(
  frames: readonly { readonly kind: string; readonly print: Float64Array }[],
): number[][] {
  const kinds = new Map<string, number[]>();
  frames.forEach(({ kind }, f) => {
    const members = kinds.get(kind);
    if (members) members.push(f);
    else kinds.set(kind, [f]);
  });
  const prints = frames.map(({ print }) => print);
  const groups: number[][] = [];
  for (const members of kinds.values()) for (const group of groupsOf(members, prints)) groups.push(group);
  return groups.sort((a, b) => a[0] - b[0]);
}

/** Sweeps the members in the order of their first sum: equal structures are neighbours within the tolerance. */
function groupsOf(members: readonly number[], prints: readonly Float64Array[]): number[][] {
  const order = [...members].sort((a, b) => prints[a][0] - prints[b][0] || a - b);
  const parent = new Map(order.map((f) => [f, f]));
  const root = (f: number): number => (parent.get(f) === f ? f : root(parent.get(f)!));
  for (let a = 0; a < order.length; a++) {
    const limit = prints[order[a]][0] + TOLERANCE * (1 + Math.abs(prints[order[a]][0]));
    for (let b = a + 1; b < order.length && prints[order[b]][0] <= limit; b++)
      if (close(prints[order[a]], prints[order[b]])) parent.set(root(order[b]), root(order[a]));
  }
  const sets = new Map<number, number[]>();
  for (const f of order) {
    const set = sets.get(root(f));
    if (set) set.push(f);
    else sets.set(root(f), [f]);
  }
  return [...sets.values()].filter((set) => set.length > 1).map((set) => set.sort((a, b) => a - b));
}
