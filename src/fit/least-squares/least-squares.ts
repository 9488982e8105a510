import { copyInto, lossWeights, type Optimiser, type Problem } from "../optimiser.ts";
import { normalEquations } from "./normal/normal.ts";
import { NormalWorkspace } from "./normal/workspace.ts";
import { errorsIn } from "./outcome.ts";
import { Rows } from "./rows.ts";
import { Solving } from "./solve.ts";

/**
 * Σ (weighted rows · θ − labels)² minimised in closed form: a step takes every triangle one block of rows further, the
 * last one solves (A. P. Thompson et al., DOI 10.1016/j.jcp.2014.12.018, with QR instead of normal equations). One
 * epoch, and nothing of the start counts.
 */
export function leastSquares(problem: Problem): Optimiser {
  const { gradients, decays, groups, options, workspace } = problem;
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
      const finished = step === rounds - 1;
      if (!finished) return { loss: { energy: 0, forces: 0, stress: 0 }, rate: 1, finished };
      theta.set(solve().theta);
      gradients.parameters.set(theta);
      gradients.changed();
      const lambda = lossWeights(options, options.weights.energyEnd);
      const { energy, forces, stress } = await gradients.gradient(
        groups,
        lambda,
        new Float64Array(theta.length),
      );
      // Reports show means over the steps of an epoch, of which this one alone has a loss.
      const loss = { energy: rounds * energy, forces: rounds * forces, stress: rounds * stress };
      return { loss, rate: 1, finished };
    },
    async conclude() {
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
