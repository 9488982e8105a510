import { show } from "./check.ts";
import type { Check, Subject, Verdict } from "./check.ts";

/** Range grade from which an atom is of another kind: a feature is outside by as much as all training data span. */
const STRANGE = 1;

/** The structure itself must be of the kind that the model has seen: everything else is judged about it. */
export const surroundings: Check = {
  name: "surroundings",
  summary: "the relaxed structure is of the kind of the training data",
  *run({ structure, grade }: Subject): Iterable<Verdict> {
    const check = "known surroundings";
    const limit = `largest extrapolation grade below ${STRANGE}`;
    if (!grade) {
      const remark = "the model remembers no training data";
      yield { check, passed: null, value: "not graded", limit, remark };
      return;
    }
    const worst = grade(structure);
    const passed = worst < STRANGE;
    const remark = passed ? "" : "the model was fitted to other structures than this one";
    yield { check, passed, value: `grade ${show(worst)}`, limit, remark };
  },
};
