import { invalid } from "../error.ts";
import { Random } from "../math/random.ts";
import { lbfgsIteration, lbfgsState, type LbfgsState } from "../math/minimise.ts";
import { Adam } from "./adam.ts";
import type { Gradients } from "./gradient.ts";
import type { LossParts, LossWeights } from "./loss.ts";
import type { TrainingOptions } from "./options.ts";
import { energyWeight, rateAt } from "./schedule.ts";

/** What an optimiser works on. */
export interface Problem {
  readonly gradients: Gradients;
  /** Starting parameters, [P]. */
  readonly start: Float64Array;
  /** Which parameters decay, [P]. */
  readonly decays: Uint8Array;
  /** Groups of the training set. */
  readonly groups: readonly number[];
  /** Groups in one mini-batch. */
  readonly perBatch: number;
  readonly epochs: number;
  readonly options: TrainingOptions;
  readonly seed: number;
}

/** What one step did. */
export interface Step {
  readonly loss: LossParts;
  /** Learning rate; 1 where there is none. */
  readonly rate: number;
  /** Nothing more to gain. */
  readonly finished: boolean;
}

/** A way to the minimum, step by step; all that it remembers can be saved and loaded. */
export interface Optimiser {
  /** Steps in one epoch. */
  readonly steps: number;
  /** Does step `step` of epoch `epoch`; `factor` multiplies the learning rate. */
  step(epoch: number, step: number, factor: number): Promise<Step>;
  /** The parameters to judge and keep, [P]; a view. */
  readonly judged: Float64Array;
  save(): Record<string, Float64Array>;
  load(arrays: Readonly<Record<string, Float64Array>>): void;
}

/** λ of the loss at a given energy weight. */
export const lossWeights = ({ weights }: TrainingOptions, energy: number): LossWeights => ({
  energy,
  forces: weights.forces,
  stress: weights.stress,
  huber: weights.huber ?? Infinity,
});

function copyInto(target: Float64Array, source: Float64Array | undefined, name: string): void {
  if (source?.length !== target.length)
    throw invalid(`checkpoint: ${name}`, `${target.length} numbers`, source ? `${source.length}` : "nothing");
  target.set(source);
}

function adam(problem: Problem): Optimiser {
  const { gradients, start, decays, groups, perBatch, epochs, options, seed } = problem;
  const state = new Adam(gradients.device, start, decays, options.adam);
  const steps = Math.ceil(groups.length / perBatch);
  let shuffled: { epoch: number; order: number[] } | undefined;
  const orderOf = (epoch: number): number[] => {
    // A generator of its own for every epoch: the order needs no state in a checkpoint.
    if (shuffled?.epoch !== epoch)
      shuffled = { epoch, order: new Random(seed, "order", epoch).shuffle([...groups]) };
    return shuffled.order;
  };
  return {
    steps,
    judged: state.average,
    async step(epoch, step, factor) {
      const at = epoch * steps + step;
      const rate = options.rate * factor * rateAt(at, epochs * steps, options);
      const lambda = lossWeights(options, energyWeight(at, epochs * steps, options));
      gradients.parameters.set(state.parameters);
      gradients.changed();
      const batch = orderOf(epoch).slice(step * perBatch, (step + 1) * perBatch);
      const loss = await gradients.gradient(batch, lambda, state.gradient);
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

/** Every optimiser by its name in the options. */
export const OPTIMISERS: Readonly<Record<TrainingOptions["optimiser"], (problem: Problem) => Optimiser>> = {
  adam,
  lbfgs,
};
