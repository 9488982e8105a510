import { NumericalError, invalid } from "../../error.ts";
import { nearestImage } from "../../structure/nearest-image.ts";
import type { Structure } from "../../structure/structure.ts";
import { AMU_A2_FS2 } from "../../structure/units.ts";
import type { Constraint } from "./constraint.ts";
import { FixedBond } from "./fixed-bond.ts";
import type { Bond } from "./fixed-bond.ts";
import { FixedVariable } from "./fixed-variable.ts";
import type { Held } from "./fixed-variable.ts";

const SWEEPS = 2000;

/** What is held fixed in dynamics. */
export interface Fixed {
  /** Bonds that keep their length. */
  readonly fixedBonds?: readonly Bond[];
  /** Variables that keep their value. */
  readonly held?: readonly Held[];
}

/**
 * Bonds of fixed length and variables of fixed value in dynamics: places by SHAKE (J.-P. Ryckaert, G. Ciccotti, H. J. C.
 * Berendsen, J. Comput. Phys. 23, 327 (1977), DOI 10.1016/0021-9991(77)90098-5), velocities by RATTLE (H. C. Andersen, J.
 * Comput. Phys. 52, 24 (1983), DOI 10.1016/0021-9991(83)90014-1), one condition after another until all hold.
 */
export class Constraints {
  readonly bonds: readonly FixedBond[];
  readonly variables: readonly FixedVariable[];
  readonly #all: readonly Constraint[];
  readonly #masses: Float64Array;

  constructor(structure: Structure, { fixedBonds = [], held = [] }: Fixed, masses: Float64Array) {
    check(structure, fixedBonds);
    this.#masses = masses;
    const nearest = nearestImage(structure);
    this.bonds = fixedBonds.map((bond) => new FixedBond(bond, structure.positions, masses, nearest));
    this.variables = held.map((one) => new FixedVariable(one, structure, masses));
    this.#all = [...this.bonds, ...this.variables];
  }

  /** Degrees of freedom that are taken. */
  get count(): number {
    return this.#all.length;
  }

  /** To be called at places that hold, before they are moved. */
  remember(positions: Float64Array): void {
    for (const one of this.#all) one.remember(positions);
  }

  /** The structure with what is fixed as it is to be. */
  applied(structure: Structure): Structure {
    const positions = structure.positions.slice();
    this.remember(positions);
    this.shake(positions, new Float64Array(positions.length), 0);
    return { ...structure, positions };
  }

  /** Moves atoms along the remembered slopes until all holds; velocities take the move over `dt`, fs. */
  shake(positions: Float64Array, velocities: Float64Array, dt: number): void {
    this.#sweep("places", (one) => one.shake(positions, velocities, dt));
  }

  /** Takes the part of the velocities that would change what is fixed. */
  rattle(positions: Float64Array, velocities: Float64Array): void {
    for (const one of this.#all) one.face(positions);
    this.#project(velocities, () => 0);
  }

  /** Makes ∂σ/∂r·v of each the target by adding g M⁻¹ ∂σ/∂r to the vectors; returns Σ g of each, [count]. */
  #project(v: Float64Array, target: (c: number) => number): Float64Array {
    const total = new Float64Array(this.count);
    const size = Math.sqrt(v.reduce((most, x) => Math.max(most, x * x), 0));
    this.#sweep("velocities", (one, c) => {
      const g = one.project(v, target(c), size);
      total[c] += g;
      return g === 0;
    });
    return total;
  }

  /**
   * The forces that hold bonds, eV/Å, then variables, eV per unit, [count], at given places, velocities and forces; positive
   * where they push the atoms apart, or the variable up. For one fixed bond the mean is the slope of the free energy
   * −k_B T ln p(r) along its length (M. Sprik, G. Ciccotti, J. Chem. Phys. 109, 7737 (1998), DOI 10.1063/1.477419).
   */
  tensions(positions: Float64Array, velocities: Float64Array, forces: Float64Array): Float64Array {
    const a = forces.map((f, x) => f / (this.#masses[Math.floor(x / 3)] * AMU_A2_FS2));
    for (const one of this.#all) one.face(positions);
    // d²σ/dt² = ∂σ/∂r·a + v·∂²σ/∂r²·v = 0
    const targets = this.#all.map((one) => -one.curvature(velocities));
    const g = this.#project(a, (c) => targets[c]);
    return g.map((x, c) => this.#all[c].tensionOf(x * AMU_A2_FS2));
  }

  /** ADDS what is fixed's part of the virial, [3, 3], eV. */
  virial(positions: Float64Array, tensions: Float64Array, out: Float64Array): void {
    for (const [c, one] of this.#all.entries()) one.virial(positions, tensions[c], out);
  }

  #sweep(what: string, holds: (one: Constraint, c: number) => boolean): void {
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      let all = true;
      for (let c = 0; c < this.count; c++) all = holds(this.#all[c], c) && all;
      if (all) return;
    }
    throw new NumericalError(
      `the ${what} of what is held fixed do not settle: too long a time step, or conditions too many`,
    );
  }
}

function check({ numbers }: Structure, bonds: readonly Bond[]): void {
  const seen = new Set<string>();
  for (const { atoms, length } of bonds) {
    const name = `${Math.min(...atoms) + 1}-${Math.max(...atoms) + 1}`;
    if (atoms.some((i) => !(Number.isInteger(i) && i >= 0 && i < numbers.length)) || atoms[0] === atoms[1])
      throw invalid(`fixed bond ${name}`, `two different atoms of 1 … ${numbers.length}`, name);
    if (seen.has(name)) throw invalid(`fixed bond ${name}`, "every bond once", "the same again");
    if (length !== undefined && !(length > 0))
      throw invalid(`fixed bond ${name}`, "a positive length in Å", length);
    seen.add(name);
  }
}
