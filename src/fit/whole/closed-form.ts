import type { Optimiser, Problem } from "../optimiser.ts";
import type { WholeSolver } from "./method.ts";

/** What a model of whole molecules is solved with, reserved once for a fit. */
export class WholeWorkspace {
  readonly solver: WholeSolver;

  constructor(solver: WholeSolver) {
    this.solver = solver;
  }
}

/** A model of whole molecules solved by its own method; one epoch, and nothing of the start counts. */
export function closedForm({ gradients, workspace }: Problem): Optimiser {
  if (!(workspace instanceof WholeWorkspace)) throw new TypeError("nothing to solve with (this is a bug)");
  const { solver } = workspace;
  return {
    steps: solver.steps,
    get progress() {
      return solver.progress;
    },
    judged: solver.parameters,
    async step(_epoch, step) {
      const { finished, loss } = await solver.step();
      if (finished) {
        gradients.parameters.set(solver.parameters);
        gradients.changed();
      }
      // Reports show means over the steps of an epoch: the last one stands for all.
      return { loss: { energy: finished ? (step + 1) * loss : 0, forces: 0, stress: 0 }, rate: 1, finished };
    },
    save: () => solver.save(),
    load: (saved) => solver.load(saved),
  };
}
