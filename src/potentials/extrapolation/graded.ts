import type { Range } from "../../descriptors/environments.ts";
import type { Neighbours } from "../../structure/neighbours.ts";
import type { Structure } from "../../structure/structure.ts";
import type { Evaluation, Potential } from "../potential.ts";

/** A potential that keeps the grades of its last evaluation; energies, forces and virials are untouched to the bit. */
export class GradedPotential implements Potential {
  readonly cutoff: number;
  readonly elements: readonly number[] | null;
  readonly smoothness?: number;
  /** Of the last evaluation, [n]; atoms outside a range that was asked for have 0. */
  grades = new Float64Array(0);
  readonly #potential: Potential;

  /** `potential` has been told by which grade (`gradeBy`, or `ParallelPotential.create`). */
  constructor(potential: Potential) {
    this.#potential = potential;
    this.cutoff = potential.cutoff;
    this.elements = potential.elements;
    this.smoothness = potential.smoothness;
  }

  get dipole(): Potential["dipole"] {
    return this.#potential.dipole;
  }

  get external(): Potential["external"] {
    return this.#potential.external;
  }

  /** The largest grade of the last evaluation and its atom. */
  worst(): { readonly atom: number; readonly grade: number } {
    let atom = 0;
    for (let i = 1; i < this.grades.length; i++) if (this.grades[i] > this.grades[atom]) atom = i;
    return { atom, grade: this.grades[atom] ?? 0 };
  }

  evaluate(structure: Structure, neighbours: Neighbours, out: Evaluation, range?: Range): void {
    const n = structure.numbers.length;
    if (this.grades.length === n) this.grades.fill(0);
    else this.grades = new Float64Array(n);
    const graded = { ...out, grades: this.grades };
    this.#potential.evaluate(structure, neighbours, graded, range);
    out.energy = graded.energy;
  }
}
