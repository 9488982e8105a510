import type { Device, Kernel } from "../device/device.ts";
import type { Job, Pool } from "../device/pool.ts";
import { NumericalError } from "../error.ts";
import { add, variable } from "../formula/expression.ts";
import type { Term } from "../potentials/potential.ts";
import { ERROR_SUMS } from "./errors.ts";
import { BoardViews, QUANTITY_NAMES, SLOT, WORK, type GradientSpec } from "./gradient-task.ts";
import type { LossParts, LossWeights } from "./loss.ts";
import { writeChoice, type ObservationChoice } from "./observations.ts";
import type { PackedFrames } from "./packed.ts";

/** What a gradient needs besides the pool. */
export interface GradientSetup {
  readonly term: Term;
  readonly elements: readonly number[];
  /** Number of trainable parameters. */
  readonly parameters: number;
  readonly data: PackedFrames;
  /** Frames of each group: the unit of work, the same for any number of threads. */
  readonly groups: readonly (readonly number[])[];
  /** Most groups in one step. */
  readonly slots: number;
  /** Most observations of one group, 1 by default: only who observes needs more. */
  readonly rows?: number;
  /** Bytes of features kept by all threads together. */
  readonly cache: number;
  /** Where a frame came from, for messages. */
  readonly place: (frame: number) => string;
}

/** Observations y of several frames, and how they change with the parameters. */
export interface Observed {
  /** Mean loss per frame, as `gradient` gives it. */
  readonly loss: LossParts;
  /** Number m of observations. */
  readonly count: number;
  /** Label − prediction, scaled, [m]; a view. */
  readonly errors: Float64Array;
  /** Byte address of Hᵀ = ∂y/∂θ, scaled, [m, stride]: the first P numbers of each row count. */
  readonly address: number;
  readonly stride: number;
}

/** x ← x + y, as machine code. */
const addition = (device: Device): Kernel => {
  const [x, y] = [variable("x"), variable("y")];
  return device.compile({ name: "add", varying: ["x", "y"], uniform: [], elementwise: [add(x, y)] });
};

/** Loss, its gradient and predictions of chosen groups of frames, by all threads, with the same bits for any number. */
export class Gradients {
  /** Current parameters, [P]; call `changed` after writing. */
  readonly parameters: Float64Array;
  readonly data: PackedFrames;
  /** The caller's device, and the threads that share its memory. */
  readonly device: Device;
  readonly pool: Pool;
  /** Sums of the errors (see errors.ts) that the last gradient or observation has seen. */
  readonly errors = new Float64Array(ERROR_SUMS);
  readonly #job: Job;
  readonly #board: BoardViews;
  readonly #setup: GradientSetup;
  readonly #slots: number;
  readonly #add: Kernel;

  private constructor(pool: Pool, job: Job, board: BoardViews, setup: GradientSetup) {
    this.pool = pool;
    this.data = setup.data;
    this.device = pool.device;
    this.#add = addition(pool.device);
    this.#job = job;
    this.#board = board;
    this.#setup = setup;
    this.#slots = setup.slots;
    this.parameters = board.parameters;
  }

  /** Sends the model and the groups to every thread; parameters are all zero until written. */
  static async create(pool: Pool, setup: GradientSetup): Promise<Gradients> {
    const { memory } = pool.device;
    const starts = new Int32Array(setup.groups.length + 1);
    setup.groups.forEach((g, k) => (starts[k + 1] = starts[k] + g.length));
    const spec: GradientSpec = {
      term: setup.term,
      elements: setup.elements,
      data: setup.data.address,
      starts,
      members: Int32Array.from(setup.groups.flat()),
      board: BoardViews.reserve(memory, setup.parameters, setup.slots, setup.rows ?? 1),
      cache: setup.cache / pool.threads,
      threads: pool.threads,
    };
    const job = await pool.prepare("fit.gradient", spec);
    return new Gradients(pool, job, new BoardViews(memory, spec.board), setup);
  }

  /** Makes threads see new parameters. */
  changed(): void {
    this.#board.control[0]++;
  }

