import { invalid } from "../error.ts";
import { symmetricEigen } from "../math/symmetric-eigen.ts";
import type { Potential } from "../potentials/potential.ts";
import { inverse, repeat } from "../structure/cell.ts";
import { masses as massesOf } from "../structure/elements.ts";
import type { Structure } from "../structure/structure.ts";
import { hessian } from "./hessian.ts";
import type { HessianOptions } from "./hessian.ts";
import { wavenumber } from "./vibrations.ts";

/** Options of `phonons`. */
export interface PhononOptions {
  /** Repeats of the cell in which forces are felt; as many as make 10 Å by default. */
  readonly supercell?: readonly [number, number, number];
  /** Displacement, Å; 0.01 by default. */
  readonly step?: number;
  /** amu. */
  readonly masses?: Float64Array;
  readonly watch?: (done: number) => void;
}

/** Harmonic vibrations of a crystal. */
export interface Phonons {
  readonly supercell: readonly [number, number, number];
  /** Largest sum of force constants that translation forbids, before it was taken away, eV/Å². */
  readonly asymmetry: number;
  /** Wavenumbers at q, in fractions of the reciprocal vectors, ascending, imaginary ones negative, [3 n], cm⁻¹. */
  wavenumbers(q: readonly number[]): Float64Array;
}

/** A pair of an atom of the cell and one of the supercell: force constants and its nearest images. */
interface Tie {
  readonly i: number;
  readonly j: number;
  /** [3, 3], eV/Å². */
  readonly constants: Float64Array;
  /** Lattice vectors of the nearest images, in units of the cell, [images][3]. */
  readonly images: readonly (readonly number[])[];
}

/** Å that a supercell is to have in each direction when its size is left open. */
const REACH = 10;

/** Repeats that make every face distance at least REACH. */
function defaultSupercell(cell: Float64Array): [number, number, number] {
  const inv = inverse(cell);
  const repeats = [0, 1, 2].map((k) => {
    const h = 1 / Math.hypot(inv[k], inv[3 + k], inv[6 + k]);
    return Math.max(1, Math.ceil(REACH / h));
  });
  return [repeats[0], repeats[1], repeats[2]];
}

/** The supercell in which a crystal's forces are felt. */
export interface Felt {
  readonly supercell: readonly [number, number, number];
  readonly structure: Structure;
  /** How its force constants are to be taken: only rows of the atoms of one cell are needed. */
  readonly options: HessianOptions;
}

/** The supercell of `phonons`. */
export function supercellOf(structure: Structure, options: PhononOptions = {}): Felt {
  const { cell } = structure;
  if (!cell || !structure.pbc.every(Boolean))
    throw invalid("structure", "a cell periodic in three directions, for phonons", "another");
  const supercell = options.supercell ?? defaultSupercell(cell);
  const { step = 0.01, watch } = options;
  const atoms = Array.from({ length: structure.numbers.length }, (_, i) => i);
  return {
    supercell,
    structure: repeat(structure, supercell),
    options: { step, order: 2, atoms, rows: true, watch },
  };
}

/** Phonons of a relaxed crystal from force constants by differences of forces in its supercell. */
export function phonons(structure: Structure, potential: Potential, options: PhononOptions = {}): Phonons {
  const felt = supercellOf(structure, options);
  return phononsFrom(structure, felt, hessian(felt.structure, potential, felt.options), options.masses);
}

/**
 * Phonons of a relaxed crystal: from force constants H between the atoms of one cell and those of a supercell, for every q
 * D_ij(q) = Σ_l Φ(0i, lj) e^{2πi q·l} / √(m_i m_j), where a pair that has several images at the same shortest distance
 * counts the mean of them (K. Parlinski, Z. Q. Li, Y. Kawazoe, Phys. Rev. Lett. 78, 4063 (1997), DOI
 * 10.1103/PhysRevLett.78.4063). Exact at the q that fit the supercell. Without long-range charges.
 */
export function phononsFrom(
  structure: Structure,
  { supercell, structure: large }: Felt,
  H: Float64Array,
  masses: Float64Array = massesOf(structure.numbers),
): Phonons {
  const { ties, asymmetry } = tie(structure, large, supercell, H);
  return { supercell, asymmetry, wavenumbers: (q) => modesAt(q, ties, masses) };
}

