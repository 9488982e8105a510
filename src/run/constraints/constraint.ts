import { NumericalError } from "../../error.ts";

/** One condition σ(r) = 0 on the places of the atoms; M are the masses, amu. */
export interface Constraint {
  /** Keeps ∂σ/∂r at places that hold. */
  remember(positions: Float64Array): void;
  /**
   * Moves the atoms along M⁻¹ ∂σ/∂r of the remembered places towards σ = 0, by one step of Newton's method; velocities take
   * the move over `dt`, fs, if that is above 0. True, with nothing moved, where it holds.
   */
  shake(positions: Float64Array, velocities: Float64Array, dt: number): boolean;
  /** Keeps ∂σ/∂r at these places for `project` and `curvature`. */
  face(positions: Float64Array): void;
  /**
   * Adds g M⁻¹ ∂σ/∂r to vectors v of about that size, so that ∂σ/∂r·v is the target; returns g, 0 where it is already.
   */
  project(v: Float64Array, target: number, size: number): number;
  /** v·∂²σ/∂r²·v at the places faced. */
  curvature(v: Float64Array): number;
  /** The force that holds what is fixed for a multiplier of σ in eV per unit of σ. */
  tensionOf(multiplier: number): number;
  /** ADDS the virial of a tension at these places, [3, 3], eV. */
  virial(positions: Float64Array, tension: number, out: Float64Array): void;
}

/** Relative error at which a condition holds. */
export const TOLERANCE = 1e-14;

/** The slope has turned so far in a step that the next places are not found along it. */
export const turned = (what: string): NumericalError =>
  new NumericalError(`${what} turns too far in one step: the time step is too long`);
