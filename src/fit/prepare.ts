import type { Pool } from "../device/pool.ts";
import { buildTrainable } from "../potentials/build.ts";
import { isIsolatedAtom } from "../potentials/isolated-atoms.ts";
import type { Model, Term, Trainable } from "../potentials/potential.ts";
import { pairStatistics, type PairStatistics } from "../structure/statistics.ts";
import type { Frame } from "../structure/structure.ts";
import type { StoredCheckpoint } from "./checkpoint.ts";
import { collectDataset, type Dataset } from "./dataset.ts";
import { findDuplicates } from "./duplicates.ts";
import { errorsNote, withExpectedErrors } from "./expected-errors/expected-errors.ts";
import { checkGroups, checkSets, checkWeights } from "./frame-weights.ts";
import { Gradients } from "./gradient.ts";
import { makeGroups, sizes } from "./groups.ts";
import { dataHash, Sha256 } from "./hash.ts";
import { knownTerms, recordOf, takeAway, type KnownParts, type KnownTerms } from "./known.ts";
import { learnedTerm, LOOK, type LearnedTerm } from "./learned.ts";
import { mostObservations } from "./observations.ts";
import { prepareRows } from "./least-squares/prepare.ts";
import { OPTIMISERS, settledOptimiser } from "./optimisers.ts";
import type { FitOptions } from "./options.ts";
import { PackedFrames } from "./packed.ts";
import { measure, type Plan } from "./plan.ts";
import { wholeDesign, wholeTerm } from "./whole/prepare.ts";
import { wholeMethod } from "./whole/table.ts";
import { SETS, splitFrames, type Split } from "./split.ts";
import { duplicateNotes, splitNotes } from "./split-notes.ts";
import { resumedEpochs, type Training } from "./trainer.ts";
import { checkedBlocks, type Observing } from "./workspace.ts";

/** A fit with every choice made and every thread ready; nothing is trained yet. */
export interface PreparedFit {
  readonly dataset: Dataset;
  readonly hash: string;
  readonly split: Split;
  readonly duplicates: readonly (readonly number[])[];
  readonly statistics: PairStatistics;
  readonly known: KnownTerms;
  /** What the known terms say of each frame. */
  readonly said: KnownParts;
  readonly learned: LearnedTerm;
  /** Groups of frames of every set, and the groups of each set. */
  readonly groups: readonly (readonly number[])[];
  readonly groupsOf: Readonly<Record<keyof Split, readonly number[]>>;
  readonly training: Training;
  /** Every option explicit: what `fit.yaml` records, and what gives the same fit again. */
  readonly resolved: FitOptions;
  readonly plan: Plan;
  /** What the user should know, one sentence each. */
  readonly notes: readonly string[];
}

/** What a fit may begin with, and who hears of it. */
export interface Preparation {
  /** A checkpoint to go on from. */
  readonly resume?: Uint8Array | StoredCheckpoint;
  /** The model whose parameters are the first ones. */
  readonly start?: Model;
  /** Potentials under the one that is learned. */
  readonly reference?: readonly Term[];
  /** Called before each part that takes long. */
  readonly tell?: (what: string) => void;
}

/** Validations of a fit when their distance is left to us. */
const VALIDATIONS = 200;

/** What an optimiser that observes needs: rows of a group and of an update, blocks of its matrix. */
function observing(
  method: Observing,
  { training }: FitOptions,
  { parameters, starts }: Trainable,
  frames: readonly Frame[],
  perBatch: number,
) {
  const { forces, stress } = method.counts(training);
  const atoms = frames.reduce((most, { structure }) => Math.max(most, structure.numbers.length), 0);
  const rows = mostObservations(atoms, forces, stress);
  const most = rows * perBatch;
  return { rows, most, blocks: checkedBlocks(method, training, parameters.length, starts, most) };
}

/** Names data, split, weights and every choice that the result depends on. */
const identityOf = (hash: string, split: Split, weights: Float64Array, options: FitOptions): string => {
  const { data: _data, threads: _threads, training, ...rest } = options;
  const { time: _time, steps: _steps, cache: _cache, ...train } = training;
  const text = JSON.stringify([hash, SETS.map((set) => split[set]), [...weights], rest, train]);
  return new Sha256().update(new TextEncoder().encode(text)).digest();
};

/**
 * Checks the data, splits them, takes away what is known, resolves and starts the model, and measures how long an
 * epoch takes, so that `epochs: auto` becomes a number. With a checkpoint, the epochs are the checkpoint's.
 */
