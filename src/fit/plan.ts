import type { Dataset } from "./dataset.ts";
import type { Gradients } from "./gradient.ts";
import type { RowsPlan } from "./least-squares/prepare.ts";
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
  /** Of a fit in closed form. */
  readonly design?: RowsPlan;
  /** Parameters in each block of the optimiser's matrix; none for an optimiser without one. */
  readonly blocks: readonly number[];
  /** Estimated, bytes: frames, gradients, surroundings and features where they are kept, the optimiser's matrix, the engine. */
  readonly bytes: Readonly<Record<"frames" | "gradients" | "features" | "matrix" | "engine", number>>;
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
  /** Most groups in one step. */
  readonly slots: number;
  readonly threads: number;
  /** Bytes of a group's surroundings and features. */
  readonly bytesOf: (group: number) => number;
  readonly sizes: readonly number[];
  readonly dataset: Dataset;
  readonly start: Float64Array;
  readonly decays: Uint8Array;
  /** Most observations of a group. */
  readonly rows: number;
  readonly blocks: readonly number[];
  readonly workspace: Workspace | undefined;
  readonly design: RowsPlan | undefined;
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

/** Groups that are looked at to tell the bytes of all. */
const LOOKED = 32;

/** Bytes of what threads keep between epochs, and of what one works on. */
function batchBytes({ groups, bytesOf, data, options, threads }: PlanInput) {
  const every = Math.ceil(groups.length / LOOKED);
  const atomsOf = (group: readonly number[]) => group.reduce((n, f) => n + data.size(f), 0);
  let [bytes, atoms, largest] = [0, 0, 0];
  for (let g = 0; g < groups.length; g += every) {
    const own = bytesOf(g);
    bytes += own;
    atoms += atomsOf(groups[g]);
    largest = Math.max(largest, own);
  }
  const all = (bytes / atoms) * groups.reduce((n, group) => n + atomsOf(group), 0);
  // A thread keeps one more as long as there is any room.
  return { kept: Math.min(all, options.training.cache * 2 ** 20 + threads * largest), largest };
}

/** Bytes of a frame and of an atom: read, without the known terms, predicted and shown; measured with Node 24. */
const FRAME = 24 * 2 ** 10;
const ATOM = 1.5 * 2 ** 10;
/**
 * Bytes of the engine with machine code, a heap whose room for young objects has grown, predictions and report, and of
 * one more thread; measured likewise at the end of fits, where they vary by 10 %.
 */
const ENGINE = 290 * 2 ** 20;
const THREAD = 85 * 2 ** 20;
/** Numbers per parameter beside the slots: gradients, moments, averages, the best, those in the model file. */
const COPIES = 12;
/** Sizes of a batch that one thread has in work. */
const IN_WORK = 4;

/** Epochs and their steps, and how long they take. */
type Pace = Pick<Plan, "epochs" | "stepsPerEpoch" | "secondsPerEpoch" | "seconds">;

/** Measures a few steps, and turns the time allowed into a number of epochs when that is left open. */
async function measurePace(input: PlanInput): Promise<Pace> {
  const { groupsOf, perBatch, options } = input;
  const { time } = options.training;
  const { sees, observes } = OPTIMISERS[options.training.optimiser];
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
  const seconds = epochs * secondsPerEpoch + Math.min(epochs, 200) * validation;
  return { epochs, stepsPerEpoch, secondsPerEpoch, seconds };
}

/** What a fit will take: measured, or for one in closed form as it was estimated. */
export async function measure(input: PlanInput): Promise<Plan> {
  const { groupsOf, groups, options, data, parameters, sizes, dataset, design, perBatch } = input;
  const { observes } = OPTIMISERS[options.training.optimiser];
  const { rows, blocks, slots, threads } = input;
  const pace: Pace = design
    ? { epochs: 1, stepsPerEpoch: design.rounds, secondsPerEpoch: design.seconds, seconds: design.seconds }
    : await measurePace(input);
  const count = (set: keyof Split) => groupsOf[set].reduce((n, g) => n + groups[g].length, 0);
  const { kept, largest } = batchBytes(input);
  return {
    frames: { train: count("train"), validation: count("validation"), test: count("test") },
    atoms: dataset.atoms,
    parameters,
    features: sizes,
    ...pace,
    ...(design && { design }),
    blocks,
    bytes: {
      frames: data.bytes + FRAME * data.frames + ATOM * dataset.atoms,
      gradients: 8 * parameters * (slots * rows + COPIES + 2 * threads),
      matrix: design ? design.bytes + (design.beside ?? 0) : (observes?.bytes(blocks, rows * perBatch) ?? 0),
      features: kept + threads * IN_WORK * largest,
      engine: ENGINE + (threads - 1) * THREAD,
    },
  };
}

function fitting(time: number, epoch: number, validation: number): number {
  const sparse = (time - 200 * validation) / epoch;
  return Math.max(1, Math.floor(sparse >= 200 ? sparse : time / (epoch + validation)));
}
