import type { Memory } from "../device/memory.ts";
import type { Task, Thread } from "../device/pool.ts";
import type { Batch, Labels, Term, Trainable } from "../potentials/potential.ts";
import type { Device } from "../device/device.ts";
import { Random } from "../math/random.ts";
import { addErrors, ERROR_SUMS } from "./errors.ts";
import { frameLoss, type LossWeights } from "./loss.ts";
import { CHOICE, observeBlock, readChoice, type ObservationChoice } from "./observations.ts";
import { PackedFrames, type PackedAddress } from "./packed.ts";

/** Makes the trainable term on a thread, from plain data. */
export type BuildTrainable = (term: Term, elements: readonly number[], device: Device) => Trainable;

/**
 * Numbers per slot besides its gradient: the parts of the loss, the bad frame + 1 (0: none), its quantity, 1 for a bad
 * gradient, rows of observations in use, sums of errors (see errors.ts).
 */
export const SLOT = {
  energy: 0,
  forces: 1,
  stress: 2,
  badFrame: 3,
  badQuantity: 4,
  badGradient: 5,
  observations: 6,
  errors: 8,
  size: 8 + ERROR_SUMS,
} as const;

/** What a slot is asked for. */
export const WORK = { predict: 0, gradient: 1, observe: 2 } as const;

/** What can stop being finite, in the order of `badQuantity`. */
export const QUANTITY_NAMES = ["energy", "forces", "virial", "gradient"] as const;

/** Where everything lies that threads share in one step: plain data. */
export interface Board {
  /** Length P of the parameters. */
  readonly parameters: number;
  readonly slots: number;
  /** Gradients that a slot has room for: 1, or the observations of one group. */
  readonly rows: number;
  /** Byte address of the block. */
  readonly address: number;
}

/** What every thread is sent once. */
export interface GradientSpec {
  readonly term: Term;
  readonly elements: readonly number[];
  readonly data: PackedAddress;
  /** Frames of group g are members[starts[g]] … members[starts[g+1]]: the unit of work, fixed for the whole fit. */
  readonly starts: Int32Array;
  readonly members: Int32Array;
  readonly board: Board;
  /** Bytes of features that one thread may keep. */
  readonly cache: number;
  readonly threads: number;
}

/** Views of the shared block. */
export class BoardViews {
  /** Current parameters, [P]. */
  readonly parameters: Float64Array;
  /** Sum of the gradients, [P], and gradients of the slots, [slots·rows, P]; a zero more where P is odd. */
  readonly sum: Float64Array;
  readonly gradients: readonly Float64Array[];
  /** Scaled error of each observation, [slots·rows]. */
  readonly errors: Float64Array;
  /** See SLOT, [slots, SLOT.size]. */
  readonly sums: Float64Array;
  /** Which observations to make: see CHOICE. */
  readonly choice: Float64Array;
  /** λ_E, λ_F, λ_S, Huber threshold, 1/Σw of the step. */
  readonly lambda: Float64Array;
  /** 0: version of the parameters, 1: what to do, see WORK, 2: slots in use. */
  readonly control: Int32Array;
  /** Group of each slot. */
  readonly group: Int32Array;
  /** 1 once a thread has taken the slot. */
  readonly taken: Int32Array;

  constructor(memory: Memory, { parameters, slots, rows, address }: Board) {
    let at = address;
    const real = (n: number) => memory.f64((at += 8 * n) - 8 * n, n);
    const even = parameters + (parameters % 2);
    this.parameters = real(even).subarray(0, parameters);
    this.sum = real(even);
    this.gradients = Array.from({ length: slots * rows }, () => real(even));
    this.errors = real(slots * rows);
    this.choice = real(CHOICE.size);
    this.sums = real(SLOT.size * slots);
    this.lambda = real(5);
    this.control = memory.i32(at, 3);
    this.group = memory.i32(at + 12, slots);
    this.taken = memory.i32(at + 12 + 4 * slots, slots);
  }

  /** Reserves a block. */
  static reserve(memory: Memory, parameters: number, slots: number, rows: number): Board {
    const reals = (parameters + 2) * (slots * rows + 2) + CHOICE.size + SLOT.size * slots + 5;
    return { parameters, slots, rows, address: memory.alloc(8 * reals + 4 * (3 + 2 * slots)) };
  }
}

const labelArrays = (structures: number, atoms: number): Labels => ({
  energies: new Float64Array(structures),
  forces: new Float64Array(3 * atoms),
  virials: new Float64Array(9 * structures),
});

