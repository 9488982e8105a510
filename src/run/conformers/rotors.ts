import { invalid } from "../../error.ts";
import { relativeLength, bondsOf, neighboursByBond } from "../../structure/bonds.ts";
import type { Structure } from "../../structure/structure.ts";

/** A molecule as a graph. */
export interface Molecule {
  readonly structure: Structure;
  readonly bonds: readonly (readonly [number, number])[];
  /** Atoms bonded to each atom, ascending. */
  readonly near: readonly (readonly number[])[];
  /** Atoms that the graph cannot tell apart have the same number, [n]. */
  readonly classes: Int32Array;
}

/** A bond that parts of a molecule turn about. */
export interface Rotor {
  /** The part on the second atom's side turns. */
  readonly axis: readonly [number, number];
  /** Atoms that turn, the smaller side. */
  readonly turning: readonly number[];
  /** Turns tried, in a full circle: 3 between tetrahedral atoms, 6 where one of them is planar. */
  readonly turns: 3 | 6;
}

/** The graph of a molecule, found from its distances. */
export function moleculeOf(structure: Structure): Molecule {
  if (structure.pbc.some(Boolean)) throw invalid("structure", "a molecule without periodicity", "a cell");
  const n = structure.numbers.length;
  const bonds = bondsOf(structure);
  const near = neighboursByBond(n, bonds);
  if (reachable(near, 0).size !== n) throw invalid("structure", "one molecule", "parts that are not bonded");
  return { structure, bonds, near, classes: classesOf(structure.numbers, near) };
}

/** Atoms that can be reached from one, without the bond to another. */
function reachable(near: Molecule["near"], from: number, without = -1): Set<number> {
  const found = new Set([from]);
  for (const i of found) for (const j of near[i]) if (!(i === from && j === without)) found.add(j);
  return found;
}

/** H. L. Morgan's refinement (DOI 10.1021/c160017a018): atoms differ when their neighbours do. */
function classesOf(numbers: Uint8Array, near: Molecule["near"]): Int32Array {
  let classes = ranked(Array.from(numbers, (z, i) => `${z} ${near[i].length}`));
  for (;;) {
    const finer = ranked(
      near.map(
        (list, i) =>
          `${classes[i]}: ${list
            .map((j) => classes[j])
            .toSorted((a, b) => a - b)
            .join(" ")}`,
      ),
    );
    if (new Set(finer).size === new Set(classes).size) return classes;
    classes = finer;
  }
}

/** The place of each word among all different ones. */
function ranked(words: readonly string[]): Int32Array {
  const order = new Map([...new Set(words)].toSorted().map((word, k) => [word, k]));
  return Int32Array.from(words, (word) => order.get(word)!);
}

/** Bonds shorter than this many sums of covalent radii are multiple, and do not turn. */
const MULTIPLE = 0.93;

/**
 * Bonds whose turning makes another conformer: single, in no ring, with atoms to turn on both sides, which are not three
 * of a kind as those of a methyl group. `named` bonds (pairs of atoms) are taken instead, whatever they are.
 */
export function findRotors(molecule: Molecule, named?: readonly (readonly [number, number])[]): Rotor[] {
  const { bonds, near, structure } = molecule;
  const fits = (j: number, k: number) =>
    relativeLength(structure, j, k) >= MULTIPLE && turns(molecule, j, k) && turns(molecule, k, j);
  const chosen = named ?? bonds.filter(([j, k]) => fits(j, k));
  return chosen.flatMap(([j, k]) => {
    if (!near[j].includes(k)) throw invalid("bonds", "atoms that are bonded", `${j + 1}-${k + 1}`);
    const [first, second] = [reachable(near, j, k), reachable(near, k, j)];
    if (second.has(j)) {
      if (named) throw invalid("bonds", "bonds outside of rings", `${j + 1}-${k + 1}`);
      return [];
    }
    const small = second.size <= first.size;
    const side = small ? second : first;
    const axis = small ? ([j, k] as const) : ([k, j] as const);
    side.delete(axis[1]);
    return [
      {
        axis,
        turning: [...side].toSorted((a, b) => a - b),
        turns: planar(molecule, j) || planar(molecule, k) ? 6 : 3,
      } as const,
    ];
  });
}

