import { dot } from "../math/minimise.ts";
import { symmetricEigen } from "../math/symmetric-eigen.ts";
import { masses as massesOf } from "../structure/elements.ts";
import type { Structure } from "../structure/structure.ts";
import { AMU_A2_FS2, HBAR, LIGHT_CM } from "../structure/units.ts";
import { axesOf, rigidMotions } from "./rigid.ts";
import { held, times } from "./saddle/quadratic.ts";

/** Wavenumber (cm⁻¹) of an eigenvalue of the mass-weighted force constants (eV/(amu Å²)); negative: imaginary. */
export const wavenumber = (lambda: number): number =>
  (Math.sign(lambda) * Math.sqrt(Math.abs(lambda) / AMU_A2_FS2)) / (2 * Math.PI * LIGHT_CM);

/** Energy of one quantum of a wavenumber, eV. */
export const quantum = (wavenumber: number): number => HBAR * 2 * Math.PI * LIGHT_CM * wavenumber;

/** Normal modes about a stationary point. */
export interface Vibrations {
  /** cm⁻¹, ascending; imaginary ones are negative. Motions of the whole are left out. */
  readonly wavenumbers: Float64Array;
  /** Displacements of the atoms in each mode, √m-weighted length 1, [modes][n, 3], Å/√amu·√amu. */
  readonly modes: readonly Float64Array[];
  /** Reduced mass of each mode, amu. */
  readonly reducedMasses: Float64Array;
  /** Wavenumbers of the motions of the whole before they were projected out: what is left of 0, cm⁻¹. */
  readonly rigid: Float64Array;
  /** ½ Σ ħω over the real modes, eV. */
  readonly zeroPointEnergy: number;
}

/** Options of `vibrations`. */
export interface VibrationOptions {
  /** amu; standard atomic weights by default. */
  readonly masses?: Float64Array;
  /** The potential is an external field (see `Potential`): motions of the whole are vibrations too. */
  readonly external?: boolean;
  /** Atoms that do not take part; their modes are left out. */
  readonly fixed?: readonly number[];
}

/** Modes of force constants H [3n, 3n] (eV/Å²) with the motions of the whole projected out. */
export function vibrations(
  structure: Structure,
  H: Float64Array,
  { masses = massesOf(structure.numbers), external = false, fixed = [] }: VibrationOptions = {},
): Vibrations {
  const size = structure.positions.length;
  const root = Float64Array.from({ length: size }, (_, i) => Math.sqrt(masses[Math.floor(i / 3)]));
  const weighted = H.map((h, k) => h / (root[Math.floor(k / size)] * root[k % size]));
  const free = external ? [] : rigidMotions(structure, masses, fixed);
  const rigid = Float64Array.from(free, (u) => wavenumber(dot(u, times(weighted, u))));
  const whole = [...axesOf(fixed, size), ...free];
  // What is projected out gets an eigenvalue above all others, so that it is told apart from soft modes.
  const above = 1 + weighted.reduce((sum, x) => sum + Math.abs(x), 0);
  const { values, vectors } = symmetricEigen(held(weighted, whole, above), size);
  const count = size - whole.length;
  const order = Array.from({ length: count }, (_, k) => size - 1 - k);
  const modes = order.map((k) => {
    const u = vectors.subarray(k * size, (k + 1) * size);
    return u.map((x, i) => x / root[i]);
  });
  const wavenumbers = Float64Array.from(order, (k) => wavenumber(values[k]));
  return {
    wavenumbers,
    modes,
    reducedMasses: Float64Array.from(modes, (mode) => 1 / dot(mode, mode)),
    rigid,
    zeroPointEnergy: wavenumbers.reduce((sum, w) => sum + (w > 0 ? quantum(w) / 2 : 0), 0),
  };
}