  /**
   * Loss of the groups (`L` of loss.ts, its three parts) and its gradient, overwritten; many groups are done in
   * rounds. Throws when a number is not finite, naming the frame.
   */
  async gradient(groups: readonly number[], lambda: LossWeights, gradient: Float64Array): Promise<LossParts> {
    const { sum, gradients } = this.#board;
    const rows = this.#setup.rows ?? 1;
    sum.fill(0);
    const parts = await this.#learn(groups, lambda, WORK.gradient, (slot) => {
      const [to, from] = [sum.byteOffset, gradients[slot * rows].byteOffset];
      // The two inputs lie from - to bytes apart; slots are added in their order, whoever filled them.
      this.#add.run(sum.length, to, from - to, 0, to, 0);
    });
    gradient.set(sum.subarray(0, gradient.length));
    return parts;
  }

  /** Observations of at most `slots` groups, in the order of the groups; valid until the next call of any kind. */
  async observe(
    groups: readonly number[],
    lambda: LossWeights,
    choice: ObservationChoice,
  ): Promise<Observed> {
    if (groups.length > this.#slots) throw new RangeError(`at most ${this.#slots} groups at a time`);
    const { errors, gradients, sums } = this.#board;
    const rows = this.#setup.rows ?? 1;
    writeChoice(this.#board.choice, choice);
    let count = 0;
    const loss = await this.#learn(groups, lambda, WORK.observe, (slot) => {
      for (let k = 0; k < sums[SLOT.size * slot + SLOT.observations]; k++, count++) {
        if (count === slot * rows + k) continue;
        errors[count] = errors[slot * rows + k];
        gradients[count].set(gradients[slot * rows + k]);
      }
    });
    const [first] = gradients;
    return {
      loss,
      count,
      errors: errors.subarray(0, count),
      address: first.byteOffset,
      stride: first.length,
    };
  }

  /** Rounds that learn, and the parts of the loss. */
  async #learn(
    groups: readonly number[],
    lambda: LossWeights,
    work: number,
    use: (slot: number) => void,
  ): Promise<LossParts> {
    const total = this.weight(groups);
    this.#board.lambda.set([lambda.energy, lambda.forces, lambda.stress, lambda.huber, 1 / total]);
    const { sums } = this.#board;
    const parts = { energy: 0, forces: 0, stress: 0 };
    this.errors.fill(0);
    await this.#rounds(groups, work, (slot, group) => {
      const at = SLOT.size * slot;
      for (let k = 0; k < ERROR_SUMS; k++) this.errors[k] += sums[at + SLOT.errors + k];
      parts.energy += sums[at + SLOT.energy] / total;
      parts.forces += sums[at + SLOT.forces] / total;
      parts.stress += sums[at + SLOT.stress] / total;
      if (sums[at + SLOT.badGradient] > 0) this.#fail(this.#setup.groups[group], "gradient");
      use(slot);
    });
    return parts;
  }

  /** Writes predictions for the frames of the groups into the packed frames. */
  async predict(groups: readonly number[]): Promise<void> {
    await this.#rounds(groups, WORK.predict, () => undefined);
  }

  /** Sum of the weights of the frames of the groups. */
  weight(groups: readonly number[]): number {
    let sum = 0;
    for (const g of groups) for (const f of this.#setup.groups[g]) sum += this.#setup.data.weights[f];
    return sum;
  }

  async #rounds(
    groups: readonly number[],
    work: number,
    use: (slot: number, group: number) => void,
  ): Promise<void> {
    const { control, group, taken, sums } = this.#board;
    for (let at = 0; at < groups.length; at += this.#slots) {
      const round = groups.slice(at, at + this.#slots);
      control[1] = work;
      control[2] = round.length;
      group.set(round);
      taken.fill(0);
      await this.#job.run(round.length);
      for (let s = 0; s < round.length; s++) {
        const bad = sums[SLOT.size * s + SLOT.badFrame];
        if (bad > 0) this.#fail([bad - 1], QUANTITY_NAMES[sums[SLOT.size * s + SLOT.badQuantity]]);
        use(s, round[s]);
      }
    }
  }

  /** A gradient is a sum over the frames of a group, so that any of them may be to blame. */
  #fail(frames: readonly number[], quantity: (typeof QUANTITY_NAMES)[number]): never {
    const places = frames.map(this.#setup.place);
    const where = places.length > 1 ? `one of ${places.join(", ")}` : places[0];
    throw new NumericalError(
      `${quantity} of ${where} is not finite: the fit ran away; try a smaller training.rate, or look at the frame with the doctor`,
    );
  }
}
