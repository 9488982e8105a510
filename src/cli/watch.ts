import { join } from "node:path";
import { formatFrame } from "../io/extxyz.ts";
import type { Extrapolation, Guard } from "../potentials/extrapolation/grader.ts";
import type { GradedPotential } from "../potentials/extrapolation/graded.ts";
import type { Structure } from "../structure/structure.ts";
import { writeWhole } from "./files.ts";
import { Harvest } from "./harvest.ts";
import type { HarvestMark, HarvestOptions } from "./harvest.ts";

/** What `surfit md` is told about leaving the training data. */
export interface WatchOptions extends Omit<HarvestOptions, "file"> {
  /** The run ends at this grade; undefined: it goes on. */
  readonly stop?: number;
  readonly harvest?: string;
}

/** What a run saw of it, this call's steps only. */
export interface WatchResult {
  readonly grade: string;
  /** The largest grade and where. */
  readonly largest: number;
  readonly step: number;
  /** Steps with a grade above that of the harvest. */
  readonly noteworthy: number;
  /** Frames added to the harvest, and frames in it. */
  readonly added: number;
  readonly harvested: number;
  /** Why the run ended, where it did. */
  readonly stopped: (Extrapolation & { readonly step: number }) | null;
}

/** Looks at the grades after each step: harvests, and says when to stop. */
export class ExtrapolationWatch {
  readonly #surface: GradedPotential;
  readonly #guard: Guard;
  readonly #options: WatchOptions;
  #harvest: Harvest | null = null;
  #result: WatchResult;
  #stop: Structure | null = null;

  constructor(surface: GradedPotential, guard: Guard, options: WatchOptions) {
    this.#surface = surface;
    this.#guard = guard;
    this.#options = options;
    const { grade } = options;
    this.#result = { grade, largest: 0, step: 0, noteworthy: 0, added: 0, harvested: 0, stopped: null };
  }

  /** Opens the harvest, cut back to where a checkpoint saw it. */
  async open(mark?: HarvestMark): Promise<void> {
    const { harvest: file, grade, above } = this.#options;
    if (file === undefined) return;
    this.#harvest = await Harvest.open(this.#guard, { file, grade, above }, mark);
    this.#result = { ...this.#result, harvested: this.#harvest.frames };
  }

  /** What the checkpoint must know. */
  get mark(): HarvestMark | undefined {
    return this.#harvest?.mark;
  }

  get result(): WatchResult {
    return this.#result;
  }

  /** After the evaluation of a step; true where the run is to stop. */
  after(structure: Structure, step: number, timestep: number): boolean {
    const { stop = Infinity, above } = this.#options;
    const { atom, grade } = this.#surface.worst();
    const before = this.#result;
    if (grade > before.largest) this.#result = { ...before, largest: grade, step };
    if (grade >= above) this.#note(structure, step, timestep);
    if (!(grade >= stop)) return false;
    this.#stop = { ...structure, positions: structure.positions.slice() };
    this.#result = { ...this.#result, stopped: { step, ...this.#guard.explain(structure, atom) } };
    return true;
  }

  #note(structure: Structure, step: number, timestep: number): void {
    const info = { step, time_fs: step * timestep };
    const added = this.#harvest?.offer(structure, this.#surface.grades, info) ?? false;
    this.#result = {
      ...this.#result,
      noteworthy: this.#result.noteworthy + 1,
      added: this.#result.added + Number(added),
      harvested: this.#harvest?.frames ?? 0,
    };
  }

  /** Writes the frame at which the run stopped, with the grades of its atoms; nothing where it did not. */
  async close(folder: string): Promise<void> {
    if (!this.#stop) return;
    const grades = Object.entries(this.#guard.grade(this.#stop));
    const columns = grades.map(
      ([name, values]) => [`${name}_grade`, { kind: "real", width: 1, values }] as const,
    );
    const text = formatFrame({
      structure: this.#stop,
      info: { step: this.#result.stopped!.step },
      arrays: Object.fromEntries(columns),
      place: "extrapolation",
    });
    await writeWhole(join(folder, "extrapolation.xyz"), text);
  }
}
