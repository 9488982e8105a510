import { relativeLength, bondsOf } from "../../structure/bonds.ts";
import { dihedral } from "./rotors.ts";
import type { Molecule } from "./rotors.ts";

/** Distances of all pairs, sorted within each pair of classes: the same for like atoms exchanged, turned, and mirrored. */
export function fingerprint({ classes }: Molecule, positions: Float64Array): Float64Array {
  const groups = new Map<number, number[]>();
  const n = classes.length;
  for (let i = 0; i < n; i++)
    for (let j = i + 1; j < n; j++) {
      const key = Math.min(classes[i], classes[j]) * n + Math.max(classes[i], classes[j]);
      let square = 0;
      for (let k = 0; k < 3; k++) square += (positions[3 * i + k] - positions[3 * j + k]) ** 2;
      const group = groups.get(key) ?? [];
      group.push(Math.sqrt(square));
      groups.set(key, group);
    }
  const keys = [...groups.keys()].toSorted((a, b) => a - b);
  return Float64Array.from(keys.flatMap((key) => groups.get(key)!.toSorted((a, b) => a - b)));
}

/** Root mean square difference of two fingerprints, Å. */
export function apart(a: Float64Array, b: Float64Array): number {
  let square = 0;
  for (let k = 0; k < a.length; k++) square += (a[k] - b[k]) ** 2;
  return Math.sqrt(square / Math.max(1, a.length));
}

/**
 * 1 or −1 for the two mirror images of a chiral conformer, 0 for one that is its own: the sum of the sines of all dihedral
 * angles along bonds, each weighted by the classes of its atoms, which a mirror turns round. Of several sets of weights
 * the one counts whose sum is largest: in a single one the weights of two classes may happen to be alike.
 */
export function handedness(molecule: Molecule, positions: Float64Array): -1 | 0 | 1 {
  const sums = SETS.map((set) => sumOfSines(molecule, positions, set));
  const most = sums.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
  if (Math.abs(most) < EVEN) return 0;
  return most > 0 ? 1 : -1;
}

/** Sets of weights that are tried. */
const SETS = [0, 1, 2, 3];

/** That sum over the sum of its terms' sizes, −1 to 1. */
function sumOfSines({ near, bonds, classes }: Molecule, positions: Float64Array, set: number): number {
  let [sum, size] = [0, 0];
  for (const [j, k] of bonds)
    for (const i of near[j])
      for (const l of near[k]) {
        if (i === k || l === j || l === i) continue;
        const weight = weightOf(set, classes[i], classes[j], classes[k], classes[l]);
        const term = weight * Math.sin((dihedral(positions, i, j, k, l) * Math.PI) / 180);
        sum += term;
        size += Math.abs(term);
      }
  return size > 0 ? sum / size : 0;
}

/** Below this the sum is taken for 0. */
const EVEN = 0.02;

/** A number in [0, 1) for the classes along a dihedral angle, the same from both ends, else as if drawn at random. */
function weightOf(set: number, a: number, b: number, c: number, d: number): number {
  const forward = a < d || (a === d && b <= c) ? [a, b, c, d] : [d, c, b, a];
  let word = 2166136261;
  for (const x of [set, ...forward]) {
    word = Math.imul(word ^ (x + 1), 16777619);
    word ^= word >>> 13;
    word = Math.imul(word, 2246822519);
  }
  return (word >>> 0) / 2 ** 32;
}

/** Whether atoms that are not bonded, nor to one and the same atom, are as close as if they were. */
export function clashes({ structure, bonds, near }: Molecule, positions: Float64Array): boolean {
  const own = new Set(bonds.map(([i, j]) => `${i} ${j}`));
  return bondsOf({ ...structure, positions }).some(
    ([i, j]) => !own.has(`${i} ${j}`) && !near[i].some((k) => near[j].includes(k)),
  );
}

/** Bonds longer than this many sums of covalent radii are broken. */
const BROKEN = 1.5;

/** Whether every bond is still there, and no other. */
export function sameBonds(molecule: Molecule, positions: Float64Array): boolean {
  const now = { ...molecule.structure, positions };
  return (
    !clashes(molecule, positions) && molecule.bonds.every(([i, j]) => relativeLength(now, i, j) < BROKEN)
  );
}
