import { invalid } from "../../error.ts";
import { inverse, multiply } from "../../structure/cell.ts";
import { massOf, symbolOf } from "../../structure/elements.ts";
import type { Structure } from "../../structure/structure.ts";
import { digits } from "./coefficients.ts";

/** A structure as LAMMPS has it: a along x, b in the xy plane; and what turns its vectors into ours. */
export interface LammpsFrame {
  readonly structure: Structure;
  /** Rows are the axes of LAMMPS's frame, [3, 3]: v(ours) = v(LAMMPS) · rotation. */
  readonly rotation: Float64Array;
}

/**
 * The structure turned such that its cell is lower triangular with a positive diagonal, as LAMMPS demands; a left-handed
 * cell is first replaced by −a, −b, −c, which spans the same lattice. A molecule gets a box 2 Å larger than itself.
 */
export function toLammps(structure: Structure): LammpsFrame {
  const { cell, pbc } = structure;
  if (!pbc.every((flag) => flag === pbc[0]))
    throw invalid("structure", "periodic in all three directions or in none", pbc);
  return cell && pbc[0] ? lowered(structure, cell) : boxed(structure);
}

/** The structure in the frame in which its cell is lower triangular; itself where it is so already. */
export function lowered(structure: Structure, cell: Float64Array): LammpsFrame {
  const { positions } = structure;
  if ([1, 2, 5].every((k) => cell[k] === 0) && [0, 4, 8].every((k) => cell[k] > 0))
    return { structure: { ...structure, cell: cell.map((x) => x + 0) }, rotation: IDENTITY }; // no −0
  const right = determinantOf(cell) > 0 ? cell : cell.map((x) => -x);
  const lower = lowerOf(right);
  // A = L·Q, so Q = L⁻¹·A and r(LAMMPS) = r·Qᵀ.
  const rotation = multiply(inverse(lower), right);
  return { structure: { ...structure, cell: lower, positions: turned(positions, rotation) }, rotation };
}

/** A structure without cell in a box 2 Å larger than itself, moved to its middle. */
export function boxed(structure: Structure): LammpsFrame {
  const { positions } = structure;
  const cell = new Float64Array(9);
  const moved = positions.slice();
  for (let k = 0; k < 3; k++) {
    const own = positions.filter((_, i) => i % 3 === k);
    const [low, high] = [Math.min(...own), Math.max(...own)];
    cell[4 * k] = high - low + 2;
    for (let i = k; i < moved.length; i += 3) moved[i] = positions[i] - low + 1;
  }
  return { structure: { ...structure, cell, positions: moved }, rotation: IDENTITY };
}

const IDENTITY = Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);

const determinantOf = (m: Float64Array): number =>
  m[0] * (m[4] * m[8] - m[5] * m[7]) -
  m[1] * (m[3] * m[8] - m[5] * m[6]) +
  m[2] * (m[3] * m[7] - m[4] * m[6]);

/** L of A = L·Q: the Cholesky factor of the metric A·Aᵀ. */
function lowerOf(A: Float64Array): Float64Array {
  const dot = (i: number, j: number) =>
    A[3 * i] * A[3 * j] + A[3 * i + 1] * A[3 * j + 1] + A[3 * i + 2] * A[3 * j + 2];
  const ax = Math.sqrt(dot(0, 0));
  const bx = dot(0, 1) / ax;
  const by = Math.sqrt(dot(1, 1) - bx * bx);
  const cx = dot(0, 2) / ax;
  const cy = (dot(1, 2) - bx * cx) / by;
  const cz = Math.sqrt(dot(2, 2) - cx * cx - cy * cy);
  return Float64Array.of(ax, 0, 0, bx, by, 0, cx, cy, cz);
}

/** Vectors [n, 3] in the frame of LAMMPS: v · rotationᵀ. */
export function turned(vectors: Float64Array, Q: Float64Array): Float64Array {
  const out = new Float64Array(vectors.length);
  for (let i = 0; i < out.length; i += 3)
    for (let k = 0; k < 3; k++)
      out[i + k] = vectors[i] * Q[3 * k] + vectors[i + 1] * Q[3 * k + 1] + vectors[i + 2] * Q[3 * k + 2];
  return out;
}

const boundsOf = (name: string, length: number): string => `0.0 ${digits(length)} ${name}lo ${name}hi`;

/** What a data file may have beside places, in the frame and the units of LAMMPS. */
export interface DataExtras {
  /** [n], e; the style is charge then, else atomic. */
  readonly charges?: Float64Array;
  /** [n, 3]. */
  readonly velocities?: Float64Array;
}

const three = (values: Float64Array, i: number): string =>
  [0, 1, 2].map((k) => digits(values[3 * i + k])).join(" ");

/** The text of a data file of a structure from `toLammps`; `types`: atomic number of each type. */
export function writeData(
  { structure }: LammpsFrame,
  types: readonly number[],
  title: string,
  { charges, velocities }: DataExtras = {},
): string {
  const { numbers, positions, cell } = structure;
  const [ax, , , bx, by, , cx, cy, cz] = cell!;
  const strange = [...numbers].find((z) => !types.includes(z));
  if (strange !== undefined) throw invalid("structure", "the elements of the model", symbolOf(strange));
  const atoms = Array.from(numbers, (z, i) => {
    const q = charges ? ` ${digits(charges[i])}` : "";
    return `${i + 1} ${types.indexOf(z) + 1}${q} ${three(positions, i)}`;
  });
  return `${[
    title,
    "",
    `${numbers.length} atoms`,
    `${types.length} atom types`,
    "",
    boundsOf("x", ax),
    boundsOf("y", by),
    boundsOf("z", cz),
    ...(structure.pbc[0] ? [`${[bx, cx, cy].map(digits).join(" ")} xy xz yz`] : []),
    "",
    "Masses",
    "",
    ...types.map((z, t) => `${t + 1} ${massOf(z)} # ${symbolOf(z)}`),
    "",
    `Atoms # ${charges ? "charge" : "atomic"}`,
    "",
    ...atoms,
    ...(velocities
      ? ["", "Velocities", "", ...Array.from(numbers, (_, i) => `${i + 1} ${three(velocities, i)}`)]
      : []),
  ].join("\n")}\n`;
}
