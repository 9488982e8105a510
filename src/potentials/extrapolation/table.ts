import { dOptimality } from "./d-optimality.ts";
import { deviation } from "./deviation.ts";
import { distance } from "./distance.ts";
import type { GradeMethod } from "./grader.ts";
import { range } from "./range.ts";

/** Every way to grade by name. */
export const graders: Readonly<Record<string, GradeMethod>> = {
  range,
  distance,
  "d-optimality": dOptimality,
  deviation,
};