export async function prepareFit(
  frames: readonly Frame[],
  given: FitOptions,
  pool: Pool,
  { resume, start, reference = [], tell = () => {} }: Preparation = {},
): Promise<PreparedFit> {
  const optimiser = settledOptimiser(given);
  const options = { ...given, training: { ...given.training, optimiser } };
  const { observes, closed = false } = OPTIMISERS[optimiser];
  const { device } = pool;
  const dataset = collectDataset(frames);
  const hash = dataHash(frames);
  const duplicates = findDuplicates(frames);
  const split = splitFrames(frames, { ...options.split, seed: options.seed }, duplicates);
  const weights = checkWeights(frames, options.training.weights);
  checkSets(split, weights);
  checkGroups(options.training, closed);
  const trainingFrames = split.train.map((f) => frames[f]);
  const statistics = pairStatistics(
    trainingFrames.map((f) => f.structure),
    LOOK,
  );
  const lone = frames.filter(isIsolatedAtom);
  // A baseline and a potential under the fit have a repulsion of their own.
  const bare = options.data.baseline === undefined && reference.length === 0;
  const zbl = options.model.zbl === "auto" ? bare : options.model.zbl;
  const known = knownTerms(
    { ...options.model, zbl },
    reference,
    [...trainingFrames, ...lone],
    dataset.elements,
    statistics,
    device,
  );
  const { left, said } = takeAway(known.terms, frames, dataset.elements, device);
  const whole = wholeMethod(options.model.regressor.name);
  tell("descriptors and the model's start");
  const learned = whole
    ? wholeTerm(
        whole,
        options,
        split.train.map((f) => left[f]),
        dataset.elements,
        device,
      )
    : learnedTerm(
        options.model,
        split.train.map((f) => left[f]),
        dataset.elements,
        statistics,
        device,
        options.seed,
        start,
      );

  const data = PackedFrames.pack(device.memory, left, weights);
  const { perGroup, perBatch } = sizes(dataset, split, options.training.batch, observes !== null);
  const { groups, groupsOf } = makeGroups(split, weights, perGroup, options.seed);
  const model = buildTrainable(learned.term, dataset.elements, device);
  const settled =
    closed && !whole
      ? withExpectedErrors(options, model, {
          tell,
          term: learned.term,
          elements: dataset.elements,
          frames: split.train.filter((f) => weights[f] > 0).map((f) => left[f]),
          deterministic: device.deterministic,
        })
      : options;
  const first = model.parameters.slice();
  const needs = observes ? observing(observes, options, model, trainingFrames, perBatch) : undefined;
  const slots = Math.max(perBatch, 4 * pool.threads);
  tell("how long it will take");
  const gradients = await Gradients.create(pool, {
    term: learned.term,
    elements: dataset.elements,
    parameters: first.length,
    data,
    groups,
    slots,
    rows: needs?.rows,
    // Features are used once or twice, too seldom to keep.
    cache: closed ? 0 : options.training.cache * 2 ** 20,
    place: (f) => frames[f].place,
  });
  gradients.parameters.set(first);
  gradients.changed();
  const design = whole
    ? await wholeDesign(whole, options, {
        pool,
        term: learned.term,
        model,
        train: split.train.filter((f) => weights[f] > 0),
        data,
        seed: options.seed,
      })
    : closed
      ? await prepareRows({
          pool,
          term: learned.term,
          elements: dataset.elements,
          model,
          frames,
          train: split.train,
          data,
          options: settled.training,
          seed: options.seed,
        })
      : undefined;
  const workspace = design?.rows ?? (needs && (await observes?.create(pool, needs.blocks, needs.most)));
  const epochs = resume ? resumedEpochs(resume) : options.training.epochs;
  const plan = await measure({
    gradients,
    groups,
    groupsOf,
    perBatch,
    epochs,
    options,
    data,
    parameters: first.length,
    slots,
    threads: pool.threads,
    bytesOf: (g) =>
      model.batch(
        groups[g].map((f) => frames[f].structure),
        { cacheFeatures: true },
      ).bytes,
    sizes: learned.sizes,
    dataset,
    start: first,
    decays: model.decays,
    rows: needs?.rows ?? 1,
    blocks: needs?.blocks ?? [],
    workspace,
    design: design?.plan,
  });
  const every =
    options.training.validate === "auto"
      ? Math.max(1, Math.ceil(plan.epochs / VALIDATIONS))
      : options.training.validate;
  const resolved = resolve(
    { ...settled, training: withSolver(settled.training, design?.plan.solver) },
    known,
    learned,
    plan.epochs,
    perBatch * perGroup,
    every,
  );
  const training: Training = {
    gradients,
    data,
    start: first,
    decays: model.decays,
    train: groupsOf.train,
    validation: groupsOf.validation,
    validationFrames: split.validation,
    perBatch,
    epochs: plan.epochs,
    every,
    options: resolved.training,
    seed: options.seed,
    workspace,
    identity: identityOf(hash, split, weights, resolved),
    resume,
  };
  const notes = [
    ...known.isolatedAtoms.notes,
    ...learned.remarks,
    ...(model.design && !closed ? [linearNote(optimiser)] : []),
    ...(settled === options ? [] : [errorsNote(settled.training)]),
    ...duplicateNotes(duplicates, frames, split),
    ...splitNotes(split, options.split, lone.length),
  ];
  return {
    dataset,
    hash,
    split,
    duplicates,
    statistics,
    known,
    said,
    learned,
    groups,
    groupsOf,
    training,
    resolved,
    plan,
    notes,
  };
}

/** Features are often so much alike (condition numbers of 10¹⁰ and more) that no iteration gets far. */
const linearNote = (optimiser: string): string =>
  `this model is linear in its parameters: training.optimiser=least-squares solves it at once, where ${optimiser} comes ` +
  "near the solution only in thousands of epochs, if at all";

/** The options with the solver that least squares has settled on. */
const withSolver = (
  training: FitOptions["training"],
  solver: FitOptions["training"]["leastSquares"]["solver"] | undefined,
): FitOptions["training"] =>
  solver ? { ...training, leastSquares: { ...training.leastSquares, solver } } : training;

function resolve(
  options: FitOptions,
  known: KnownTerms,
  learned: LearnedTerm,
  epochs: number,
  batch: number,
  validate: number,
): FitOptions {
  const { reference } = options.model;
  const composed =
    learned.choices ?? (learned.term.options as Pick<FitOptions["model"], "descriptor" | "regressor">);
  return {
    ...options,
    model: {
      descriptor: composed.descriptor,
      regressor: composed.regressor,
      isolatedAtoms: recordOf(known.isolatedAtoms),
      zbl: known.zbl,
      reference,
    },
    training: { ...options.training, epochs, batch, validate },
  };
}
