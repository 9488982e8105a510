import type { Pool } from "../device/pool.ts";
import { buildTrainable } from "../potentials/build.ts";
import { recordTensors } from "../potentials/extrapolation/record.ts";
import type { Model } from "../potentials/potential.ts";
import { volume } from "../structure/cell.ts";
import type { Frame } from "../structure/structure.ts";
import type { Calibration } from "./least-squares/calibration.ts";
import type { LeastSquaresOutcome } from "./least-squares/outcome.ts";
import { unusedNote } from "./least-squares/unused.ts";
import { uncertaintyOf } from "./least-squares/uncertainty.ts";
import { Metrics, type Comparison, type SetMetrics } from "./metrics.ts";
import { WholeWorkspace } from "./whole/closed-form.ts";
import type { WholeOutcome } from "./whole/outcome.ts";
import type { PreparedFit } from "./prepare.ts";
import { train, type Report, type Trained, type Training } from "./trainer.ts";

/** A finished fit: the model, and everything a report shows. */
export interface FitResult {
  readonly model: Model;
  readonly trained: Trained;
  readonly metrics: Readonly<Record<"train" | "validation" | "test", SetMetrics>>;
  /** Of a fit in closed form: how well it is determined, and how its standard deviations were scaled. */
  readonly closedForm?: LeastSquaresOutcome & { readonly calibration: Calibration | null };
  /** Of a model of whole molecules: what it says of itself. */
  readonly solved?: WholeOutcome;
  /** Truth and prediction of frame f of the data, for plots; f is in a set. */
  compare(f: number): Comparison;
}

const plus = (x: Float64Array, more: Float64Array | undefined) => x.map((v, k) => v + (more?.[k] ?? 0));

/** Truth and prediction of one frame, with the known terms added back to the prediction. */
function comparison({ dataset, said, training }: PreparedFit, f: number): Comparison {
  const frame: Frame = dataset.frames[f];
  const { structure } = frame;
  const { predicted, first } = training.data;
  const known = said.parts[f];
  const forces = plus(predicted.forces.subarray(3 * first[f], 3 * first[f + 1]), known?.forces);
  const virial = plus(predicted.virials.subarray(9 * f, 9 * f + 9), known?.virial);
  return {
    numbers: structure.numbers,
    place: frame.place,
    configType: frame.configType,
    baseline: said.energies[f],
    energy: frame.energy === undefined ? undefined : [predicted.energies[f] + said.energies[f], frame.energy],
    forces: frame.forces && [forces, frame.forces],
    stress: frame.stress && [virial.map((w) => -w / volume(structure.cell!)), frame.stress],
  };
}

/** The whole model with the given parameters in its learned term. */
function modelWith(
  prepared: PreparedFit,
  parameters: Float64Array,
  pool: Pool,
  provenance: Model["provenance"],
  posterior: Float64Array | undefined,
): Model {
  const { dataset, known, learned } = prepared;
  const trainable = buildTrainable(learned.term, dataset.elements, pool.device);
  trainable.parameters.set(parameters);
  const fitted = Object.fromEntries(
    Object.entries(trainable.tensors).map(([name, values]) => [name, Float64Array.from(values)]),
  );
  const { term } = learned;
  if (!learned.record) throw new TypeError("a model without a record of its training data (this is a bug)");
  const record = { ...learned.record, ...(posterior && { posterior }) };
  const options = { ...(term.options as object), training: { places: record.places } };
  const tensors = { ...fitted, ...recordTensors(record) };
  return { elements: dataset.elements, terms: [...known.terms, { ...term, options, tensors }], provenance };
}

/** Names the columns that tell nothing. */
function unusedNotes(
  { learned, dataset }: PreparedFit,
  { unused }: LeastSquaresOutcome,
  { device }: Pool,
): string[] {
  const { starts } = buildTrainable(learned.term, dataset.elements, device);
  return unused.length > 0 && starts
    ? [unusedNote(unused, { elements: dataset.elements, starts, labels: learned.labels })]
    : [];
}

const judgeSet = (prepared: PreparedFit, set: "train" | "validation" | "test"): SetMetrics => {
  const metrics = new Metrics();
  for (const f of prepared.split[set]) metrics.add(comparison(prepared, f));
  return metrics.result;
};

/**
 * Trains a prepared fit and tests it once at the end; yields reports on the way. The test set is not looked at
 * before training is over.
 */
export async function* runFit(
  prepared: PreparedFit,
  pool: Pool,
  choices: Pick<Training, "save" | "saveEvery"> & { readonly provenance?: Model["provenance"] } = {},
): AsyncGenerator<Report, FitResult> {
  const { save, saveEvery, provenance = {} } = choices;
  const { training, groups, hash, resolved, split } = prepared;
  const trained = yield* train({ ...training, save, saveEvery });
  training.gradients.parameters.set(trained.parameters);
  training.gradients.changed();
  await training.gradients.predict([...groups.keys()]);
  const metrics = {
    train: judgeSet(prepared, "train"),
    validation: judgeSet(prepared, "validation"),
    test: judgeSet(prepared, "test"),
  };
  const { workspace } = training;
  const solved =
    workspace instanceof WholeWorkspace
      ? await workspace.solver.conclude(split.validation, split.test)
      : undefined;
  const { outcome, root } = trained.leastSquares ?? {};
  const uncertainty = outcome && root ? await uncertaintyOf(prepared, root, outcome, pool) : undefined;
  const closedForm = outcome && {
    ...outcome,
    notes: [...outcome.notes, ...unusedNotes(prepared, outcome, pool)],
    calibration: uncertainty?.calibration ?? null,
  };
  const frames = { train: split.train.length, validation: split.validation.length, test: split.test.length };
  const held = new Set([...split.train, ...split.validation, ...split.test]);
  const made = {
    ...provenance,
    data: hash,
    frames,
    seed: resolved.seed,
    // Its energies and forces are differences to these labels.
    ...(resolved.data.baseline && { baseline: resolved.data.baseline }),
    options: resolved,
    epoch: trained.bestEpoch,
    metrics: { validation: metrics.validation.all, test: metrics.test.all },
    ...(closedForm && { closedForm }),
    ...(solved && { solved: solved.outcome }),
  };
  return {
    model: solved
      ? {
          elements: prepared.dataset.elements,
          terms: [...prepared.known.terms, solved.term],
          provenance: made,
        }
      : modelWith(prepared, trained.parameters, pool, made, uncertainty?.posterior),
    ...(solved && { solved: solved.outcome }),
    trained,
    metrics,
    ...(closedForm && { closedForm }),
    compare: (f) => {
      // What is in no set has no prediction.
      if (!held.has(f)) throw new RangeError(`frame ${f} is in no set`);
      return comparison(prepared, f);
    },
  };
}
