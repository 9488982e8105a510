import { invalid } from "../error.ts";
import { formatOf, readFrames, readingOf } from "../io/files.node.ts";
import type { FileOptions } from "../io/files.node.ts";
import { KeySurvey } from "../io/label-keys.ts";
import { applyLabels, planLabels } from "../io/labels.ts";
import type { LabelPlan } from "../io/labels.ts";
import type { Frame } from "../structure/structure.ts";

/** Files read as often as wanted, one frame at a time, so that they need not fit into memory. */
export class FrameStream {
  /** Frames in all files. */
  readonly count: number;
  /** What was decided about keys and units. */
  readonly notes: readonly string[];
  /** Unfinished steps that were left out, one sentence each. */
  readonly left: readonly string[];
  readonly #plans: ReadonlyMap<string, LabelPlan>;
  readonly #options: FileOptions;

  private constructor(
    count: number,
    plans: ReadonlyMap<string, LabelPlan>,
    options: FileOptions,
    left: readonly string[],
  ) {
    this.count = count;
    this.#plans = plans;
    this.#options = options;
    this.left = left;
    const found = [...plans].flatMap(([file, plan]) =>
      [...plan.notes, ...(plan.assumed ? ["taken to be in eV and Å, as nobody stated units"] : [])].map(
        (note) => `${file}: ${note}`,
      ),
    );
    this.notes = [...found, ...left];
  }

  /** Reads the files once to find labels and units. */
  static async open(files: readonly string[], options: FileOptions): Promise<FrameStream> {
    const plans = new Map<string, LabelPlan>();
    const left: string[] = [];
    let count = 0;
    for (const file of files) {
      if (plans.has(file)) throw invalid(file, "each file once", "the same file twice");
      const survey = new KeySurvey();
      // oxlint-disable-next-line no-await-in-loop -- one file after another keeps the memory low
      for await (const frame of readFrames(file, undefined, readingOf(options, left))) survey.add(frame);
      if (survey.frames === 0) throw invalid(file, "at least one frame", "an empty file");
      // oxlint-disable-next-line no-await-in-loop -- one file after another
      const unitsRequired = !(await formatOf(file)).statesUnits;
      plans.set(file, planLabels(survey, { unitsRequired, ...options }, file));
      count += survey.frames;
    }
    return new FrameStream(count, plans, options, left);
  }

  /** Whether all files have the same units. */
  get uniform(): boolean {
    const units = [...this.#plans.values()].map((plan) => `${plan.units.energy},${plan.units.length}`);
    return new Set(units).size === 1;
  }

  /** Frames with labels in internal units. */
  async *labelled(): AsyncGenerator<Frame, void, undefined> {
    for (const [file, plan] of this.#plans)
      for await (const frame of this.#read(file)) yield applyLabels(frame, plan);
  }

  /** Frames as they stand in the files, in the same order. */
  async *raw(): AsyncGenerator<Frame, void, undefined> {
    for (const file of this.#plans.keys()) yield* this.#read(file);
  }

  /** What is left out was noted when the stream was opened. */
  #read(file: string): AsyncGenerator<Frame, void, undefined> {
    return readFrames(file, undefined, readingOf(this.#options, []));
  }
}
