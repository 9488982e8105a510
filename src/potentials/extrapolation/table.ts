import { distance } from "./distance.ts";
import type { GradeMethod } from "./grader.ts";
import { range } from "./range.ts";

/** Every way to grade by name. */
export const graders: Readonly<Record<string, GradeMethod>> = { range, distance };
