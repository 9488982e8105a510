import { invalid } from "../error.ts";
import { lbfgsIteration, lbfgsState, type LbfgsState } from "../math/minimise.ts";
import { Adam } from "./adam.ts";
import { leastSquares } from "./least-squares/least-squares.ts";
import { kalman } from "./kalman/kalman.ts";
import { marquardt } from "./marquardt/marquardt.ts";
import type { LossParts } from "./loss.ts";
import { copyInto, lossWeights, miniBatches, type Optimiser, type Problem } from "./optimiser.ts";
import type { FitOptions, TrainingOptions } from "./options.ts";
import { pick } from "../potentials/pick.ts";
import { closedForm } from "./whole/closed-form.ts";
import { wholeMethod } from "./whole/table.ts";
import { regressors } from "../regressors/table.ts";
import { energyWeight, rateAt } from "./schedule.ts";
import { covarianceRoom, normalRoom, type Observing } from "./workspace.ts";

function adam(problem: Problem): Optimiser {
  const { gradients, start, decays, epochs, options } = problem;
  const state = new Adam(gradients.device, start, decays, options.adam);
  const { steps, batch } = miniBatches(problem);
  return {
    steps,
    judged: state.average,
    async step(epoch, step, factor) {
      const at = epoch * steps + step;
      const rate = options.rate * factor * rateAt(at, epochs * steps, options);
      const lambda = lossWeights(options, energyWeight(at, epochs * steps, options));
      gradients.parameters.set(state.parameters);
      gradients.changed();
      const loss = await gradients.gradient(batch(epoch, step), lambda, state.gradient);
      state.step(rate, options.clip ?? Infinity, options.average);
      return { loss, rate, finished: false };
    },
    save: () => state.arrays,
    load: (saved) =>
      Object.entries(state.arrays).forEach(([name, array]) => copyInto(array, saved[name], name)),
  };
}

const flatten = (rows: readonly Float64Array[], n: number): Float64Array => {
  const flat = new Float64Array(rows.length * n);
  rows.forEach((row, k) => flat.set(row, k * n));
  return flat;
};

const unflatten = (flat: Float64Array, n: number): Float64Array[] =>
  Array.from({ length: flat.length / n }, (_, k) => flat.slice(k * n, (k + 1) * n));

function lbfgs({ gradients, start, groups, options }: Problem): Optimiser {
  const n = start.length;
  const state: LbfgsState = lbfgsState(start);
  const gradient = new Float64Array(n);
  const lambda = lossWeights(options, options.weights.energyEnd);
  const fixed = { x: state.x, gradient: state.gradient, scalars: state.scalars };
  return {
    steps: 1,
    judged: state.x,
    async step() {
      const iteration = lbfgsIteration(state, { history: options.history });
      let loss: LossParts = { energy: 0, forces: 0, stress: 0 };
      let lowest = Infinity;
      let asked = iteration.next();
      while (!asked.done) {
        gradients.parameters.set(asked.value);
        gradients.changed();
        // each question of a line search depends on the last answer
        const parts = await gradients.gradient(groups, lambda, gradient);
        const value = parts.energy + parts.forces + parts.stress;
        if (value < lowest) [lowest, loss] = [value, parts];
        asked = iteration.next({ value, gradient });
      }
      return { loss, rate: 1, finished: !asked.value };
    },
    save: () => ({ ...fixed, steps: flatten(state.steps, n), changes: flatten(state.changes, n) }),
    load(saved) {
      Object.entries(fixed).forEach(([name, array]) => copyInto(array, saved[name], name));
      state.steps.splice(0, Infinity, ...unflatten(saved["steps"], n));
      state.changes.splice(0, Infinity, ...unflatten(saved["changes"], n));
    },
  };
}

/** A way to find the parameters. */
export interface OptimiserMethod {
  start(problem: Problem): Optimiser;
  /** "batches": an epoch has a step for every mini-batch; "all": one step. */
  readonly sees: "batches" | "all";
  /** For methods that work on single observations. */
  readonly observes: Observing | null;
  /** Solves: one epoch whose steps are blocks of rows. */
  readonly closed?: boolean;
  /** Memory beside everything else, MiB. */
  readonly room?: (options: TrainingOptions) => number;
}

/** Every optimiser by its name in the options. */
export const OPTIMISERS: Readonly<Record<TrainingOptions["optimiser"], OptimiserMethod>> = {
  // of a model of which nothing is known; `settledOptimiser` knows more
  auto: { start: adam, sees: "batches", observes: null },
  adam: { start: adam, sees: "batches", observes: null },
  lbfgs: { start: lbfgs, sees: "all", observes: null },
  kalman: { start: kalman, sees: "batches", observes: covarianceRoom },
  marquardt: { start: marquardt, sees: "all", observes: normalRoom },
  "least-squares": {
    start: leastSquares,
    sees: "all",
    observes: null,
    closed: true,
    room: ({ leastSquares: { memory } }) => memory,
  },
  "closed-form": { start: closedForm, sees: "all", observes: null, closed: true },
};

/** The optimiser that "auto" stands for: models linear in their parameters are solved. */
export function settledOptimiser({ model, training }: FitOptions): TrainingOptions["optimiser"] {
  const whole = wholeMethod(model.regressor.name) !== undefined;
  if (whole || training.optimiser === "closed-form") return checkedWhole(model.regressor.name, training);
  if (training.optimiser !== "auto") return training.optimiser;
  return pick(regressors, model.regressor.name, "model.regressor.name").linear ? "least-squares" : "adam";
}

/** Models of whole molecules have a solution of their own, and nothing else has it. */
function checkedWhole(regressor: string, { optimiser }: TrainingOptions): TrainingOptions["optimiser"] {
  if (!wholeMethod(regressor)) throw invalid("training.optimiser", `one that trains ${regressor}`, optimiser);
  if (optimiser === "auto" || optimiser === "closed-form") return "closed-form";
  throw invalid("training.optimiser", `auto or closed-form for ${regressor}`, optimiser);
}

/** Memory that an optimiser's matrices need beside everything else, MiB. */
export function matrixRoom(options: FitOptions): number {
  const { name, ...own } = options.model.regressor;
  const whole = wholeMethod(name);
  if (whole) return whole.room(whole.options.parse(own));
  const { observes, room } = OPTIMISERS[settledOptimiser(options)];
  return room?.(options.training) ?? observes?.limit(options.training)[1] ?? 0;
}
