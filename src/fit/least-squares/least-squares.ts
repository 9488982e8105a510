import { copyInto, type Optimiser, type Problem } from "../optimiser.ts";
import { normalEquations } from "./normal/normal.ts";
import { NormalWorkspace } from "./normal/workspace.ts";
import { errorsIn } from "./outcome.ts";
import { Rows } from "./rows.ts";
import { Solving } from "./solve.ts";
import { solved, UNSOLVED } from "./solved.ts";

/**
 * Σ (weighted rows · θ − labels)² minimised in closed form: a step takes every triangle one block of rows further, the
 * last one solves (A. P. Thompson et al., DOI 10.1016/j.jcp.2014.12.018, with QR instead of normal equations). One
 * epoch, and nothing of the start counts.
 */
export function leastSquares(problem: Problem): Optimiser {
  const { gradients, decays, options, workspace } = problem;
  if (workspace instanceof NormalWorkspace) return normalEquations(problem, workspace);
  if (!(workspace instanceof Rows)) throw new TypeError("no rows (this is a bug)");
  const { rounds, folds } = workspace.layout;
  const theta = new Float64Array(decays.length);
  let solving: Solving | undefined;
  const solve = (): Solving => (solving ??= new Solving(workspace, decays, options.leastSquares));
  return {
    steps: rounds,
    judged: theta,
    async step(_epoch, step) {
      await workspace.round(step);
      if (step < rounds - 1) return UNSOLVED;
      theta.set(solve().theta);
      return solved(problem, theta, rounds);
    },
    async *conclude() {
      yield;
      const { data } = gradients;
      if (folds.length < 2) return { outcome: solve().outcome([]), root: solve().root() };
      await workspace.predictLeftOut(solve().withoutFolds());
      const errors = folds.map(({ frames }) => errorsIn(data, frames));
      return { outcome: solve().outcome(errors), root: solve().root() };
    },
    save: () => ({ theta, ...workspace.save() }),
    load(saved) {
      copyInto(theta, saved["theta"], "theta");
      workspace.load(saved["triangles"], saved["rows"]);
    },
  };
}
