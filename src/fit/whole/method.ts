import type { ZodType } from "zod";
import type { Pool } from "../../device/pool.ts";
import type { Term, Trainable } from "../../potentials/potential.ts";
import type { Device } from "../../device/device.ts";
import type { Frame } from "../../structure/structure.ts";
import type { LearnedTerm } from "../learned.ts";
import type { RowsPlan } from "../least-squares/prepare.ts";
import type { PackedFrames } from "../packed.ts";
import type { Written } from "../checkpoint.ts";
import type { Stage } from "../optimiser.ts";
import type { WholeOutcome } from "./outcome.ts";

/** What a model of whole molecules starts from. */
export interface WholeStart {
  /** Name and options of the descriptor, as they were given. */
  readonly descriptor: Readonly<Record<string, unknown>> & { readonly name: string };
  /** Training frames, what is known taken away. */
  readonly training: readonly Frame[];
  readonly elements: readonly number[];
  readonly device: Device;
  readonly seed: number;
}

/** What it is solved from. */
export interface WholeInput {
  readonly pool: Pool;
  readonly term: Term;
  readonly model: Trainable;
  /** Numbers of the training frames among the packed ones. */
  readonly train: readonly number[];
  readonly data: PackedFrames;
  readonly seed: number;
}

/** A solution under way: steps until one says that it is finished. */
export interface WholeSolver {
  /** At most so many steps; where they take different times, `progress` tells how far it is. */
  readonly steps: number;
  readonly progress?: Stage;
  /** Parameters of the term, [P], once finished. */
  readonly parameters: Float64Array;
  /** `loss` is what was minimised, once finished. */
  step(): Promise<{ readonly finished: boolean; readonly loss: number }>;
  save(): Record<string, Float64Array | Written>;
  load(arrays: Readonly<Record<string, Float64Array>>): void;
  /**
   * The finished term, and what the fit says of itself. The packed frames hold predictions; validation and test frames
   * tell how good standard deviations are.
   */
  conclude(
    validation: readonly number[],
    test: readonly number[],
  ): Promise<{ term: Term; outcome: WholeOutcome }>;
}

/** What the table of such models holds: `model.regressor.name` may name them, with a descriptor of whole molecules. */
export interface WholeMethod<Options = unknown> {
  readonly name: string;
  readonly summary: string;
  readonly options: ZodType<Options>;
  /** Chooses what is left open from the data; nothing is solved. */
  start(options: Options, input: WholeStart): LearnedTerm;
  /** Reserves memory, and tells what will be needed. */
  prepare(options: Options, input: WholeInput): Promise<{ solver: WholeSolver; plan: RowsPlan }>;
  /** Memory beside everything else, MiB. */
  room(options: Options): number;
}
