import { invalid } from "../error.ts";
import type { Structure } from "./structure.ts";

/** Determinant a·(b×c) of the rows of a [3, 3] matrix, signed. */
const determinant = (m: ArrayLike<number>): number =>
  m[0] * (m[4] * m[8] - m[5] * m[7]) -
  m[1] * (m[3] * m[8] - m[5] * m[6]) +
  m[2] * (m[3] * m[7] - m[4] * m[6]);

/** Volume of the cell, Å³: |a·(b×c)|. */
export const volume = (cell: ArrayLike<number>): number => Math.abs(determinant(cell));

/** Inverse of a [3, 3] matrix; fractional coordinates are f = r · inverse(cell). */
export function inverse(m: ArrayLike<number>): Float64Array {
  const det = determinant(m);
  if (!(Math.abs(det) > 0))
    throw invalid("cell", "three linearly independent lattice vectors", Array.from(m));
  const out = new Float64Array(9);
  for (let i = 0; i < 3; i++)
    for (let j = 0; j < 3; j++) {
      const [a, b] = [(j + 1) % 3, (j + 2) % 3];
      const [c, d] = [(i + 1) % 3, (i + 2) % 3];
      out[3 * i + j] = (m[3 * a + c] * m[3 * b + d] - m[3 * a + d] * m[3 * b + c]) / det;
    }
  return out;
}

/** Product a · b of two [3, 3] matrices. */
export function multiply(a: ArrayLike<number>, b: ArrayLike<number>): Float64Array {
  const out = new Float64Array(9);
  for (let i = 0; i < 3; i++)
    for (let j = 0; j < 3; j++)
      out[3 * i + j] = a[3 * i] * b[j] + a[3 * i + 1] * b[3 + j] + a[3 * i + 2] * b[6 + j];
  return out;
}

/** Distances between opposite faces of the cell, [3], Å: h_k = 1/|column k of the inverse|. */
export function faceDistances(cell: ArrayLike<number>): [number, number, number] {
  const inv = inverse(cell);
  const h = (k: number) => 1 / Math.sqrt(inv[k] ** 2 + inv[3 + k] ** 2 + inv[6 + k] ** 2);
  return [h(0), h(1), h(2)];
}

/** Fractional coordinates, [n, 3]: f = r · cell⁻¹. */
export function fractional(positions: ArrayLike<number>, cell: ArrayLike<number>): Float64Array {
  const inv = inverse(cell);
  const out = new Float64Array(positions.length);
  for (let i = 0; i < out.length; i += 3)
    for (let k = 0; k < 3; k++)
      out[i + k] = positions[i] * inv[k] + positions[i + 1] * inv[3 + k] + positions[i + 2] * inv[6 + k];
  return out;
}

/**
 * A basis of space that keeps the periodic lattice vectors and replaces the others by unit vectors orthogonal to them,
 * so that slabs, wires and molecules have face distances too. A periodic direction without lattice vector is an error.
 */
export function completeCell(cell: ArrayLike<number> | null, pbc: Structure["pbc"]): Float64Array {
  const out = new Float64Array(9);
  const basis: number[][] = []; // orthonormal vectors that span what is fixed so far
  const orthogonalise = (v: number[]) => {
    for (const u of basis) {
      const s = u[0] * v[0] + u[1] * v[1] + u[2] * v[2];
      for (let k = 0; k < 3; k++) v[k] -= s * u[k];
    }
    return Math.sqrt(v[0] ** 2 + v[1] ** 2 + v[2] ** 2);
  };
  for (let a = 0; a < 3; a++) {
    if (!pbc[a]) continue;
    if (!cell) throw invalid("cell", "lattice vectors for the periodic directions", "no cell");
    const v = [cell[3 * a], cell[3 * a + 1], cell[3 * a + 2]];
    out.set(v, 3 * a);
    const scale = Math.sqrt(v[0] ** 2 + v[1] ** 2 + v[2] ** 2);
    const length = orthogonalise(v);
    if (!(length > 1e-10 * scale))
      throw invalid("cell", "independent periodic lattice vectors", Array.from(cell));
    basis.push(v.map((x) => x / length));
  }
  for (let a = 0; a < 3; a++) {
    if (pbc[a]) continue;
    let best: number[] = [];
    let longest = 0;
    for (let k = 0; k < 3; k++) {
      const v = [0, 0, 0];
      v[k] = 1;
      const length = orthogonalise(v);
      if (length > longest + 1e-6) [best, longest] = [v.map((x) => x / length), length];
    }
    basis.push(best);
    out.set(best, 3 * a);
  }
  return out;
}

/**
 * Short periodic lattice vectors of the same lattice by repeated pairwise reduction (Gauss):
 * reduced = transform · cell with an integer, unimodular transform; vectors of directions not periodic stay.
 */
