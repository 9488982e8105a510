import type { Variable } from "../../potentials/bias/variable.ts";
import type { Structure } from "../../structure/structure.ts";
import { TOLERANCE, turned } from "./constraint.ts";
import type { Constraint } from "./constraint.ts";

/** A collective variable that is held at a value, that of the structure unless given. */
export interface Held {
  readonly variable: Variable;
  /** In the variable's unit. */
  readonly value?: number;
}

/** Digits that a variable loses in differences of places. */
const LOSS = 100;

/** σ = s(r) − s₀, of any variable: its slopes are generated from its formula. */
export class FixedVariable implements Constraint {
  readonly variable: Variable;
  /** s₀ */
  readonly value: number;
  readonly #structure: Structure;
  /** Reciprocal masses, [n]. */
  readonly #w: Float64Array;
  /** ∂s/∂r [n, 3], of which only the variable's own atoms count. */
  readonly #old: Float64Array;
  readonly #now: Float64Array;
  /** Where these atoms' components stand. */
  readonly #own: Int32Array;

  constructor({ variable, value }: Held, structure: Structure, masses: Float64Array) {
    variable.demand(structure);
    this.variable = variable;
    this.#structure = structure;
    this.#w = masses.map((m) => 1 / m);
    this.#old = new Float64Array(structure.positions.length);
    this.#now = new Float64Array(structure.positions.length);
    this.#own = Int32Array.from(variable.atoms.flatMap((i) => [3 * i, 3 * i + 1, 3 * i + 2]));
    this.value = value ?? variable.evaluate(structure);
  }

  /** s − s₀, the shorter way round; ∂s/∂r to `slope`. */
  #off(positions: Float64Array, slope: Float64Array): number {
    const { variable } = this;
    const s = variable.evaluate({ ...this.#structure, positions });
    for (const k of this.#own) slope[k] = 0;
    variable.gradient(1, slope);
    return variable.wrap(s - this.value);
  }

  /** a·M⁻¹·b */
  #product(a: Float64Array, b: Float64Array): number {
    let sum = 0;
    for (const k of this.#own) sum += a[k] * b[k] * this.#w[Math.floor(k / 3)];
    return sum;
  }

  /** v += g M⁻¹ a */
  #push(v: Float64Array, a: Float64Array, g: number): void {
    for (const k of this.#own) v[k] += g * a[k] * this.#w[Math.floor(k / 3)];
  }

  remember(positions: Float64Array): void {
    this.#off(positions, this.#old);
  }

  face(positions: Float64Array): void {
    this.#off(positions, this.#now);
  }

  shake(positions: Float64Array, velocities: Float64Array, dt: number): boolean {
    const off = this.#off(positions, this.#now);
    if (Math.abs(off) <= LOSS * TOLERANCE * Math.max(1, Math.abs(this.value))) return true;
    const along = this.#product(this.#now, this.#old);
    if (!(along > 0.01 * this.#product(this.#old, this.#old))) throw turned(this.variable.text);
    const g = -off / along;
    this.#push(positions, this.#old, g);
    if (dt > 0) this.#push(velocities, this.#old, g / dt);
    return false;
  }

  project(v: Float64Array, target: number, size: number): number {
    const slope = this.#now;
    let [rate, length] = [0, 0];
    for (const k of this.#own) {
      rate += slope[k] * v[k];
      length += slope[k] ** 2;
    }
    const off = target - rate;
    if (Math.abs(off) <= TOLERANCE * Math.sqrt(length) * size || off === 0) return 0;
    const g = off / this.#product(slope, slope);
    this.#push(v, slope, g);
    return g;
  }

  curvature(v: Float64Array): number {
    return this.variable.curvature(v);
  }

  /** eV per unit of the variable, positive where it pushes s up. */
  tensionOf(multiplier: number): number {
    return multiplier;
  }

  virial(positions: Float64Array, tension: number, out: Float64Array): void {
    this.variable.evaluate({ ...this.#structure, positions });
    const forces = new Float64Array(positions.length);
    this.variable.pull(-tension, { forces, virial: out });
  }

  /**
   * Z = ∂s/∂r·M⁻¹·∂s/∂r, 1/amu times the square of the unit over Å, and what it changes by along M⁻¹ ∂s/∂r:
   * G = Z⁻² u·∂²s/∂r²·u, u = M⁻¹ ∂s/∂r, one over the unit.
   */
  metric(positions: Float64Array): { readonly Z: number; readonly G: number } {
    this.face(positions);
    const Z = this.#product(this.#now, this.#now);
    const u = new Float64Array(positions.length);
    this.#push(u, this.#now, 1);
    return { Z, G: this.curvature(u) / Z ** 2 };
  }
}
