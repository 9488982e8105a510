import type { Work } from "../math/work.ts";
import type { Stage } from "./optimiser.ts";

/** A stage of a solution, and the seconds that it is expected to take. */
export interface Expected {
  readonly name: string;
  readonly seconds: number;
}

/** Of a stage that takes longer than expected nothing more than this share is called done. */
const MOST = 0.98;
/** Milliseconds of work without a look around. */
const SLICE = 50;

/** How far a solution is that goes through stages one after another. */
export class Course {
  readonly #stages: readonly Expected[];
  #present = 0;
  #share: number | null = null;
  #entered = performance.now();

  constructor(stages: readonly Expected[]) {
    this.#stages = stages;
  }

  /** The stage of this name begins, or goes on with a share of it done where that is known. */
  enter(name: string, share: number | null = null): void {
    const next = this.#stages.findIndex((stage) => stage.name === name);
    if (next < 0) throw new TypeError(`no stage "${name}" (this is a bug)`);
    if (next !== this.#present) this.#entered = performance.now();
    this.#present = next;
    this.#share = share;
  }

  get progress(): Stage {
    const { name, seconds } = this.#stages[this.#present];
    const share = this.#share ?? (performance.now() - this.#entered) / 1000 / seconds;
    const before = secondsOf(this.#stages.slice(0, this.#present));
    return { name, done: (before + Math.min(MOST, share) * seconds) / secondsOf(this.#stages) };
  }
}

/** Seconds of all stages. */
export const secondsOf = (stages: readonly Expected[]): number =>
  stages.reduce((sum, { seconds }) => sum + seconds, 0);

/** Goes on with some work for a moment; what it found once it is done. */
export function advance<T>(work: Work<T>): { readonly value: T } | undefined {
  const began = performance.now();
  while (performance.now() - began < SLICE) {
    const { done, value } = work.next();
    if (done) return { value };
  }
  return undefined;
}

/** Does some work, and yields several times a second. */
export async function* inSlices<T>(work: Work<T>): AsyncGenerator<void, T> {
  for (;;) {
    const done = advance(work);
    if (done) return done.value;
    yield;
  }
}
