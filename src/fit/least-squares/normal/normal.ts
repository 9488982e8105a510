import { Course } from "../../course.ts";
import { STAGE } from "../stages.ts";
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
export function normalEquations(problem: Problem, { equations, solver, stages }: NormalWorkspace): Optimiser {
  const { decays, options } = problem;
  const { rounds } = equations;
  const theta = new Float64Array(decays.length);
  const strength = options.leastSquares.strength as number;
  const course = new Course(stages);
  let work: AsyncGenerator<number, NormalSolution> | undefined;
  let solution: NormalSolution | undefined;
  /** A part of the solution; true once it is there. */
  const advance = async (): Promise<boolean> => {
    work ??= solver.solve(decays, strength);
    const next = await work.next();
    if (next.done) solution = next.value;
    else course.enter(STAGE.solve, next.value);
    return next.done!;
  };
  return {
    steps: Number.MAX_SAFE_INTEGER,
    get progress() {
      return course.progress;
    },
    judged: theta,
    async step(_epoch, step) {
      if (step < rounds) {
        course.enter(STAGE.rows, (step + 1) / rounds);
        await equations.round(step);
        return UNSOLVED;
      }
      course.enter(STAGE.solve);
      if (!(await advance())) return UNSOLVED;
      theta.set(solution!.theta);
      course.enter(STAGE.errors);
      return solved(problem, theta, step + 1);
    },
    async *conclude() {
      // a part needs the one before
      for (let done = solution !== undefined; !done; done = await advance()) yield;
      return { outcome: outcomeOf(solution!), root: null };
    },
    save: () => ({ theta, ...equations.save() }),
    load(saved) {
      copyInto(theta, saved["theta"], "theta");
      equations.load(saved);
    },
  };

  function outcomeOf({ rank, unused, effective, noise }: NormalSolution): LeastSquaresOutcome {
    const frames = equations.setup.blocks.reduce((n, block) => n + block.length, 0);
    return {
      solver: "normal",
      rows: equations.count,
      parameters: theta.length,
      rank,
      effective,
      condition: null,
      scaledCondition: null,
      unused,
      strength,
      noise,
      folds: [{ name: "all", frames, leverage: effective, leftOut: null }],
      notes: [
        "normal equations: the condition number is not worked out, and the model has no standard deviations",
      ],
    };
  }
}
