import { invalid } from "../error.ts";
import { packCheckpoint, storedCheckpoint, type StoredCheckpoint } from "./checkpoint.ts";
import { addErrors, ERROR_SUMS, errorsOf, type SetErrors } from "./errors.ts";
import type { Gradients } from "./gradient.ts";
import { frameLoss, type LossParts } from "./loss.ts";
import type { LeastSquaresResult } from "./least-squares/outcome.ts";
import { lossWeights, type Optimiser } from "./optimiser.ts";
import { OPTIMISERS } from "./optimisers.ts";
import type { TrainingOptions } from "./options.ts";
import type { PackedFrames } from "./packed.ts";
import type { Workspace } from "./workspace.ts";

/** Everything one training needs. */
export interface Training {
  readonly gradients: Gradients;
  readonly data: PackedFrames;
  /** Starting parameters, [P]. */
  readonly start: Float64Array;
  readonly decays: Uint8Array;
  /** Groups (see `Gradients`) of each set. */
  readonly train: readonly number[];
  readonly validation: readonly number[];
  readonly validationFrames: readonly number[];
  readonly perBatch: number;
  readonly epochs: number;
  /** Epochs between validations. */
  readonly every: number;
  readonly options: TrainingOptions;
  readonly seed: number;
  /** For optimisers that observe. */
  readonly workspace?: Workspace;
  /** Names data, split and model: a checkpoint of another fit is refused. */
  readonly identity: string;
  /** A checkpoint to go on from. */
  readonly resume?: Uint8Array | StoredCheckpoint;
  /** Takes a checkpoint; the caller makes the write atomic (temporary file, then rename). */
  readonly save?: (checkpoint: Uint8Array) => void | Promise<void>;
  /** Seconds between checkpoints, 30 by default; 0 saves after every step. */
  readonly saveEvery?: number;
}

/** How well the parameters do on the validation set. */
export interface Judgement {
  /** RMSE per atom, eV; null without labels. */
  readonly energy: number | null;
  /** RMSE of components, eV/Å. */
  readonly forces: number | null;
  /** RMSE of virial components per atom, eV. */
  readonly stress: number | null;
  /** L of loss.ts with the final weights. */
  readonly score: number;
  readonly errors: SetErrors;
}

/** What happened since the last report. */
export interface Report {
  /** A report after each validation; "step" ones come a few times a second, so that a caller can watch or stop. */
  readonly kind: "step" | "validation";
  /** Epochs done, of how many. */
  readonly epoch: number;
  readonly epochs: number;
  /** Steps done in all. */
  readonly steps: number;
  readonly rate: number;
  /** Mean over the epoch so far; of the step for "step". */
  readonly loss: LossParts;
  /** Errors of the training frames over the epoch, each as it was met; null for "step". */
  readonly train: SetErrors | null;
  readonly validation: Judgement | null;
  /** These parameters are the best so far on the validation set; never without one. */
  readonly best: boolean;
  /** Seconds trained, earlier runs of a resumed fit included. */
  readonly seconds: number;
  /** Estimated seconds to the end, s; null before the first step. */
  readonly left: number | null;
  /** Share of all work that is done, 0 to 1. */
  readonly done: number;
  /** What a solution is doing; null for a training of epochs. */
  readonly stage: string | null;
  readonly detail?: string;
}

/** The end of a training. */
export interface Trained {
  /** Best parameters on the validation set, the last ones without one, [P]. */
  readonly parameters: Float64Array;
  readonly bestEpoch: number;
  readonly why: "epochs" | "patience" | "converged";
  readonly history: readonly Report[];
  /** Of a fit in closed form. */
  readonly leastSquares?: LeastSquaresResult;
}

interface Progress {
  identity: string;
  epochs: number;
  epoch: number;
  step: number;
  /** Steps of all epochs. */
  steps: number;
  loss: LossParts;
  /** Sums of the errors of the epoch so far (see errors.ts). */
  errors: number[];
  rate: number;
  factor: number;
  stalled: number;
  sinceBest: number;
  bestScore: number | null;
  bestEpoch: number;
  seconds: number;
  ended: Trained["why"] | null;
  history: Report[];
}

const noErrors = (): number[] => Array.from({ length: ERROR_SUMS }, () => 0);

const start = (identity: string, epochs: number): Progress => ({
  identity,
  epochs,
  epoch: 0,
  step: 0,
  steps: 0,
  loss: { energy: 0, forces: 0, stress: 0 },
  errors: noErrors(),
  rate: 0,
  factor: 1,
  stalled: 0,
  sinceBest: 0,
  bestScore: null,
  bestEpoch: 0,
  seconds: 0,
  ended: null,
  history: [],
});

