import type { Pool } from "../device/pool.ts";
import { invalid } from "../error.ts";
import { Random } from "../math/random.ts";
import { buildTrainable } from "../potentials/build.ts";
import { isIsolatedAtom } from "../potentials/isolated-atoms.ts";
import type { Model, Term, Trainable } from "../potentials/potential.ts";
import { pairStatistics, type PairStatistics } from "../structure/statistics.ts";
import type { Frame } from "../structure/structure.ts";
import { collectDataset, type Dataset } from "./dataset.ts";
import { findDuplicates } from "./duplicates.ts";
import { errorsNote, withExpectedErrors } from "./expected-errors/expected-errors.ts";
import { Gradients } from "./gradient.ts";
import { dataHash, Sha256 } from "./hash.ts";
import { knownTerms, recordOf, takeAway, type KnownParts, type KnownTerms } from "./known.ts";
import { learnedTerm, LOOK, type LearnedTerm } from "./learned.ts";
import { mostObservations } from "./observations.ts";
import { prepareRows } from "./least-squares/prepare.ts";
import { OPTIMISERS, settledOptimiser } from "./optimisers.ts";
import type { FitOptions } from "./options.ts";
import { PackedFrames } from "./packed.ts";
import { measure, type Plan } from "./plan.ts";
import { validate } from "../schema.ts";
import { WholeWorkspace } from "./whole/closed-form.ts";
import type { WholeInput, WholeMethod } from "./whole/method.ts";
import { wholeMethod } from "./whole/table.ts";
import { splitFrames, type Split } from "./split.ts";
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

/** Atoms that one unit of work should have: enough for matrix products, few enough to share among threads. */
const GROUP_ATOMS = 36;
/** Atoms of a mini-batch when its size is left to us. */
const BATCH_ATOMS = 144;
const VALIDATIONS = 200;

const SETS = ["train", "validation", "test"] as const;

/** Weight of a frame: of its own key, times that of its configuration type. */
function weightOf(frame: Frame, { key, configType }: FitOptions["training"]["weights"]): number {
  const byType = frame.configType === undefined ? 1 : (configType[frame.configType] ?? 1);
  if (key === null) return byType;
  const own = frame.info[key];
  if (typeof own !== "number" || !(own >= 0))
    throw invalid(`${frame.place}: ${key}`, "a weight of 0 or more", own === undefined ? "nothing" : own);
  return own * byType;
}

function checkWeights(frames: readonly Frame[], options: FitOptions["training"]["weights"]): Float64Array {
  const known = new Set(frames.map((f) => f.configType));
  const stray = Object.keys(options.configType).find((name) => !known.has(name));
  if (stray !== undefined)
    throw invalid("training.weights.configType", `one of ${[...known].join(", ")}`, stray);
  return Float64Array.from(frames, (frame) => weightOf(frame, options));
}

/** Weights of groups are of rows, which only a fit in closed form has. */
function checkGroups({ weights, optimiser }: FitOptions["training"], closed: boolean): void {
  for (const own of ["groups", "sigma"] as const)
    if (!closed && Object.keys(weights[own]).length > 0)
      throw invalid(`training.weights.${own}`, "none for an optimiser other than least-squares", optimiser);
  if (Object.keys(weights.groups).length > 0 && Object.keys(weights.sigma).length > 0)
    throw invalid("training.weights", "either groups or sigma", "both");
}

/** Refuses a set that nothing can be learned from or judged by. */
function checkSets(split: Split, weights: Float64Array): void {
  for (const set of ["train", "validation"] as const)
    if (split[set].length > 0 && split[set].every((f) => weights[f] === 0))
      throw invalid("training.weights", `a frame of the ${set} set with a weight above 0`, "only zeros");
}

/**
 * Groups of consecutive frames of a shuffled set, of `count` each. Training frames of weight 0 are in groups that no
 * set lists: they are predicted at the end, and no mini-batch has a total weight of 0.
 */
function makeGroups(split: Split, weights: Float64Array, count: number, seed: number) {
  const groups: number[][] = [];
  const groupsOf = { train: [] as number[], validation: [] as number[], test: [] as number[] };
  const add = (order: readonly number[], to: number[]) => {
    for (let at = 0; at < order.length; at += count) {
      to.push(groups.length);
      groups.push(order.slice(at, at + count));
    }
  };
  for (const set of SETS) {
    const order = new Random(seed, "groups", set).shuffle([...split[set]]);
    const counts = (f: number) => set !== "train" || weights[f] > 0;
    add(order.filter(counts), groupsOf[set]);
    add(
      order.filter((f) => !counts(f)),
      [],
    );
  }
  return { groups, groupsOf };
}

