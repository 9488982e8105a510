import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { invalid } from "../error.ts";

/** How often the others' hills are looked for, ms. */
const PATIENCE = 4;

/** Whole lines of a file that grows. */
class Lines {
  readonly path: string;
  readonly all: string[] = [];
  /** Bytes of the whole lines. */
  length = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** Takes what has been added. */
  look(): void {
    if (!existsSync(this.path)) return;
    const added = statSync(this.path).size - this.length;
    if (added <= 0) return;
    const bytes = Buffer.alloc(added);
    const file = openSync(this.path, "r");
    const got = readSync(file, bytes, 0, added, this.length);
    closeSync(file);
    const end = bytes.subarray(0, got).lastIndexOf(10) + 1;
    if (end === 0) return;
    this.length += end;
    this.all.push(...bytes.toString("utf8", 0, end - 1).split("\n"));
  }
}

/**
 * Where walkers of metadynamics, each a process of its own, lay out their hills: one file each, one line a round, never cut
 * back. A walker goes on when all others' lines of the round are there; one that was broken off meets its own old lines
 * again and must agree with them, so that all may be broken off and go on in any order.
 */
export class HillBoard {
  readonly #files: readonly Lines[];
  readonly #own: number;

  /** Files of all walkers, and which is this one's, from 0 on. */
  constructor(paths: readonly string[], own: number) {
    this.#files = paths.map((path) => new Lines(path));
    this.#own = own;
  }

  get walkers(): number {
    return this.#files.length;
  }

  /** Lays out a hill of a round, from 1 on, and waits for those of the others; undefined if `stopped` before. */
  async exchange(
    round: number,
    hill: Float64Array,
    stopped: () => boolean,
  ): Promise<readonly Float64Array[] | undefined> {
    this.#post(round, hill.join(" "));
    for (;;) {
      const found = this.rounds(round);
      if (found) return found;
      if (stopped()) return undefined;
      // oxlint-disable-next-line no-await-in-loop -- waits for the others
      await new Promise((resolve) => setTimeout(resolve, PATIENCE));
    }
  }

  /** The hills of one round, in the order of the walkers; undefined while one is missing. */
  rounds(round: number): readonly Float64Array[] | undefined {
    for (const file of this.#files) if (file.all.length < round) file.look();
    if (this.#files.some((file) => file.all.length < round)) return undefined;
    return this.#files.map((file) => Float64Array.from(file.all[round - 1].split(" "), Number));
  }

  #post(round: number, line: string): void {
    const own = this.#files[this.#own];
    own.look();
    const before = own.all[round - 1];
    if (before === line) return;
    if (before !== undefined || own.all.length !== round - 1)
      throw invalid(`${own.path}:${round}`, `the hill of this very run, ${line}`, before ?? "none");
    // Half a line may be left of a walker that was killed.
    if (existsSync(own.path)) truncateSync(own.path, own.length);
    const file = openSync(own.path, "a");
    writeSync(file, `${line}\n`);
    closeSync(file);
    own.look();
  }
}

/** All hills that walkers have laid out, [rounds · walkers, variables + 1], in the order in which they were laid. */
export function laidHills(paths: readonly string[]): Float64Array {
  const files = paths.map((path) => readFileSync(path, "utf8").split("\n").slice(0, -1));
  const rounds = Math.min(...files.map((lines) => lines.length));
  const all = Array.from({ length: rounds }, (_, r) =>
    files.flatMap((lines) => lines[r].split(" ").map(Number)),
  );
  return Float64Array.from(all.flat());
}
