import { invalid } from "../error.ts";
import type { Written } from "./checkpoint.ts";
import { Random } from "../math/random.ts";
import type { Gradients } from "./gradient.ts";
import type { LossParts, LossWeights } from "./loss.ts";
import type { TrainingOptions } from "./options.ts";
import type { LeastSquaresResult } from "./least-squares/outcome.ts";
import type { Workspace } from "./workspace.ts";

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
  /** Room for the matrix of parameters by parameters, where the method needs one. */
  readonly workspace?: Workspace;
}

/** How far a solution is. */
export interface Stage {
  /** What it is doing, and how that stands. */
  readonly name: string;
  readonly detail?: string;
  /** Share of the whole time that is behind it, 0 to 1. */
  readonly done: number;
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
  /** Steps in one epoch, at most; where they take different times, `progress` tells how far it is. */
  readonly steps: number;
  readonly progress?: Stage;
  /** Does step `step` of epoch `epoch`; `factor` multiplies the learning rate. */
  step(epoch: number, step: number, factor: number): Promise<Step>;
  /** The parameters to judge and keep, [P]; a view. */
  readonly judged: Float64Array;
  save(): Record<string, Float64Array | Written>;
  load(arrays: Readonly<Record<string, Float64Array>>): void;
  /** What is known once training has ended, also after a checkpoint of the end was loaded; yields several times a second. */
  conclude?(): AsyncGenerator<void, LeastSquaresResult>;
}

/** λ of the loss at a given energy weight. */
export const lossWeights = ({ weights }: TrainingOptions, energy: number): LossWeights => ({
  energy,
  forces: weights.forces,
  stress: weights.stress,
  huber: weights.huber ?? Infinity,
});

/** Copies a saved array over a live one of the same length. */
export function copyInto(target: Float64Array, source: Float64Array | undefined, name: string): void {
  if (source?.length !== target.length)
    throw invalid(`checkpoint: ${name}`, `${target.length} numbers`, source ? `${source.length}` : "nothing");
  target.set(source);
}

/** Mini-batches of groups, in an order that is new in every epoch and needs no state in a checkpoint. */
export function miniBatches({ groups, perBatch, seed }: Problem) {
  let shuffled: { epoch: number; order: number[] } | undefined;
  const batch = (epoch: number, step: number): number[] => {
    if (shuffled?.epoch !== epoch)
      shuffled = { epoch, order: new Random(seed, "order", epoch).shuffle([...groups]) };
    return shuffled.order.slice(step * perBatch, (step + 1) * perBatch);
  };
  return { steps: Math.ceil(groups.length / perBatch), batch };
}