export function reduceCell(
  cell: ArrayLike<number>,
  pbc: Structure["pbc"],
): { reduced: Float64Array; transform: Int32Array } {
  const reduced = Float64Array.from(cell);
  const transform = Int32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
  const dot = (a: number, b: number) =>
    reduced[3 * a] * reduced[3 * b] +
    reduced[3 * a + 1] * reduced[3 * b + 1] +
    reduced[3 * a + 2] * reduced[3 * b + 2];
  const pass = () => {
    let changed = false;
    for (let a = 0; a < 3; a++)
      for (let b = 0; b < 3; b++) {
        if (a === b || !pbc[a] || !pbc[b]) continue;
        const q = dot(a, b) / dot(b, b);
        // A little more than one half, so that rounding cannot make two vectors swap for ever.
        if (!(Math.abs(q) > 0.5 + 1e-9)) continue;
        const m = Math.round(q);
        for (let k = 0; k < 3; k++) {
          reduced[3 * a + k] -= m * reduced[3 * b + k];
          transform[3 * a + k] -= m * transform[3 * b + k];
        }
        changed = true;
      }
    return changed;
  };
  for (let n = 0; n < 100 && pass(); n++);
  return { reduced, transform };
}

/** The same structure with every atom moved into the cell along its periodic directions. */
export function wrap(structure: Structure): Structure {
  const { positions, cell, pbc } = structure;
  if (!cell || !pbc.some(Boolean)) return structure;
  const full = completeCell(cell, pbc);
  const f = fractional(positions, full);
  const out = positions.slice();
  for (let i = 0; i < out.length; i += 3)
    for (let a = 0; a < 3; a++) {
      const n = pbc[a] ? Math.floor(f[i + a]) : 0;
      if (n !== 0) for (let k = 0; k < 3; k++) out[i + k] -= n * full[3 * a + k];
    }
  return { ...structure, positions: out };
}

/** Strained copy: r' = (1 + ε) r for atoms and lattice vectors, ε [3, 3] row-major, no unit. */
export function strain(structure: Structure, epsilon: ArrayLike<number>): Structure {
  const F = Float64Array.from({ length: 9 }, (_, k) => epsilon[k] + (k % 4 === 0 ? 1 : 0));
  const apply = (vectors: Float64Array) => {
    const out = new Float64Array(vectors.length);
    for (let i = 0; i < out.length; i += 3)
      for (let k = 0; k < 3; k++)
        out[i + k] = F[3 * k] * vectors[i] + F[3 * k + 1] * vectors[i + 1] + F[3 * k + 2] * vectors[i + 2];
    return out;
  };
  return {
    ...structure,
    positions: apply(structure.positions),
    cell: structure.cell && apply(structure.cell),
  };
}

/** Supercell of na × nb × nc copies; copy c of atom i is atom c·n + i, the first copy is the structure itself. */
export function repeat(structure: Structure, times: readonly [number, number, number]): Structure {
  const { numbers, positions, cell, pbc } = structure;
  if (!cell) throw invalid("structure", "a cell to repeat", "a molecule");
  const n = numbers.length;
  const copies = times[0] * times[1] * times[2];
  const out = {
    numbers: new Uint8Array(n * copies),
    positions: new Float64Array(3 * n * copies),
    cell: cell.map((x, k) => x * times[Math.floor(k / 3)]),
    pbc,
  };
  let c = 0;
  for (let a = 0; a < times[0]; a++)
    for (let b = 0; b < times[1]; b++)
      for (let d = 0; d < times[2]; d++, c++) {
        out.numbers.set(numbers, c * n);
        for (let i = 0; i < 3 * n; i++) {
          const k = i % 3;
          out.positions[3 * n * c + i] = positions[i] + a * cell[k] + b * cell[3 + k] + d * cell[6 + k];
        }
      }
  return out;
}

/**
 * Lattice vectors of lengths a, b, c (Å) and angles α = ∠(b, c), β = ∠(a, c), γ = ∠(a, b) (degrees): a along x, b in the
 * xy plane, as crystallographers and ASE have it.
 */
export function cellFromParameters(lengths: readonly number[], angles: readonly number[]): Float64Array {
  const [a, b, c] = lengths;
  const [alpha, beta, gamma] = angles.map(cosineOf);
  const sine = Math.sqrt(1 - gamma * gamma);
  const y = (alpha - beta * gamma) / sine;
  const z = Math.sqrt(1 - beta * beta - y * y);
  if (!(lengths.every((x) => x > 0 && Number.isFinite(x)) && z > 0))
    throw invalid(
      "cell",
      "positive lengths and angles that span a volume",
      [...lengths, ...angles].join(" "),
    );
  return Float64Array.of(a, 0, 0, b * gamma, b * sine, 0, c * beta, c * y, c * z);
}

/** Exact where the angle is a multiple of 30° with a cosine of 0 or ±1/2: cells at right angles stay so. */
function cosineOf(degrees: number): number {
  if (degrees === 90) return 0;
  if (degrees === 60) return 0.5;
  return degrees === 120 ? -0.5 : Math.cos((degrees * Math.PI) / 180);
}

/** Positions of fractional coordinates, [n, 3]: r = f · cell. */
export function fromFractional(f: ArrayLike<number>, cell: ArrayLike<number>): Float64Array {
  const out = new Float64Array(f.length);
  for (let i = 0; i < out.length; i += 3)
    for (let k = 0; k < 3; k++) out[i + k] = f[i] * cell[k] + f[i + 1] * cell[3 + k] + f[i + 2] * cell[6 + k];
  return out;
}