const scaled = (l: LossParts, f: number): LossParts => ({
  energy: l.energy * f,
  forces: l.forces * f,
  stress: l.stress * f,
});

/** RMSE and loss of what the packed frames hold as predictions, over the given frames. */
export function judge(data: PackedFrames, frames: readonly number[], options: TrainingOptions): Judgement {
  const lambda = lossWeights(options, options.weights.energyEnd);
  const parts = { energy: 0, forces: 0, stress: 0 };
  const sums = new Float64Array(ERROR_SUMS);
  let [weight, score] = [0, 0];
  for (const f of frames) {
    const n = data.size(f);
    const labels = data.labels(f);
    const energy = data.predicted.energies[f];
    const forces = data.predicted.forces.subarray(3 * data.first[f], 3 * data.first[f + 1]);
    const virial = data.predicted.virials.subarray(9 * f, 9 * f + 9);
    addErrors(sums, n, energy, forces, virial, labels);
    const seeds = { forces: new Float64Array(3 * n), virial: new Float64Array(9) };
    Object.assign(parts, { energy: 0, forces: 0, stress: 0 });
    frameLoss(n, energy, forces, virial, labels, lambda, 0, seeds, parts);
    score += data.weights[f] * (parts.energy + parts.forces + parts.stress);
    weight += data.weights[f];
  }
  const errors = errorsOf(sums);
  return {
    energy: errors.energyPerAtom?.rmse ?? null,
    forces: errors.forces?.rmse ?? null,
    stress: errors.virialPerAtom?.rmse ?? null,
    score: score / weight,
    errors,
  };
}

/** The share of the time that large checkpoints may take. */
const SAVING = 0.05;

/** One training under way. */
class Trainer {
  readonly setup: Training;
  readonly optimiser: Optimiser;
  readonly best: Float64Array;
  readonly progress: Progress;
  readonly #began = performance.now();
  readonly #secondsBefore: number;
  /** Share that was done when this run began. */
  readonly #doneBefore: number;
  #saved = performance.now();
  /** Milliseconds that the last checkpoint took. */
  #saving = 0;

  constructor(setup: Training) {
    this.setup = setup;
    const { start: from, options } = setup;
    if (options.schedule === "plateau" && setup.validationFrames.length === 0)
      throw invalid("training.schedule", "cosine or constant without a validation set", "plateau");
    this.optimiser = OPTIMISERS[options.optimiser].start({ ...setup, groups: setup.train });
    this.best = from.slice();
    this.progress = setup.resume ? this.#load(setup.resume) : start(setup.identity, setup.epochs);
    this.#secondsBefore = this.progress.seconds;
    this.#doneBefore = this.#done();
  }