/** Whether a turn moves what hangs on k to another place than its like. */
function turns({ near, classes, structure }: Molecule, j: number, k: number): boolean {
  const hanging = near[k].filter((i) => i !== j);
  if (hanging.length === 0) return false;
  if (hanging.length === 1 && straight(structure, j, k, hanging[0])) return false;
  return !(hanging.length === 3 && hanging.every((i) => classes[i] === classes[hanging[0]]));
}

/** Whether i–j–k is nearly a line. */
function straight({ positions }: Structure, i: number, j: number, k: number): boolean {
  const [a, b] = [between(positions, j, i), between(positions, j, k)];
  return dot3(a, b) < -0.97 * Math.sqrt(dot3(a, a) * dot3(b, b));
}

/** Three neighbours, and in one plane with them. */
function planar({ near, structure }: Molecule, i: number): boolean {
  if (near[i].length !== 3) return false;
  const [a, b, c] = near[i].map((j) => unit3(between(structure.positions, i, j)));
  const volume = dot3(a, cross(b, c));
  return Math.abs(volume) < 0.3;
}

type Vector = readonly [number, number, number];

/** r_j − r_i. */
const between = (p: Float64Array, i: number, j: number): Vector => [
  p[3 * j] - p[3 * i],
  p[3 * j + 1] - p[3 * i + 1],
  p[3 * j + 2] - p[3 * i + 2],
];
const dot3 = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
const unit3 = (a: Vector): Vector => {
  const length = Math.sqrt(dot3(a, a));
  return [a[0] / length, a[1] / length, a[2] / length];
};

/** cos and sin of k sixths of a circle. */
const SIXTHS = [
  [1, 0],
  [0.5, Math.sqrt(3) / 2],
  [-0.5, Math.sqrt(3) / 2],
  [-1, 0],
  [-0.5, -Math.sqrt(3) / 2],
  [0.5, -Math.sqrt(3) / 2],
] as const;

/**
 * The positions after turning each rotor by its number of steps; a step is a circle over the rotor's turns. Each is turned
 * on by 2 arctan u with u of `nudges`.
 */
export function turned(
  positions: Float64Array,
  rotors: readonly Rotor[],
  steps: readonly number[],
  nudges: readonly number[] = [],
): Float64Array {
  const out = positions.slice();
  rotors.forEach(({ axis: [j, k], turning, turns: circle }, r) => {
    const [c, d] = SIXTHS[(steps[r] * (6 / circle)) % 6];
    const t = nudges[r] ?? 0;
    const [e, f] = [(1 - t * t) / (1 + t * t), (2 * t) / (1 + t * t)];
    const [cosine, sine] = [c * e - d * f, c * f + d * e];
    const u = unit3(between(out, j, k));
    for (const i of turning) {
      const d = between(out, k, i);
      const across = cross(u, d);
      const along = dot3(u, d) * (1 - cosine);
      for (let a = 0; a < 3; a++)
        out[3 * i + a] = out[3 * k + a] + d[a] * cosine + across[a] * sine + u[a] * along;
    }
  });
  return out;
}

/** The dihedral angle i–j–k–l, degrees in (−180, 180], IUPAC sign. */
export function dihedral(p: Float64Array, i: number, j: number, k: number, l: number): number {
  const [a, b, c] = [between(p, i, j), between(p, j, k), between(p, k, l)];
  const [m, n] = [cross(a, b), cross(b, c)];
  const y = dot3(cross(m, n), unit3(b));
  return (Math.atan2(y, dot3(m, n)) * 180) / Math.PI;
}

/** The dihedral angle of a rotor, between the first atoms, of the fewest kind, that hang on both of its ends. */
export function angleOf(
  { near, classes }: Molecule,
  { axis: [j, k] }: Rotor,
  positions: Float64Array,
): number {
  const leader = (at: number, other: number) => {
    const hanging = near[at].filter((i) => i !== other);
    const like = (i: number) => hanging.filter((m) => classes[m] === classes[i]).length;
    return hanging.toSorted((a, b) => like(a) - like(b) || a - b)[0];
  };
  return dihedral(positions, leader(j, k), j, k, leader(k, j));
}
