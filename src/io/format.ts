import { InputError } from "../error.ts";
import type { Problem } from "../error.ts";
import type { Frame } from "../structure/structure.ts";

/** Bytes in pieces of any size, from a file, a download or memory. */
export type ByteStream = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** How a file is read. */
export interface ReadOptions {
  /** Told of each step that a calculation has not finished and that is left out; without it, such a step is an error. */
  readonly skipped?: (problem: Problem) => void;
  /** Elements of the kinds of atoms that a format only numbers, in their order. */
  readonly types?: readonly string[];
}

/** A file format for structures and their labels. */
export interface Format {
  readonly name: string;
  readonly summary: string;
  /** Endings of file names, without ".gz", with the dot. */
  readonly extensions: readonly string[];
  /** What survives a trip through the format: "cell", "pbc", "energy", … */
  readonly carries: readonly string[];
  /** Whether the format can hold all of a frame that it carries; all can be held where this is absent. */
  readonly fits?: (frame: Frame) => boolean;
  /** Keys of info and names of arrays that it has places for, where it does not carry all of them. */
  readonly keeps?: readonly string[];
  /** A file holds one frame; writing another is an error. */
  readonly single?: true;
  /** The frame as the format has it, where it turns cells; what is written is this. */
  readonly adapt?: (frame: Frame) => Frame;
  /** The format's own documentation. */
  readonly url: string;
  /** Whether numbers without further word are in eV and Å; if not, the file or the user must say the units. */
  readonly statesUnits: boolean;
  /**
   * Frames of a file, one at a time, in bounded memory, under the file's own keys and in its own units: labels are found
   * by `io/labels.ts`. `file` is the name for error messages. Throws an InputError with all problems, up to MOST_PROBLEMS.
   */
  readonly read?: (
    bytes: ByteStream,
    file: string,
    options?: ReadOptions,
  ) => AsyncGenerator<Frame, void, undefined>;
  /** Bytes of a file with the frames, labels in internal units; reading them gives the same numbers to the bit. */
  readonly write?: (
    frames: AsyncIterable<Frame> | Iterable<Frame>,
  ) => AsyncGenerator<Uint8Array, void, undefined>;
}

/** After so many problems a reader stops looking for more. */
const MOST_PROBLEMS = 20;

/** Problems of one file, thrown together. */
export class Problems {
  readonly list: Problem[] = [];

  /** Notes a problem; the last one that is allowed throws them all. */
  add(place: string, expected: string, found: string): void {
    this.list.push({ place, expected, found });
    if (this.list.length >= MOST_PROBLEMS) this.raise();
  }

  /** Throws when anything was noted. */
  raise(): void {
    if (this.list.length > 0) throw new InputError(this.list);
  }
}
