import { invalid } from "../error.ts";
import { Random } from "../math/random.ts";
import { masses as massesOf } from "../structure/elements.ts";
import type { Structure } from "../structure/structure.ts";
import { AMU_A2_FS2, kB } from "../structure/units.ts";
import { Constraints } from "./constraints/constraints.ts";
import type { Fixed } from "./constraints/constraints.ts";
import { kineticEnergy, temperature } from "./observe.ts";
import { projectOut, rigidMotions } from "./rigid.ts";

/** Options of `thermalVelocities`; what is held fixed takes no velocity. */
export interface ThermalOptions extends Fixed {
  readonly seed: number;
  /** Scale to exactly this temperature instead of one drawn with it; true by default. */
  readonly exact?: boolean;
  /** [n], amu; standard atomic weights by default. */
  readonly masses?: Float64Array;
  /** The atoms will move in an external field (see `Potential`): motions of the whole are as warm as any. */
  readonly external?: boolean;
}

/**
 * Velocities of the Maxwell–Boltzmann distribution, [n, 3], Å/fs: each component normal with variance k_B T/m, then
 * without motion of the whole (for molecules also without rotation) where the whole is free. T in K, over the remaining degrees of freedom.
 */
export function thermalVelocities(structure: Structure, T: number, options: ThermalOptions): Float64Array {
  if (!(T >= 0 && Number.isFinite(T))) throw invalid("temperature", "a number ≥ 0 in K", String(T));
  const masses = options.masses ?? massesOf(structure.numbers);
  const random = new Random(options.seed, "velocities");
  const v = structure.positions.map((_, i) => {
    const m = masses[Math.floor(i / 3)];
    return random.normal() * Math.sqrt((kB * T) / (m * AMU_A2_FS2));
  });
  const fixed = new Constraints(structure, options, masses);
  fixed.rattle(structure.positions, v);
  // The motions of the whole change no bond, so that taking one leaves the other gone; a coordinate in space they change.
  const still = removeRigidMotion(v, masses, freeMotions(structure, masses, options)) - fixed.count;
  fixed.rattle(structure.positions, v);
  const now = temperature(kineticEnergy(masses, v), still);
  if ((options.exact ?? true) && now > 0) for (let i = 0; i < v.length; i++) v[i] *= Math.sqrt(T / now);
  return v;
}

/** Whether something holds on to places in space, so that no motion of the whole goes on by itself. */
const isHeld = ({ external = false, held = [] }: Pick<ThermalOptions, "external" | "held">): boolean =>
  external || held.some(({ variable }) => variable.external);

/** Motions of the whole that nothing changes. */
const freeMotions = (
  structure: Structure,
  masses: Float64Array,
  surroundings: Pick<ThermalOptions, "external" | "held">,
): readonly Float64Array[] => (isHeld(surroundings) ? [] : rigidMotions(structure, masses));

/** Removes motions of the whole in place; returns the degrees of freedom that are left. */
function removeRigidMotion(v: Float64Array, masses: Float64Array, basis: readonly Float64Array[]): number {
  for (let i = 0; i < v.length; i++) v[i] *= Math.sqrt(masses[Math.floor(i / 3)]);
  projectOut(v, basis);
  for (let i = 0; i < v.length; i++) v[i] /= Math.sqrt(masses[Math.floor(i / 3)]);
  return v.length - basis.length;
}

/** Degrees of freedom that constant-energy dynamics keeps: 3n less the motions of the whole, where it is free. */
export const degreesOfFreedom = (
  structure: Structure,
  masses = massesOf(structure.numbers),
  surroundings: Pick<ThermalOptions, "external" | "held"> = {},
): number => structure.positions.length - freeMotions(structure, masses, surroundings).length;
