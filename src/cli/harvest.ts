import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { invalid } from "../error.ts";
import { formatFrame, readExtxyz } from "../io/extxyz.ts";
import type { EnvironmentSet } from "../potentials/extrapolation/environment-set.ts";
import type { Guard } from "../potentials/extrapolation/grader.ts";
import { findNeighbours } from "../structure/neighbours.ts";
import type { Neighbours } from "../structure/neighbours.ts";
import type { InfoValue, Structure } from "../structure/structure.ts";

/** Where a harvest stood: what a checkpoint keeps of it. */
export interface HarvestMark {
  readonly file: string;
  /** Bytes. */
  readonly length: number;
}

/** What decides which frames are taken. */
export interface HarvestOptions {
  readonly file: string;
  /** Name of the grade. */
  readonly grade: string;
  /** Atoms of this grade or more are worth a calculation. */
  readonly above: number;
}

/**
 * A file of frames worth a reference calculation. A frame is taken when one of its noteworthy atoms is farther from every
 * atom of the frames taken before than training environments are from each other, and farther than half its distance to
 * the nearest training environment: else what is taken already tells most of what it could. Frames of an earlier run
 * count, so several runs can share a file.
 */
export class Harvest {
  /** Frames in the file. */
  frames = 0;
  readonly #guard: Guard;
  readonly #options: HarvestOptions;
  /** What was taken, by element. */
  readonly #taken: readonly { readonly set: EnvironmentSet; readonly unit: number }[];
  #length = 0;

  private constructor(guard: Guard, options: HarvestOptions) {
    this.#guard = guard;
    this.#options = options;
    this.#taken = Array.from({ length: guard.kinds }, (_, e) => guard.emptySet(e));
  }

  /** Opens the file, at the length that a checkpoint knew if it was the same file; what stands there counts as taken. */
  static async open(guard: Guard, options: HarvestOptions, mark?: HarvestMark): Promise<Harvest> {
    const { file } = options;
    const harvest = new Harvest(guard, options);
    const there = existsSync(file) ? readFileSync(file) : new Uint8Array(0);
    const length = mark?.file === file ? mark.length : there.length;
    if (length > there.length)
      throw invalid(
        file,
        `at least the ${length} bytes that the checkpoint knows of`,
        `${there.length} bytes`,
      );
    const kept = there.subarray(0, length);
    for await (const { structure } of readExtxyz([kept], file)) {
      harvest.#take(structure, findNeighbours(structure, guard.cutoff));
      harvest.frames++;
    }
    harvest.#length = length;
    if (length < there.length) harvest.#replace(kept);
    return harvest;
  }

  get mark(): HarvestMark {
    return { file: this.#options.file, length: this.#length };
  }

  /** Adds the structure, whose atoms have these grades, unless the file has its like; whether it was added. */
  offer(structure: Structure, values: Float64Array, info: Readonly<Record<string, InfoValue>>): boolean {
    const { grade } = this.#options;
    const neighbours = findNeighbours(structure, this.#guard.cutoff);
    if (!this.#isNew(structure, neighbours, values)) return false;
    this.#take(structure, neighbours);
    const text = formatFrame({
      structure,
      info: { ...info, [`largest_${grade}_grade`]: values.reduce((a, b) => Math.max(a, b), 0) },
      arrays: { [`${grade}_grade`]: { kind: "real", width: 1, values } },
      place: this.#options.file,
    });
    this.#append(new TextEncoder().encode(text));
    this.frames++;
    return true;
  }

  /** Whether a noteworthy atom is unlike all that was taken. */
  #isNew(structure: Structure, neighbours: Neighbours, grades: Float64Array): boolean {
    const { above } = this.#options;
    return grades.some((g, i) => {
      if (g < above) return false;
      const { e, G, known } = this.#guard.featuresOf(structure, i, neighbours);
      const { set, unit } = this.#taken[e];
      return set.nearest(G).distance > Math.max(unit, known / 2);
    });
  }

  /** A calculation tells of all atoms of a frame; those that are hardly new need not be kept. */
  #take(structure: Structure, neighbours: Neighbours): void {
    for (let i = 0; i < structure.numbers.length; i++) {
      const { e, G, known } = this.#guard.featuresOf(structure, i, neighbours);
      const { set, unit } = this.#taken[e];
      if (Math.min(known || Infinity, set.nearest(G).distance) > unit / 2) set.add(G);
    }
  }

  /** Readers see the file with the frame or without it, never half of one. */
  #append(bytes: Uint8Array): void {
    const { file } = this.#options;
    const before = existsSync(file) ? readFileSync(file).subarray(0, this.#length) : new Uint8Array(0);
    this.#replace(before, bytes);
  }

  #replace(...parts: readonly Uint8Array[]): void {
    const { file } = this.#options;
    mkdirSync(dirname(file), { recursive: true });
    const temporary = join(dirname(file), `.${basename(file)}.${process.pid}.tmp`);
    const handle = openSync(temporary, "w");
    try {
      for (const part of parts) for (let done = 0; done < part.length;) done += writeSync(handle, part, done);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, file);
    this.#length = parts.reduce((sum, part) => sum + part.length, 0);
  }
}
