import { copyInto, lossWeights, type Optimiser, type Problem } from "../../optimiser.ts";
import type { LeastSquaresOutcome } from "../outcome.ts";
import type { NormalSolution } from "./solve.ts";
import type { NormalWorkspace } from "./workspace.ts";

/**
 * (AᵀA + λ D²) θ = Aᵀb by Cholesky: half the work of QR and two matrices in all, so that many more parameters fit into
 * memory; AᵀA has the square of A's condition number, which the penalty λ has to hold (G. H. Golub, C. F. Van Loan,
 * Matrix Computations, 4th ed., §5.3). A step adds one block of rows, the last one solves.
 */
export function normalEquations(
  { gradients, decays, groups, options }: Problem,
  { equations, solver }: NormalWorkspace,
): Optimiser {
  const { rounds } = equations;
  const theta = new Float64Array(decays.length);
  const strength = options.leastSquares.strength as number;
  let solving: Promise<NormalSolution> | undefined;
  const solve = () => (solving ??= solver.solve(decays, strength));
  return {
    steps: rounds,
    judged: theta,
    async step(_epoch, step) {
      await equations.round(step);
      const finished = step === rounds - 1;
      if (!finished) return { loss: { energy: 0, forces: 0, stress: 0 }, rate: 1, finished };
      theta.set((await solve()).theta);
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
    conclude: async () => ({ outcome: outcomeOf(await solve()), root: null }),
    save: () => ({ theta, ...equations.save() }),
    load(saved) {
      copyInto(theta, saved["theta"], "theta");
      equations.load(saved);
    },
  };

  function outcomeOf({ rank, effective, noise }: NormalSolution): LeastSquaresOutcome {
    const frames = equations.setup.blocks.reduce((n, block) => n + block.length, 0);
    return {
      solver: "normal",
      rows: equations.count,
      parameters: theta.length,
      rank,
      effective,
      condition: null,
      scaledCondition: null,
      strength,
      noise,
      folds: [{ name: "all", frames, leverage: effective, leftOut: null }],
      notes: [
        "normal equations: the condition number is not worked out, and the model has no standard deviations",
      ],
    };
  }
}
