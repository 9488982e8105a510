import { dot } from "../math/minimise.ts";
import { symmetricEigen } from "../math/symmetric-eigen.ts";
import { centreOfMass } from "../structure/centre-of-mass.ts";
import type { Structure } from "../structure/structure.ts";

/**
 * Orthonormal mass-weighted directions √m δr of moving all atoms as one rigid body, each [n, 3]: three translations
 * and, without periodicity, the rotations about the centre of mass (two for a linear molecule, none for an atom). Of
 * these only the ones that leave the `fixed` atoms where they are: with one, the rotations about it, with two that about
 * their axis.
 */
export function rigidMotions(
  structure: Structure,
  masses: Float64Array,
  fixed: readonly number[] = [],
): readonly Float64Array[] {
  const { positions, pbc } = structure;
  const root = masses.map(Math.sqrt);
  const centre = centreOfMass(structure, masses);
  const candidates: Float64Array[] = [0, 1, 2].map((k) =>
    positions.map((_, i) => (i % 3 === k ? root[Math.floor(i / 3)] : 0)),
  );
  if (!pbc.some(Boolean)) for (let k = 0; k < 3; k++) candidates.push(rotation(positions, root, centre, k));
  return leaving(orthonormalise(candidates), fixed);
}

/** The directions of fixed atoms: one for each of their coordinates, [n, 3]. */
export const axesOf = (fixed: readonly number[], length: number): Float64Array[] =>
  fixed.flatMap((i) =>
    [0, 1, 2].map((k) => {
      const u = new Float64Array(length);
      u[3 * i + k] = 1;
      return u;
    }),
  );

/** Of a unit vector's square, what counts as no motion. */
const STILL = 1e-10;

/** Combinations of orthonormal directions that do not move the fixed atoms: the null space of what they do there. */
function leaving(basis: readonly Float64Array[], fixed: readonly number[]): readonly Float64Array[] {
  if (fixed.length === 0 || basis.length === 0) return basis;
  const n = basis.length;
  const still = new Set(fixed);
  const there = basis.map((u) => Float64Array.from(fixed.flatMap((i) => [...u.subarray(3 * i, 3 * i + 3)])));
  const M = new Float64Array(n * n);
  for (let a = 0; a < n; a++) for (let b = 0; b < n; b++) M[a * n + b] = dot(there[a], there[b]);
  const { values, vectors } = symmetricEigen(M, n);
  return [...values.keys()]
    .filter((k) => values[k] < STILL)
    .map((k) =>
      basis[0].map((_, i) =>
        still.has(Math.floor(i / 3)) ? 0 : basis.reduce((sum, u, a) => sum + vectors[k * n + a] * u[i], 0),
      ),
    );
}

/** √m (e_k × (r − centre)). */
function rotation(r: Float64Array, root: Float64Array, centre: Float64Array, k: number): Float64Array {
  const out = new Float64Array(r.length);
  const [a, b] = [(k + 1) % 3, (k + 2) % 3];
  for (let i = 0; i < root.length; i++) {
    out[3 * i + b] = root[i] * (r[3 * i + a] - centre[a]);
    out[3 * i + a] = -root[i] * (r[3 * i + b] - centre[b]);
  }
  return out;
}

/**
 * Of the longest direction, what counts as one: the turn of an almost linear molecule about its axis does not, or it
 * would pass for one of its bends. Relaxed to 0.01 eV/Å, carbon dioxide is bent by a tenth of a degree; by one and a half
 * it is another molecule.
 */
const LEAST = 5e-3;

/** Modified Gram–Schmidt, twice for accuracy; directions that nearly vanish are left out. */
function orthonormalise(vectors: readonly Float64Array[]): Float64Array[] {
  const basis: Float64Array[] = [];
  const most = Math.max(...vectors.map((v) => Math.sqrt(dot(v, v))));
  for (const v of vectors) {
    const before = Math.sqrt(dot(v, v));
    for (let pass = 0; pass < 2; pass++) projectOut(v, basis);
    const length = Math.sqrt(dot(v, v));
    if (length > 1e-8 * before && length > LEAST * most) basis.push(v.map((x) => x / length));
  }
  return basis;
}

/** Removes from v its part along each orthonormal direction, in place. */
export function projectOut(v: Float64Array, basis: readonly Float64Array[]): void {
  for (const u of basis) {
    const s = dot(u, v);
    for (let i = 0; i < v.length; i++) v[i] -= s * u[i];
  }
}
