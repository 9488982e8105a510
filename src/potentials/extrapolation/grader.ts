import type { Features } from "../../descriptors/descriptor.ts";
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
  /** Null where the record lacks what the grade needs. */
  build(record: TrainingRecord): Grader | null;
}
