import type { Features } from "../../descriptors/descriptor.ts";
import type { Neighbours } from "../../structure/neighbours.ts";
import type { Structure } from "../../structure/structure.ts";
import type { EnvironmentSet } from "./environment-set.ts";
import type { LinearBasis } from "../../regressors/regressor.ts";
import type { TrainingRecord } from "./record.ts";

/** Says of each centre, from its features alone, how unlike the training data it is. */
export interface Grader {
  /** Overwrites grades [centres], one row of features after another, element by element. */
  grade(G: Features, grades: Float64Array): void;
}

/** What the table of graders holds: adding one is one file, one line in `table.ts`, one paragraph in docs/extrapolation.md. */
export interface GradeMethod {
  readonly name: string;
  /** What a grade is, with its unit. */
  readonly summary: string;
  /** From here on a structure is worth a calculation: what `--harvest` takes unless told otherwise. */
  readonly noteworthy: number;
  /** Null where the record lacks what the grade needs; `basis` is what the energies are linear in, where they are. */
  build(record: TrainingRecord, basis?: LinearBasis): Grader | null;
}

/** Why an atom has its grades: the feature to blame, and the training frame with the surroundings most like its own. */
export interface Extrapolation {
  /** From 0. */
  readonly atom: number;
  /** Atomic number. */
  readonly element: number;
  /** Every grade that the model knows, by name. */
  readonly grades: Readonly<Record<string, number>>;
  /**
   * The feature with the largest excess, "G2 O η=0.5 rs=1.2"; where all are inside their ranges, the one that differs
   * most from the nearest training environment, in scaled features.
   */
  readonly feature: string;
  readonly value: number;
  /** Its range in training. */
  readonly min: number;
  readonly max: number;
  /** Place of the frame with the nearest training environment; null where the model remembers none. */
  readonly nearest: string | null;
}

/** What grades the atoms of structures by all that a model remembers of its training data. */
export interface Guard {
  readonly cutoff: number;
  /** Names of the grades that the model knows. */
  readonly names: readonly string[];
  /** Kinds of surroundings that are compared only with each other. */
  readonly kinds: number;
  /** Grading a structure takes far longer than evaluating it. */
  readonly costly: boolean;
  /** Grades [n] of all atoms, by name. */
  grade(structure: Structure, neighbours?: Neighbours): Record<string, Float64Array>;
  /** Why an atom has its grades. */
  explain(structure: Structure, atom: number, neighbours?: Neighbours): Extrapolation;
  /**
   * The kind of an atom's surroundings, their features, valid until the next call, and their distance to the nearest
   * that were trained on, in scaled features, 0 where the model remembers none.
   */
  featuresOf(
    structure: Structure,
    atom: number,
    neighbours?: Neighbours,
  ): { readonly e: number; readonly G: Float64Array; readonly known: number };
  /** An empty set of surroundings of kind e, and the distance that makes two of them different. */
  emptySet(e: number): { readonly set: EnvironmentSet; readonly unit: number };
}

/** A potential that grades structures itself. */
export interface Guarded {
  readonly guard: Guard;
}
