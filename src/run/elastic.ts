import { invalid } from "../error.ts";
import { leastSquares } from "../math/least-squares.ts";
import type { Potential } from "../potentials/potential.ts";
import { strain, volume } from "../structure/cell.ts";
import type { Structure } from "../structure/structure.ts";
import { EV_A3_IN_GPA } from "../structure/units.ts";
import { lbfgs, relax } from "./relax.ts";
import { createSurface } from "./surface.ts";

/** Options of `elasticConstants`. */
export interface ElasticOptions {
  /** Strain of the central differences; 0.001 by default. */
  readonly strain?: number;
  /** Whether the atoms relax in every strained cell; true by default. */
  readonly relax?: boolean;
  /** Largest force of these relaxations, eV/Å; 1e-4 by default. */
  readonly fmax?: number;
  readonly watch?: (done: number) => void;
}

/** Elastic constants and what follows from them for a polycrystal. */
export interface Elastic {
  /** C_ij in Voigt's order xx, yy, zz, yz, xz, xy, [6, 6], GPa; symmetric. */
  readonly constants: Float64Array;
  /** Largest |C_ij − C_ji| before both were averaged, GPa: what is left of error. */
  readonly asymmetry: number;
  /** Means of Voigt's and Reuss's bounds, GPa. */
  readonly bulk: number;
  readonly shear: number;
  readonly young: number;
  readonly poisson: number;
  /** Whether all eigenvalues are positive: the crystal is stable. */
  readonly stable: boolean;
}

/** Voigt's index → row and column of a strain; shears are twice the tensor's component. */
const VOIGT = [
  [0, 0],
  [1, 1],
  [2, 2],
  [1, 2],
  [0, 2],
  [0, 1],
] as const;

/** C_ij = ∂σ_i/∂ε_j by central differences of the stress about a relaxed crystal. */
export function elasticConstants(
  structure: Structure,
  potential: Potential,
  options: ElasticOptions = {},
): Elastic {
  const { strain: h = 0.001, relax: relaxed = true, fmax = 1e-4, watch } = options;
  if (!structure.cell || !structure.pbc.every(Boolean))
    throw invalid("structure", "a cell periodic in three directions, for elastic constants", "another");
  const C = new Float64Array(36);
  VOIGT.forEach(([a, b], j) => {
    const plus = stressOf(strained(structure, a, b, h), potential, relaxed, fmax);
    const minus = stressOf(strained(structure, a, b, -h), potential, relaxed, fmax);
    VOIGT.forEach(([p, q], i) => (C[6 * i + j] = (plus[3 * p + q] - minus[3 * p + q]) / (2 * h)));
    watch?.((j + 1) / 6);
  });
  let asymmetry = 0;
  for (let i = 0; i < 6; i++)
    for (let j = 0; j < i; j++) {
      asymmetry = Math.max(asymmetry, Math.abs(C[6 * i + j] - C[6 * j + i]));
      C[6 * i + j] = C[6 * j + i] = (C[6 * i + j] + C[6 * j + i]) / 2;
    }
  return { constants: C, asymmetry, ...moduli(C) };
}

function strained(structure: Structure, a: number, b: number, h: number): Structure {
  const epsilon = new Float64Array(9);
  epsilon[3 * a + b] += h / 2;
  epsilon[3 * b + a] += h / 2;
  return strain(structure, epsilon);
}

/** σ [3, 3], GPa, tension positive. */
function stressOf(structure: Structure, potential: Potential, relaxed: boolean, fmax: number): Float64Array {
  const still = relaxed
    ? relax(lbfgs(structure, potential), structure, { fmax, steps: 500 }).structure
    : structure;
  const { virial } = createSurface(still, potential).start();
  return virial.map((w) => (-w / volume(structure.cell!)) * EV_A3_IN_GPA);
}

/** Bounds of W. Voigt and A. Reuss and their mean (R. Hill, Proc. Phys. Soc. A 65, 349 (1952), DOI 10.1088/0370-1298/65/5/307). */
function moduli(C: Float64Array): Omit<Elastic, "constants" | "asymmetry"> {
  const c = (i: number, j: number) => C[6 * i + j];
  const S = inverse6(C);
  const s = (i: number, j: number) => S[6 * i + j];
  const trace = (m: typeof c) => m(0, 0) + m(1, 1) + m(2, 2);
  const cross = (m: typeof c) => m(0, 1) + m(0, 2) + m(1, 2);
  const shears = (m: typeof c) => m(3, 3) + m(4, 4) + m(5, 5);
  const bulk = ((trace(c) + 2 * cross(c)) / 9 + 1 / (trace(s) + 2 * cross(s))) / 2;
  const voigt = (trace(c) - cross(c) + 3 * shears(c)) / 15;
  const reuss = 15 / (4 * (trace(s) - cross(s)) + 3 * shears(s));
  const shear = (voigt + reuss) / 2;
  return {
    bulk,
    shear,
    young: (9 * bulk * shear) / (3 * bulk + shear),
    poisson: (3 * bulk - 2 * shear) / (2 * (3 * bulk + shear)),
    stable: positiveDefinite(C),
  };
}

function inverse6(C: Float64Array): Float64Array {
  const S = new Float64Array(36);
  for (let j = 0; j < 6; j++) {
    const unit = new Float64Array(6);
    unit[j] = 1;
    leastSquares(C, unit, 6, 6).x.forEach((x, i) => (S[6 * i + j] = x));
  }
  return S;
}

/** Whether elimination meets positive pivots only. */
function positiveDefinite(C: Float64Array): boolean {
  const A = C.slice();
  for (let k = 0; k < 6; k++) {
    if (!(A[7 * k] > 0)) return false;
    for (let i = k + 1; i < 6; i++)
      for (let j = k + 1; j < 6; j++) A[6 * i + j] -= (A[6 * i + k] * A[6 * k + j]) / A[7 * k];
  }
  return true;
}
