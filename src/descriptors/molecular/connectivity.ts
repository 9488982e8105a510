import { bondsOf, neighboursByBond } from "../../structure/bonds.ts";
import type { Structure } from "../../structure/structure.ts";

/** Bonds, angles (middle atom second) and dihedrals of a molecule, by numbers of atoms. */
export interface Connectivity {
  readonly bonds: [number, number][];
  readonly angles: [number, number, number][];
  readonly dihedrals: [number, number, number, number][];
}

/** cos of the angle beyond which three atoms are a line, along which no dihedral is defined. */
const STRAIGHT = 0.996;

const separation = ({ positions }: Structure, i: number, j: number): number =>
  Math.sqrt([0, 1, 2].reduce((sum, k) => sum + (positions[3 * i + k] - positions[3 * j + k]) ** 2, 0));

/** cos of the angle i–j–k. */
function cosine(s: Structure, i: number, j: number, k: number): number {
  const [a, b, c] = [separation(s, i, j), separation(s, j, k), separation(s, i, k)];
  return (a * a + b * b - c * c) / (2 * a * b);
}

/** Bonds by covalent radii; parts that hang on nothing are joined at their closest atoms. */
function findBonds(s: Structure): [number, number][] {
  const n = s.numbers.length;
  const pairs: [number, number][] = [];
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) pairs.push([i, j]);
  const part = Array.from({ length: n }, (_, i) => i);
  const join = ([i, j]: [number, number]) => {
    const [from, to] = [part[j], part[i]];
    part.forEach((p, k) => (part[k] = p === from ? to : p));
  };
  const bonds = bondsOf(s);
  bonds.forEach(join);
  for (const pair of pairs.toSorted((a, b) => separation(s, ...a) - separation(s, ...b))) {
    if (part[pair[0]] === part[pair[1]]) continue;
    bonds.push(pair);
    join(pair);
  }
  return bonds.toSorted(([a, b], [c, d]) => a - c || b - d);
}

/** All bonds, all angles between them and all dihedrals about them that the structure has. */
export function connectivity(s: Structure): Connectivity {
  const bonds = findBonds(s);
  const near = neighboursByBond(s.numbers.length, bonds);
  const angles: [number, number, number][] = [];
  near.forEach((list, j) => list.forEach((i, a) => list.slice(a + 1).forEach((k) => angles.push([i, j, k]))));
  const bent = (i: number, j: number, k: number) => Math.abs(cosine(s, i, j, k)) < STRAIGHT;
  const dihedrals: [number, number, number, number][] = [];
  for (const [j, k] of bonds)
    for (const i of near[j])
      for (const l of near[k])
        if (i !== k && l !== j && l !== i && bent(i, j, k) && bent(j, k, l)) dihedrals.push([i, j, k, l]);
  return { bonds, angles, dihedrals };
}
