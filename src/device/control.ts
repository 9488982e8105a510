import type { Failure } from "./failure.ts";
import { describe, revive } from "./failure.ts";
import type { Memory } from "./memory.ts";

/** Words of 32 bits, each group on a cache line of its own. */
const BELL = 0;
const OPEN = 16;
const JOB = 17;
const CHUNKS = 18;
const NEXT = 32;
const INSIDE = 48;
const FAILED = 64;
const FAILED_LENGTH = 65;
const MAIL = 80;
/** Bytes kept for the description of an error. */
const FAILURE_BYTES = 16384;
/** How long a thread looks before it goes to sleep, ms: about what waking it again costs. */
const SPIN = 0.03;

/**
 * The words in shared memory by which threads work together.
 *
 * A job is open from `open` to `close`. A thread that hears the bell enters (counts itself in), and only if the job
 * is open then takes chunks; the caller closes the job when no chunk is left and waits until nobody is inside.
 * Either the thread sees the job closed or the caller sees the thread inside, so a thread that wakes late is never
 * waited for and never takes a chunk of a job it does not know.
 */
export class Control {
  readonly address: number;
  private readonly words: Int32Array;
  private readonly text: Uint8Array;

  constructor(memory: Memory, threads: number, address = memory.alloc(Control.bytes(threads))) {
    const words = MAIL + threads;
    this.address = address;
    this.words = memory.i32(address, words);
    this.text = memory.u8(address + 4 * words, FAILURE_BYTES);
  }

  private static bytes(threads: number): number {
    return 4 * (MAIL + threads) + FAILURE_BYTES;
  }

  /** Starts job `job` of `chunks` chunks: every thread that is asleep or looking hears of it. */
  open(job: number, chunks: number): void {
    const { words } = this;
    words[JOB] = job;
    words[CHUNKS] = chunks;
    words[FAILED] = 0;
    Atomics.store(words, NEXT, 0);
    Atomics.store(words, OPEN, 1);
    this.ring();
  }

  /** Nobody enters any more. */
  close(): void {
    Atomics.store(this.words, OPEN, 0);
  }

  /** The number of threads still inside. */
  get inside(): number {
    return Atomics.load(this.words, INSIDE);
  }

  /** Enters the job that is open, if one is, runs `work` and leaves. */
  enter(work: (job: number) => void): void {
    const { words } = this;
    Atomics.add(words, INSIDE, 1);
    try {
      if (Atomics.load(words, OPEN) === 1) work(words[JOB]);
    } finally {
      if (Atomics.sub(words, INSIDE, 1) === 1) Atomics.notify(words, INSIDE);
    }
  }

  /** Takes chunks until none is left. After an error, on any thread, no further chunk is begun. */
  drain(run: (chunk: number) => void): void {
    const { words } = this;
    const chunks = words[CHUNKS];
    try {
      for (;;) {
        const chunk = Atomics.add(words, NEXT, 1);
        if (chunk >= chunks) return;
        run(chunk);
      }
    } catch (error) {
      Atomics.store(words, NEXT, chunks);
      throw error;
    }
  }

  /** Leaves the description of an error for the caller; the first one counts. */
  fail(thrown: unknown, thread: number): void {
    if (Atomics.compareExchange(this.words, FAILED, 0, 1) !== 0) return;
    const bytes = this.encode(describe(thrown), thread);
    this.text.set(bytes);
    this.words[FAILED_LENGTH] = bytes.length;
  }

  /** The error that a thread left, if any. */
  get failure(): Error | undefined {
    if (Atomics.load(this.words, FAILED) === 0) return undefined;
    // TextDecoder does not take shared memory: `slice` copies.
    const text = new TextDecoder().decode(Uint8Array.from(this.text.subarray(0, this.words[FAILED_LENGTH])));
    const { failure, thread } = JSON.parse(text) as { failure: Failure; thread: number };
    return revive(failure, thread);
  }

  /** Announces one message to a thread, which leaves its sleep to read it. */
  mail(thread: number): void {
    Atomics.add(this.words, MAIL + thread, 1);
    this.ring();
  }

  /** Looks for an open job, or sleeps, until there are more messages than the `read` ones. */
  attend(thread: number, read: number, work: (job: number) => void): void {
    const { words } = this;
    for (;;) {
      const heard = Atomics.load(words, BELL);
      if (Atomics.load(words, MAIL + thread) !== read) return;
      if (Atomics.load(words, OPEN) === 1) this.enter(work);
      if (!this.look(BELL, heard)) Atomics.wait(words, BELL, heard);
    }
  }

  /** Waits, at most `timeout` ms, until nobody is inside; only where a thread may block. */
  waitUntilEmpty(timeout: number): boolean {
    const before = this.inside;
    if (before === 0 || this.look(INSIDE, before)) return this.inside === 0;
    Atomics.wait(this.words, INSIDE, before, timeout);
    return this.inside === 0;
  }

  /** The same without blocking. */
  async waitUntilEmptyAsync(timeout: number): Promise<boolean> {
    const before = this.inside;
    if (before === 0 || this.look(INSIDE, before)) return this.inside === 0;
    const waiting = Atomics.waitAsync(this.words, INSIDE, before, timeout);
    if (waiting.async) await waiting.value;
    return this.inside === 0;
  }

  private ring(): void {
    Atomics.add(this.words, BELL, 1);
    Atomics.notify(this.words, BELL);
  }

  /** Looks at a word for a short while; true when it is no longer `value`. */
  private look(word: number, value: number): boolean {
    const end = performance.now() + SPIN;
    do {
      for (let i = 0; i < 100; i++) if (Atomics.load(this.words, word) !== value) return true;
    } while (performance.now() < end);
    return false;
  }

  private encode(failure: Failure, thread: number): Uint8Array {
    const encode = (f: Failure) => new TextEncoder().encode(JSON.stringify({ failure: f, thread }));
    const whole = encode(failure);
    if (whole.length <= FAILURE_BYTES) return whole;
    const short = (s: string) => s.slice(0, FAILURE_BYTES / 16);
    return encode({ name: failure.name, message: short(failure.message), stack: short(failure.stack) });
  }
}