/** Frames per group and groups per mini-batch; one frame per group where every observation is a pass of its own. */
function sizes(dataset: Dataset, split: Split, batch: number | "auto", alone: boolean) {
  const atoms = dataset.atoms / dataset.frames.length;
  const frames = batch === "auto" ? Math.max(1, Math.min(32, Math.round(BATCH_ATOMS / atoms))) : batch;
  const together = alone ? 1 : Math.round(GROUP_ATOMS / atoms);
  const perGroup = Math.max(1, Math.min(frames, together, split.train.length));
  return { perGroup, perBatch: Math.max(1, Math.round(frames / perGroup)) };
}

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
  resume?: Uint8Array,
  start?: Model,
  reference: readonly Term[] = [],
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
          term: learned.term,
          elements: dataset.elements,
          frames: split.train.filter((f) => weights[f] > 0).map((f) => left[f]),
          deterministic: device.deterministic,
        })
      : options;
  const first = model.parameters.slice();
  const needs = observes ? observing(observes, options, model, trainingFrames, perBatch) : undefined;
  const slots = Math.max(perBatch, 4 * pool.threads);
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

/** The options with the solver that least squares has settled on. */
const withSolver = (
  training: FitOptions["training"],
  solver: FitOptions["training"]["leastSquares"]["solver"] | undefined,
): FitOptions["training"] =>
  solver ? { ...training, leastSquares: { ...training.leastSquares, solver } } : training;

/** The term of a model of whole molecules, with its starting numbers. */
function wholeTerm(
  method: WholeMethod,
  { model: { descriptor, regressor }, seed }: FitOptions,
  training: readonly Frame[],
  elements: readonly number[],
  device: Pool["device"],
): LearnedTerm {
  return method.start(parsedWhole(method, regressor), { descriptor, training, elements, device, seed });
}

const parsedWhole = (
  method: WholeMethod,
  { name: _name, ...own }: FitOptions["model"]["regressor"],
): unknown => validate(method.options, own, "model.regressor");

/** What such a model is solved with. */
async function wholeDesign(method: WholeMethod, { model }: FitOptions, input: WholeInput) {
  const uneven = input.train.find((f) => input.data.weights[f] > 0 && input.data.weights[f] !== 1);
  if (uneven !== undefined)
    throw invalid(
      "training.weights",
      `1 or 0 for every frame: ${method.name} does not tell them apart`,
      input.data.weights[uneven],
    );
  const { solver, plan } = await method.prepare(parsedWhole(method, model.regressor), input);
  return { rows: new WholeWorkspace(solver), plan };
}

/** Copies that stay together, and copies that another set's file keeps. */
function duplicateNotes(
  duplicates: PreparedFit["duplicates"],
  frames: readonly Frame[],
  split: Split,
): string[] {
  const held = new Set(SETS.flatMap((set) => split[set]));
  const groups = duplicates.filter(([first]) => !isIsolatedAtom(frames[first]));
  const count = (some: PreparedFit["duplicates"]) => some.reduce((n, group) => n + group.length - 1, 0);
  const example = (f: number, g: number) => `such as ${frames[f].place} and ${frames[g].place}`;
  const whole = groups.filter((group) => group.every((f) => held.has(f)));
  const notes: string[] = [];
  if (whole.length > 0)
    notes.push(
      `${count(whole)} frames repeat another one, ${example(whole[0][0], whole[0][1])}; copies stay in one set`,
    );
  const out = groups.flatMap((group) => {
    const kept = group.find((f) => held.has(f))!;
    return group.filter((f) => !held.has(f)).map((f) => [f, kept]);
  });
  if (out.length > 0)
    notes.push(
      `frames left out as copies of what a named file holds for another set: ${out.length}, ` +
        example(out[0][0], out[0][1]),
    );
  return notes;
}

/** Isolated atoms, and sets that are empty though they were asked for. */
function splitNotes(split: Split, options: FitOptions["split"], lone: number): string[] {
  const notes: string[] = [];
  if (lone > 0)
    notes.push(
      `${lone} ${lone === 1 ? "frame of an isolated atom is" : "frames of isolated atoms are"} in no set: what they settle is known`,
    );
  for (const set of ["validation", "test"] as const) {
    const size = options[set];
    if (split[set].length === 0 && typeof size === "number" && size > 0)
      notes.push(`the ${set} set is empty: there are too few frames for split.${set} ${size}`);
  }
  return notes;
}

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
