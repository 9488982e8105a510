import { dot } from "../../math/minimise.ts";
import type { Potential } from "../../potentials/potential.ts";
import type { Structure } from "../../structure/structure.ts";
import { axesOf, projectOut, rigidMotions } from "../rigid.ts";

/** A · x for a square row-major A. */
export function times(A: Float64Array, x: Float64Array): Float64Array {
  const n = x.length;
  return x.map((_, i) => dot(A.subarray(i * n, (i + 1) * n), x));
}

/**
 * J. M. Bofill's update of force constants H by a step s that changed the gradient by y, in place: a mix of
 * Murtagh–Sargent and Powell that keeps the number of negative eigenvalues free (J. Comput. Chem. 15, 1 (1994), DOI
 * 10.1002/jcc.540150102).
 */
export function updateHessian(H: Float64Array, s: Float64Array, y: Float64Array): void {
  const n = s.length;
  const e = times(H, s).map((h, i) => y[i] - h);
  const [es, ss, ee] = [dot(e, s), dot(s, s), dot(e, e)];
  if (ss === 0 || ee === 0) return;
  const phi = es ** 2 / (ee * ss);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const murtagh = es === 0 ? 0 : (e[i] * e[j]) / es;
      const powell = (e[i] * s[j] + s[i] * e[j]) / ss - (es * s[i] * s[j]) / ss ** 2;
      H[i * n + j] += phi * murtagh + (1 - phi) * powell;
    }
}

/**
 * Orthonormal directions, unweighted, in which nothing is to move: those of fixed atoms, and the motions of the whole that
 * leave these in place; the whole is not free in an external field.
 */
export function heldDirections(
  structure: Structure,
  positions: Float64Array,
  { external }: Pick<Potential, "external">,
  fixed: readonly number[],
): Float64Array[] {
  const axes = axesOf(fixed, positions.length);
  if (external) return axes;
  const unit = new Float64Array(structure.numbers.length).fill(1);
  return [...axes, ...rigidMotions({ ...structure, positions }, unit, fixed)];
}

/** Force constants H [3n, 3n] of the other atoms, rows and columns of the fixed ones zero. */
export function withoutFixed(H: Float64Array, fixed: readonly number[]): Float64Array {
  const n = Math.sqrt(H.length);
  const still = new Set(fixed.flatMap((i) => [3 * i, 3 * i + 1, 3 * i + 2]));
  return H.map((h, k) => (still.has(Math.floor(k / n)) || still.has(k % n) ? 0 : h));
}

/** (1 − Σ u uᵀ) H (1 − Σ u uᵀ) + stiffness Σ u uᵀ, so that held directions are stiff instead of flat. */
export function held(H: Float64Array, basis: readonly Float64Array[], stiffness: number): Float64Array {
  const n = Math.sqrt(H.length);
  const out = H.slice();
  for (let i = 0; i < n; i++) projectOut(out.subarray(i * n, (i + 1) * n), basis);
  for (const u of basis) {
    const column = new Float64Array(n);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) column[j] += u[i] * out[i * n + j];
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) out[i * n + j] -= u[i] * column[j];
  }
  for (const u of basis)
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) out[i * n + j] += stiffness * u[i] * u[j];
  return out;
}
