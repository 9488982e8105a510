import type { Dataset } from "./dataset.ts";
import type { Gradients } from "./gradient.ts";
import { lossWeights } from "./optimiser.ts";
import { OPTIMISERS } from "./optimisers.ts";
import type { FitOptions } from "./options.ts";
import type { PackedFrames } from "./packed.ts";
import type { Split } from "./split.ts";
import type { Workspace } from "./workspace.ts";

/** What a fit will take. */
export interface Plan {
  readonly frames: Readonly<Record<keyof Split, number>>;
  readonly atoms: number;
  readonly parameters: number;
  /** Features of each element, in the order of the elements. */
  readonly features: readonly number[];
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  /** Measured on a few steps, s. */
  readonly secondsPerEpoch: number;
  /** Whole training, s. */
  readonly seconds: number;
  /** Parameters in each block of the optimiser's matrix; none for an optimiser without one. */
  readonly blocks: readonly number[];
  /** Estimated, bytes: frames, gradients, features where they are kept, the optimiser's matrix. */
  readonly bytes: Readonly<Record<"frames" | "gradients" | "features" | "matrix", number>>;
}

/** What the measurement needs. */
export interface PlanInput {
  readonly gradients: Gradients;
  readonly groups: readonly (readonly number[])[];
  readonly groupsOf: Readonly<Record<keyof Split, readonly number[]>>;
  readonly perBatch: number;
  readonly epochs: number | "auto";
  readonly options: FitOptions;
  readonly data: PackedFrames;
  readonly parameters: number;
  readonly sizes: readonly number[];
  readonly dataset: Dataset;
  readonly start: Float64Array;
  readonly decays: Uint8Array;
  /** Most observations of a group. */
  readonly rows: number;
  readonly blocks: readonly number[];
  readonly workspace: Workspace | undefined;
}

/** Longest measurement, s, and the part of the time allowed that it may take. */
const LONGEST = 3;
const PART = 0.02;
/** Evaluations of the full gradient in one line search, on average. */
const SEARCH = 1.3;

/** Seconds per mini-batch: each is done twice, and the second time counts, when features are already kept. */
async function stepSeconds({ gradients, groupsOf, perBatch, options }: PlanInput): Promise<number> {
  const gradient = new Float64Array(gradients.parameters.length);
  const lambda = lossWeights(options.training, options.training.weights.energyEnd);
  const began = performance.now();
  const limit = 1000 * Math.min(LONGEST, PART * options.training.time);
  const times: number[] = [];
  for (let at = 0; at < groupsOf.train.length; at += perBatch) {
    const batch = groupsOf.train.slice(at, at + perBatch);
    // steps are timed one by one
    await gradients.gradient(batch, lambda, gradient);
    const start = performance.now();
    await gradients.gradient(batch, lambda, gradient);
    times.push((performance.now() - start) / batch.length);
    if (performance.now() - began > limit) break;
  }
  return (perBatch * settledTime(times)) / 1000;
}

/** The median of the later half: the first steps are slower, while the engine still compiles. */
function settledTime(times: readonly number[]): number {
  const settled = times.slice(Math.floor(times.length / 2)).toSorted((a, b) => a - b);
  return settled[Math.floor(settled.length / 2)];
}

/** Seconds per step of an optimiser that observes, which a training sets back before it starts. */
async function updateSeconds(input: PlanInput): Promise<number> {
  const { groupsOf, options, epochs } = input;
  const method = OPTIMISERS[options.training.optimiser];
  const probe = method.start({
    ...input,
    groups: groupsOf.train,
    epochs: epochs === "auto" ? 1 : epochs,
    options: options.training,
    seed: options.seed,
  });
  const began = performance.now();
  const limit = 1000 * Math.min(LONGEST, PART * options.training.time);
  const times: number[] = [];
  for (let k = 0; k < probe.steps && performance.now() - began < limit; k++) {
    // steps are timed one by one; the first time, features are computed
    if (method.sees === "batches") await probe.step(0, k, 1);
    const start = performance.now();
    await probe.step(0, k, 1);
    times.push(performance.now() - start);
  }
  input.gradients.parameters.set(input.start);
  input.gradients.changed();
  return settledTime(times) / 1000;
}

/** Measures a few steps, and turns the time allowed into a number of epochs when that is left open. */
export async function measure(input: PlanInput): Promise<Plan> {
  const { groupsOf, groups, perBatch, options, data, parameters, sizes, dataset } = input;
  const { time } = options.training;
  const { sees, observes } = OPTIMISERS[options.training.optimiser];
  const { rows, blocks } = input;
  const steps = groupsOf.train.length / perBatch;
  const perStep = await stepSeconds(input);
  // A validation costs about half a gradient; 200 of them, or one per epoch, are spread over the epochs.
  const secondsPerEpoch = observes
    ? (sees === "all" ? 1 : steps) * (await updateSeconds(input))
    : steps * perStep * (sees === "all" ? SEARCH : 1);
  const validation = (0.5 * perStep * groupsOf.validation.length) / perBatch;
  const stepsPerEpoch = sees === "all" ? 1 : Math.ceil(steps);
  const most = Math.max(1, Math.floor(options.training.steps / stepsPerEpoch));
  const epochs =
    input.epochs === "auto" ? Math.min(most, fitting(time, secondsPerEpoch, validation)) : input.epochs;
  const count = (set: keyof Split) => groupsOf[set].reduce((n, g) => n + groups[g].length, 0);
  const meanFeatures = sizes.reduce((a, b) => a + b, 0) / sizes.length;
  return {
    frames: { train: count("train"), validation: count("validation"), test: count("test") },
    atoms: dataset.atoms,
    parameters,
    features: sizes,
    epochs,
    stepsPerEpoch,
    secondsPerEpoch,
    seconds: epochs * secondsPerEpoch + Math.min(epochs, 200) * validation,
    blocks,
    bytes: {
      frames: 8 * (31 * data.frames + 9 * dataset.atoms),
      gradients: 8 * parameters * (perBatch * rows + 8),
      matrix: observes?.bytes(blocks, rows * perBatch) ?? 0,
      features: Math.min(options.training.cache * 2 ** 20, 8 * dataset.atoms * meanFeatures),
    },
  };
}

function fitting(time: number, epoch: number, validation: number): number {
  const sparse = (time - 200 * validation) / epoch;
  return Math.max(1, Math.floor(sparse >= 200 ? sparse : time / (epoch + validation)));
}