  #load(resume: Uint8Array | StoredCheckpoint): Progress {
    const { meta, arrays } = storedCheckpoint(resume);
    const progress = meta as Progress;
    if (progress.identity !== this.setup.identity)
      throw invalid("checkpoint", "one of the same data, split, model and options", "one of another fit");
    const { best, ...rest } = arrays();
    this.best.set(best);
    this.optimiser.load(rest);
    return progress;
  }

  async save(): Promise<void> {
    const began = performance.now();
    this.progress.seconds = this.#seconds();
    const arrays = { best: this.best, ...this.optimiser.save() };
    await this.setup.save?.(packCheckpoint({ meta: this.progress, arrays }));
    this.#saved = performance.now();
    this.#saving = this.#saved - began;
  }

  saveWhenDue(): Promise<void> | undefined {
    const { saveEvery = 30 } = this.setup;
    const wait = Math.max(1000 * saveEvery, saveEvery > 0 ? this.#saving / SAVING : 0);
    return performance.now() - this.#saved >= wait ? this.save() : undefined;
  }

  #seconds(): number {
    return this.#secondsBefore + (performance.now() - this.#began) / 1000;
  }

  /** One step, and after the last of an epoch what an epoch ends with. */
  async advance(): Promise<Report> {
    const p = this.progress;
    const { loss, rate, finished } = await this.optimiser.step(p.epoch, p.step, p.factor);
    for (const part of ["energy", "forces", "stress"] as const) p.loss[part] += loss[part];
    this.setup.gradients.errors.forEach((e, k) => (p.errors[k] += e));
    p.rate = rate;
    p.step++;
    p.steps++;
    let report = this.#report("step", loss, null, null, false);
    if (p.step === this.optimiser.steps || finished) report = (await this.#endEpoch(finished)) ?? report;
    return report;
  }

  async #endEpoch(finished: boolean): Promise<Report | undefined> {
    const p = this.progress;
    const { epochs, every } = this.setup;
    const loss = scaled(p.loss, 1 / p.step);
    p.epoch++;
    p.step = 0;
    p.loss = { energy: 0, forces: 0, stress: 0 };
    const errors = errorsOf(p.errors);
    p.errors = noErrors();
    if (finished) p.ended = "converged";
    else if (p.epoch === epochs) p.ended = "epochs";
    if (p.epoch % every !== 0 && !p.ended) return undefined;
    const validation = await this.#validate();
    const better = validation !== null && (p.bestScore === null || validation.score < p.bestScore);
    // Without a validation set the last parameters are kept: λ_E rises, so the loss of one epoch is no match for another's.
    if (better || !validation) this.#keep(validation?.score ?? null);
    if (validation) this.#follow(better);
    const report = this.#report("validation", loss, errors, validation, better);
    p.history.push(report);
    return report;
  }

  #keep(score: number | null): void {
    this.best.set(this.optimiser.judged);
    this.progress.bestScore = score;
    this.progress.bestEpoch = this.progress.epoch;
  }

  /** What follows from progress or its lack. */
  #follow(better: boolean): void {
    const p = this.progress;
    const { plateau, patience, schedule } = this.setup.options;
    p.sinceBest = better ? 0 : p.sinceBest + 1;
    p.stalled = better ? 0 : p.stalled + 1;
    if (schedule === "plateau" && p.stalled >= plateau) {
      p.factor /= 2;
      p.stalled = 0;
    }
    if (patience !== null && p.sinceBest >= patience) p.ended ??= "patience";
  }

  #done(): number {
    const { optimiser, progress, setup } = this;
    return optimiser.progress?.done ?? progress.steps / (setup.epochs * optimiser.steps);
  }

  /** What is reported while a solution is looked at once more. */
  look(): Report {
    return this.#report("step", { energy: 0, forces: 0, stress: 0 }, null, null, false);
  }

  async #validate(): Promise<Judgement | null> {
    const { gradients, validation, validationFrames, data, options } = this.setup;
    if (validationFrames.length === 0) return null;
    gradients.parameters.set(this.optimiser.judged);
    gradients.changed();
    await gradients.predict(validation);
    return judge(data, validationFrames, options);
  }

  #report(
    kind: Report["kind"],
    loss: LossParts,
    errors: SetErrors | null,
    validation: Judgement | null,
    best: boolean,
  ): Report {
    const { epoch, steps, rate } = this.progress;
    const { epochs } = this.setup;
    const done = this.#done();
    const { name = null, detail } = this.optimiser.progress ?? {};
    const here = (performance.now() - this.#began) / 1000;
    return {
      kind,
      epoch,
      epochs,
      steps,
      rate,
      loss,
      train: errors,
      validation,
      best,
      seconds: this.#seconds(),
      left: done > this.#doneBefore ? (here * (1 - done)) / (done - this.#doneBefore) : null,
      done,
      stage: name,
      ...(detail !== undefined && { detail }),
    };
  }

  get result(): Trained {
    const { bestEpoch, ended, history } = this.progress;
    return { parameters: this.best, bestEpoch, why: ended!, history };
  }
}

/** How many epochs the training of a checkpoint has in all. */
export const resumedEpochs = (checkpoint: Uint8Array | StoredCheckpoint): number =>
  (storedCheckpoint(checkpoint).meta as Progress).epochs;

/** Seconds between two reports of kind "step". */
const WATCH = 0.2;

/**
 * Trains, and reports as it goes; the caller may pause between reports or stop with `return()`. A checkpoint is
 * saved every `saveEvery` seconds and whenever the training is left, and going on from any of them gives the bits of
 * a training that was never interrupted.
 */
export async function* train(setup: Training): AsyncGenerator<Report, Trained> {
  const trainer = new Trainer(setup);
  const { progress } = trainer;
  let reported = performance.now();
  try {
    while (!progress.ended) {
      // a step needs the parameters of the one before
      const report = await trainer.advance();
      // the state must not change while it is saved
      await trainer.saveWhenDue();
      if (report.kind === "step" && performance.now() - reported < 1000 * WATCH) continue;
      // signals and timers have their turn; on one thread nothing else waits
      await new Promise((resolve) => setTimeout(resolve, 0));
      reported = performance.now();
      yield report;
    }
    const concluding = trainer.optimiser.conclude?.();
    // one look after another
    let next = await concluding?.next();
    for (; next && !next.done; next = await concluding!.next()) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      yield trainer.look();
    }
    return { ...trainer.result, ...(next && { leastSquares: next.value }) };
  } finally {
    await trainer.save();
  }
}
