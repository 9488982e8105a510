import { advance, Course, inSlices } from "../course.ts";
import type { Work } from "../../math/work.ts";
import { copyInto, type Optimiser, type Problem } from "../optimiser.ts";
import { normalEquations } from "./normal/normal.ts";
import { NormalWorkspace } from "./normal/workspace.ts";
import { errorsIn, type FoldOutcome } from "./outcome.ts";
import { Rows } from "./rows.ts";
import { Solving } from "./solve.ts";
import { solved, UNSOLVED } from "./solved.ts";
import { STAGE } from "./stages.ts";

/**
 * Σ (weighted rows · θ − labels)² minimised in closed form: a step takes every triangle one block of rows further, the
 * last ones solve (A. P. Thompson et al., DOI 10.1016/j.jcp.2014.12.018, with QR instead of normal equations). One
 * epoch, and nothing of the start counts.
 */
export function leastSquares(problem: Problem): Optimiser {
  const { gradients, decays, options, workspace } = problem;
  if (workspace instanceof NormalWorkspace) return normalEquations(problem, workspace);
  if (!(workspace instanceof Rows)) throw new TypeError("no rows (this is a bug)");
  const { folds } = workspace.layout;
  const theta = new Float64Array(decays.length);
  const course = new Course(workspace.stages);
  let work: Work<Solving> | undefined;
  let solving: Solving | undefined;
  const begin = () => (work ??= Solving.create(workspace, decays, options.leastSquares));

  /** Errors of the folds in fits without them. */
  async function* leaveOut(solution: Solving): AsyncGenerator<void, FoldOutcome["leftOut"][]> {
    if (folds.length < 2) return [];
    course.enter(STAGE.leaveOut);
    const parameters = yield* inSlices(solution.withoutFolds());
    course.enter(STAGE.predict);
    await (workspace as Rows).predictLeftOut(parameters);
    return folds.map(({ frames }) => errorsIn(gradients.data, frames));
  }

  return {
    steps: Number.MAX_SAFE_INTEGER,
    get progress() {
      return course.progress;
    },
    judged: theta,
    async step(_epoch, step) {
      if (workspace.done < 1) {
        await workspace.advance();
        course.enter(STAGE.rows, workspace.done);
        return UNSOLVED;
      }
      course.enter(STAGE.solve);
      solving = advance(begin())?.value;
      if (!solving) return UNSOLVED;
      theta.set(solving.theta);
      return solved(problem, theta, step + 1);
    },
    async *conclude() {
      solving ??= yield* inSlices(begin());
      const leftOut = yield* leaveOut(solving);
      course.enter(STAGE.deviations);
      const outcome = yield* inSlices(solving.outcome(leftOut));
      return { outcome, root: yield* inSlices(solving.root()) };
    },
    save: () => ({ theta, ...workspace.save() }),
    load(saved) {
      copyInto(theta, saved["theta"], "theta");
      workspace.load(saved);
    },
  };
}
