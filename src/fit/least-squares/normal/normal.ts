import { copyInto, type Optimiser, type Problem } from "../../optimiser.ts";
import type { LeastSquaresOutcome } from "../outcome.ts";
import { solved, UNSOLVED } from "../solved.ts";
import type { NormalSolution } from "./solve.ts";
import type { NormalWorkspace } from "./workspace.ts";

/**
 * (AᵀA + λ D²) θ = Aᵀb by Cholesky: half the work of QR and two matrices in all, so that many more parameters fit into
 * memory; AᵀA has the square of A's condition number, which the penalty λ has to hold (G. H. Golub, C. F. Van Loan,
 * Matrix Computations, 4th ed., §5.3). A step adds one block of rows, the last one solves.
 */
export function normalEquations(problem: Problem, { equations, solver }: NormalWorkspace): Optimiser {
  const { decays, options } = problem;
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
      if (step < rounds - 1) return UNSOLVED;
      theta.set((await solve()).theta);
      return solved(problem, theta, rounds);
    },
    async *conclude() {
      yield;
      return { outcome: outcomeOf(await solve()), root: null };
    },
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