/** Pairs with their force constants, made to sum to zero as translation demands. */
function tie(
  structure: Structure,
  large: Structure,
  supercell: readonly [number, number, number],
  H: Float64Array,
): { ties: Tie[]; asymmetry: number } {
  const n = structure.numbers.length;
  const N = large.numbers.length;
  const width = 3 * N;
  const sums = Array.from({ length: n }, () => new Float64Array(9));
  const ties: Tie[] = [];
  for (let i = 0; i < n; i++)
    for (let J = 0; J < N; J++) {
      const constants = Float64Array.from({ length: 9 }, (_, k) => {
        const [a, b] = [Math.floor(k / 3), k % 3];
        return H[(3 * i + a) * width + 3 * J + b];
      });
      constants.forEach((c, k) => (sums[i][k] += c));
      // `repeat` writes whole copies of the cell one after another.
      ties.push({ i, j: J % n, constants, images: nearest(structure, large, supercell, i, J) });
    }
  let asymmetry = 0;
  for (const t of ties) {
    if (t.i !== t.j || t.images.length !== 1 || t.images[0].some((x) => x !== 0)) continue;
    sums[t.i].forEach((s, k) => {
      asymmetry = Math.max(asymmetry, Math.abs(s));
      t.constants[k] -= s;
    });
  }
  return { ties, asymmetry };
}

/** Lattice vectors, in units of the cell, by which atom J lies from its namesake in the first cell, nearest to i. */
function nearest(
  structure: Structure,
  large: Structure,
  supercell: readonly [number, number, number],
  i: number,
  J: number,
): number[][] {
  const n = structure.numbers.length;
  const cell = structure.cell!;
  const inv = inverse(cell);
  const own = [0, 1, 2].map((b) => {
    let f = 0;
    for (let a = 0; a < 3; a++)
      f += (large.positions[3 * J + a] - structure.positions[3 * (J % n) + a]) * inv[3 * a + b];
    return Math.round(f);
  });
  const found: { shift: number[]; distance: number }[] = [];
  for (let x = -2; x <= 2; x++)
    for (let y = -2; y <= 2; y++)
      for (let z = -2; z <= 2; z++) {
        const shift = [x, y, z].map((s, k) => own[k] + s * supercell[k]);
        const d = [0, 1, 2].map(
          (a) =>
            structure.positions[3 * (J % n) + a] -
            structure.positions[3 * i + a] +
            shift.reduce((sum, s, k) => sum + s * cell[3 * k + a], 0),
        );
        found.push({ shift, distance: Math.hypot(...d) });
      }
  const least = Math.min(...found.map((f) => f.distance));
  return found.filter((f) => f.distance < least + 1e-4).map((f) => f.shift);
}

/** Eigenvalues of the Hermitian D(q) = A + iB through those of [A −B; B A], each of which comes twice. */
function modesAt(q: readonly number[], ties: readonly Tie[], masses: Float64Array): Float64Array {
  const size = 3 * masses.length;
  const M = new Float64Array(4 * size * size);
  const at = (row: number, column: number) => row * 2 * size + column;
  for (const { i, j, constants, images } of ties) {
    let [real, imaginary] = [0, 0];
    for (const l of images) {
      const phase = 2 * Math.PI * (q[0] * l[0] + q[1] * l[1] + q[2] * l[2]);
      real += Math.cos(phase) / images.length;
      imaginary += Math.sin(phase) / images.length;
    }
    const weight = 1 / Math.sqrt(masses[i] * masses[j]);
    constants.forEach((c, k) => {
      const [row, column] = [3 * i + Math.floor(k / 3), 3 * j + (k % 3)];
      M[at(row, column)] += weight * c * real;
      M[at(row + size, column + size)] += weight * c * real;
      M[at(row + size, column)] += weight * c * imaginary;
      M[at(row, column + size)] -= weight * c * imaginary;
    });
  }
  for (let a = 0; a < 2 * size; a++)
    for (let b = 0; b < a; b++) M[at(a, b)] = M[at(b, a)] = (M[at(a, b)] + M[at(b, a)]) / 2;
  const { values } = symmetricEigen(M, 2 * size);
  return Float64Array.from({ length: size }, (_, k) => wavenumber(values[2 * size - 1 - 2 * k]));
}

/** Wavenumbers on a mesh of n³ q points that avoids Γ, all together, cm⁻¹: what densities of states are made of. */
export function meshWavenumbers(crystal: Phonons, n: number): Float64Array {
  const all: number[] = [];
  for (let x = 0; x < n; x++)
    for (let y = 0; y < n; y++)
      for (let z = 0; z < n; z++)
        all.push(...crystal.wavenumbers([(x + 0.5) / n, (y + 0.5) / n, (z + 0.5) / n]));
  return Float64Array.from(all);
}