/** One thread's own objects: the model, the batches it keeps, and room for labels. */
class Worker {
  readonly #spec: GradientSpec;
  readonly #board: BoardViews;
  readonly #data: PackedFrames;
  readonly #model: Trainable;
  readonly #thread: Thread;
  readonly #kept = new Map<number, Batch>();
  #keptBytes = 0;
  #version = -1;
  #out = labelArrays(0, 0);
  #seeds = labelArrays(0, 0);

  constructor(build: BuildTrainable, thread: Thread, spec: GradientSpec) {
    this.#spec = spec;
    this.#thread = thread;
    this.#board = new BoardViews(thread.device.memory, spec.board);
    this.#data = new PackedFrames(thread.device.memory, spec.data);
    this.#model = build(spec.term, spec.elements, thread.device);
  }

  /** Does one slot: one of this thread's own groups if any is left, else any. */
  work(): void {
    const board = this.#board;
    if (this.#version !== board.control[0]) {
      this.#model.parameters.set(board.parameters);
      this.#version = board.control[0];
    }
    const slot = this.#take(true) ?? this.#take(false);
    if (slot === undefined) throw new Error("more chunks than slots (this is a bug, please report it)");
    this.#run(slot, board.group[slot]);
  }

  #owns(group: number): boolean {
    return group % this.#spec.threads === this.#thread.index;
  }

  #take(own: boolean): number | undefined {
    const { group, taken, control } = this.#board;
    for (let s = 0; s < control[2]; s++)
      if ((!own || this.#owns(group[s])) && Atomics.compareExchange(taken, s, 0, 1) === 0) return s;
    return undefined;
  }

  /** Groups of this thread are kept while there is room; a group taken from another thread is made and dropped. */
  #batch(group: number, frames: Int32Array): Batch {
    const known = this.#kept.get(group);
    if (known) return known;
    const cacheFeatures = this.#owns(group) && this.#keptBytes < this.#spec.cache;
    const batch = this.#model.batch(
      Array.from(frames, (f) => this.#data.structure(f)),
      { cacheFeatures },
    );
    if (cacheFeatures) {
      this.#kept.set(group, batch);
      this.#keptBytes += batch.bytes;
    }
    return batch;
  }

  #run(slot: number, group: number): void {
    const frames = this.#spec.members.subarray(this.#spec.starts[group], this.#spec.starts[group + 1]);
    const batch = this.#batch(group, frames);
    if (this.#out.energies.length !== batch.structures || this.#out.forces.length !== 3 * batch.atoms) {
      this.#out = labelArrays(batch.structures, batch.atoms);
      this.#seeds = labelArrays(batch.structures, batch.atoms);
    }
    const work = this.#board.control[1];
    const lambda = this.#lambda();
    const forces = work === WORK.predict || lambda.forces > 0 || lambda.stress > 0;
    this.#model.forward(batch, this.#out, { forces });
    const sums = this.#board.sums.subarray(SLOT.size * slot, SLOT.size * (slot + 1)).fill(0);
    this.#findBad(frames, forces, sums);
    if (work === WORK.predict) return this.#publish(frames);
    this.#seed(frames, lambda, sums);
    if (work === WORK.observe) return this.#observe(slot, frames, batch, lambda);
    this.#differentiate(slot * this.#spec.board.rows, batch, forces, sums);
  }

  /** The gradient of the seeds, written to a row of the board. */
  #differentiate(row: number, batch: Batch, forces: boolean, sums: Float64Array): void {
    const gradient = this.#board.gradients[row].fill(0);
    this.#model.parameterGradient(batch, this.#seeds, gradient.subarray(0, this.#board.parameters.length), {
      forces,
    });
    // One number tells: a sum with a term that is not finite is not finite.
    let total = 0;
    for (let k = 0; k < gradient.length; k++) total += gradient[k];
    if (!Number.isFinite(total)) sums[SLOT.badGradient] = 1;
  }

  /** Rows of the measurement matrix, each one pass with the seeds of one observation, and their errors. */
  #observe(slot: number, frames: Int32Array, batch: Batch, lambda: LossWeights): void {
    const { rows } = this.#spec.board;
    const sums = this.#board.sums.subarray(SLOT.size * slot, SLOT.size * (slot + 1));
    const choice = readChoice(this.#board.choice);
    for (const array of Object.values(this.#seeds) as Float64Array[]) array.fill(0);
    const use = (error: number, forces: boolean) => {
      const row = slot * rows + sums[SLOT.observations]++;
      if (row >= (slot + 1) * rows) throw new Error("more observations than rows (this is a bug)");
      this.#board.errors[row] = error;
      this.#differentiate(row, batch, forces, sums);
    };
    for (let k = 0, atom = 0; k < frames.length; atom += this.#data.size(frames[k]), k++)
      this.#observeFrame(k, atom, frames, lambda, choice, use);
  }

  #observeFrame(
    k: number,
    atom: number,
    frames: Int32Array,
    lambda: LossWeights,
    choice: ObservationChoice,
    use: (error: number, forces: boolean) => void,
  ): void {
    const f = frames[k];
    const [w, n, labels] = [this.#data.weights[f], this.#data.size(f), this.#data.labels(f)];
    const out = this.#part(this.#out, frames, k, atom);
    const seeds = this.#part(this.#seeds, frames, k, atom);
    const random = new Random(choice.seed, "observations", choice.epoch, f);
    const observe = (
      what: "energy" | "forces" | "stress",
      p: Float64Array,
      label: Float64Array,
      seed: Float64Array,
      scale: number,
    ) =>
      observeBlock(
        p,
        label,
        seed,
        Math.sqrt(w) * scale,
        choice[what],
        choice.kind,
        choice.trials,
        random,
        (error) => use(error, what !== "energy"),
      );
    const root = 1 / Math.sqrt(n);
    if (labels.energy !== null) {
      const [energies, seed] = [this.#out.energies, this.#seeds.energies].map((x) => x.subarray(k, k + 1));
      observe("energy", energies, Float64Array.of(labels.energy), seed, root * Math.sqrt(lambda.energy));
    }
    if (labels.forces) observe("forces", out.forces, labels.forces, seeds.forces, Math.sqrt(lambda.forces));
    if (labels.virial)
      observe("stress", out.virial, labels.virial, seeds.virial, root * Math.sqrt(lambda.stress));
  }

  #lambda(): LossWeights {
    const [energy, forces, stress, huber] = this.#board.lambda;
    return { energy, forces, stress, huber };
  }

  /** The labels of the k-th frame of the group within the batch's arrays. */
  #part(labels: Labels, frames: Int32Array, k: number, atom: number) {
    return {
      forces: labels.forces.subarray(3 * atom, 3 * (atom + this.#data.size(frames[k]))),
      virial: labels.virials.subarray(9 * k, 9 * k + 9),
    };
  }

  #seed(frames: Int32Array, lambda: LossWeights, sums: Float64Array): void {
    for (let k = 0, atom = 0; k < frames.length; atom += this.#data.size(frames[k]), k++) {
      const f = frames[k];
      const out = this.#part(this.#out, frames, k, atom);
      const seeds = this.#part(this.#seeds, frames, k, atom);
      const parts = { energy: 0, forces: 0, stress: 0 };
      const w = this.#data.weights[f];
      const [n, energy, labels] = [this.#data.size(f), this.#out.energies[k], this.#data.labels(f)];
      addErrors(sums.subarray(SLOT.errors), n, energy, out.forces, out.virial, labels);
      const scale = w * this.#board.lambda[4];
      this.#seeds.energies[k] = frameLoss(
        n,
        energy,
        out.forces,
        out.virial,
        labels,
        lambda,
        scale,
        seeds,
        parts,
      );
      sums[SLOT.energy] += w * parts.energy;
      sums[SLOT.forces] += w * parts.forces;
      sums[SLOT.stress] += w * parts.stress;
    }
  }

  #findBad(frames: Int32Array, forces: boolean, sums: Float64Array): void {
    for (let k = 0, atom = 0; k < frames.length; atom += this.#data.size(frames[k]), k++) {
      const out = this.#part(this.#out, frames, k, atom);
      const bad = [
        !Number.isFinite(this.#out.energies[k]),
        forces && !out.forces.every(Number.isFinite),
        forces && !out.virial.every(Number.isFinite),
      ].indexOf(true);
      if (bad < 0) continue;
      sums[SLOT.badFrame] = frames[k] + 1;
      sums[SLOT.badQuantity] = bad;
      return;
    }
  }

  #publish(frames: Int32Array): void {
    const { energies, forces, virials } = this.#data.predicted;
    for (let k = 0, atom = 0; k < frames.length; atom += this.#data.size(frames[k]), k++) {
      const out = this.#part(this.#out, frames, k, atom);
      energies[frames[k]] = this.#out.energies[k];
      forces.set(out.forces, 3 * this.#data.first[frames[k]]);
      virials.set(out.virial, 9 * frames[k]);
    }
  }
}

/**
 * The pool task `fit.gradient`. Each call does one group of frames into that group's own slot, so no sum depends on
 * which thread does what; the caller adds the slots in order.
 */
export const gradientTask =
  (build: BuildTrainable): Task =>
  (thread, spec) => {
    const worker = new Worker(build, thread, spec as GradientSpec);
    return () => worker.work();
  };
