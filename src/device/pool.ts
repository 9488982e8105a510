import { Control } from "./control.ts";
import type { Device, Precision } from "./device.ts";
import type { Failure } from "./failure.ts";
import { revive } from "./failure.ts";

/** What a task knows of the thread it runs on. */
export interface Thread {
  /** This thread's kernels over the memory that all threads share. */
  readonly device: Device;
  /** 0 is the caller's own thread. */
  readonly index: number;
}

/**
 * A kind of work, built once per thread from a `spec` that can be cloned (structured clone); the function it returns
 * does one chunk. What chunks read and write lies in the device's memory, at addresses that the spec names.
 */
export type Task = (thread: Thread, spec: unknown) => (chunk: number) => void;

/** Tasks by name: the same table on every thread. */
export type Tasks = Readonly<Record<string, Task>>;

/** A task made ready on all threads. */
export interface Job {
  /**
   * Does chunks 0 … chunks-1, each once, on any thread in any order. The first error of any thread stops the job and
   * is thrown here; the pool stays usable. Jobs of one pool run one after another.
   */
  run(chunks: number): Promise<void>;
  /** The same without giving way to the event loop; only where a thread may block (not on a browser's main thread). */
  readonly runSync?: (chunks: number) => void;
}

/** Threads that work on one memory, the caller's own among them. */
export interface Pool {
  readonly threads: number;
  /** The caller's device. */
  readonly device: Device;
  prepare(task: string, spec: unknown): Promise<Job>;
  /** Ends the threads. */
  close(): void;
}

/** What a worker is sent. */
export type Message =
  | {
      readonly kind: "start";
      readonly memory: WebAssembly.Memory;
      readonly deterministic: boolean;
      readonly precision: Precision;
      readonly index: number;
      readonly threads: number;
      readonly control: number;
    }
  | { readonly kind: "prepare"; readonly job: number; readonly task: string; readonly spec: unknown };

/** What a worker answers: that the message was handled, or why not. */
export interface Answer {
  readonly failure?: Failure;
}

/** A worker, whatever the platform calls it. */
export interface Channel {
  post(message: Message): void;
  /** Called with every answer. */
  onAnswer(listener: (answer: Answer) => void): void;
  /** Called when the worker cannot be loaded or has ended. */
  onEnd(listener: (reason: Error) => void): void;
  /** Whether this worker keeps the process alive. */
  keepAlive(alive: boolean): void;
  end(): void;
}

/** Starts worker number `index`. */
export type Start = (index: number) => Channel;

export interface PoolOptions {
  readonly tasks: Tasks;
  readonly device: Device;
  /** Number of threads, the caller's included; all cores by default. */
  readonly threads?: number;
  /** How to start a worker; without it, or without shared memory, the caller works alone. */
  readonly start?: Start;
}

/** More threads than this have never paid on one machine's memory bus. */
const MOST_THREADS = 64;
/** How long to wait for the last chunks before looking whether a thread has died, ms. */
const PATIENCE = 500;

/** The number of threads used unless told otherwise: one per core that the system lets this process use. */
export const defaultThreads = (): number =>
  Math.min(MOST_THREADS, Math.max(1, globalThis.navigator?.hardwareConcurrency ?? 1));

/** Finds a task, or says which there are. */
export const taskNamed = (tasks: Tasks, name: string): Task => {
  if (!Object.hasOwn(tasks, name))
    throw new Error(`there is no task "${name}"; this worker knows: ${Object.keys(tasks).join(", ")}`);
  return tasks[name];
};

/** Whether this thread may block: browsers forbid it on their main thread. */
const canBlock = (): boolean => {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1);
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
};

/** One worker as the pool sees it: messages are answered in order. */
class Worker {
  ended: Error | undefined;
  readonly #channel: Channel;
  readonly #control: Control;
  readonly #index: number;
  readonly #waiting: { resolve: () => void; reject: (reason: Error) => void }[] = [];

  constructor(channel: Channel, control: Control, index: number) {
    this.#channel = channel;
    this.#control = control;
    this.#index = index;
    channel.onAnswer(({ failure }) => {
      const first = this.#waiting.shift()!;
      if (failure) first.reject(revive(failure, index));
      else first.resolve();
      if (this.#waiting.length === 0) channel.keepAlive(false);
    });
    channel.onEnd((reason) => {
      this.ended ??= reason;
      for (const { reject } of this.#waiting.splice(0)) reject(reason);
    });
    channel.keepAlive(false);
  }

  /** Sends a message and waits until it has been handled. */
  async ask(message: Message): Promise<void> {
    if (this.ended) throw this.ended;
    this.#channel.keepAlive(true);
    this.#control.mail(this.#index);
    const answered = new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    this.#channel.post(message);
    await answered;
  }

  end(): void {
    this.ended ??= new Error("the pool is closed");
    for (const { reject } of this.#waiting.splice(0)) reject(this.ended);
    this.#channel.end();
  }
}

/** The caller's end of a pool with workers. */
class SharedPool implements Pool {
  readonly threads: number;
  readonly device: Device;
  readonly #tasks: Tasks;
  readonly #control: Control;
  readonly #workers: readonly Worker[];
  readonly #blocking = canBlock();
  #jobs = 0;
  #last: Promise<unknown> | undefined;

  constructor(tasks: Tasks, device: Device, control: Control, workers: readonly Worker[]) {
    this.#tasks = tasks;
    this.device = device;
    this.#control = control;
    this.#workers = workers;
    this.threads = workers.length + 1;
  }

  async prepare(task: string, spec: unknown): Promise<Job> {
    const build = taskNamed(this.#tasks, task);
    const job = this.#jobs++;
    const answers = this.#workers.map((w) => w.ask({ kind: "prepare", job, task, spec }));
    const settled = Promise.allSettled(answers);
    const work = build({ device: this.device, index: 0 }, spec);
    for (const answer of await settled) if (answer.status === "rejected") throw answer.reason;
    return {
      run: (chunks) => this.#run(job, work, chunks),
      runSync: this.#blocking ? (chunks) => this.#runSync(job, work, chunks) : undefined,
    };
  }

  close(): void {
    for (const worker of this.#workers) worker.end();
  }

  async #run(job: number, work: (chunk: number) => void, chunks: number): Promise<void> {
    while (this.#last) await this.#last;
    const running = this.#complete(job, work, chunks);
    // Whoever waits for its turn is not concerned by this job's errors.
    const turn = running.then(
      () => undefined,
      () => undefined,
    );
    this.#last = turn;
    try {
      await running;
    } finally {
      if (this.#last === turn) this.#last = undefined;
    }
  }

  async #complete(job: number, work: (chunk: number) => void, chunks: number): Promise<void> {
    const own = this.#begin(job, work, chunks);
    while (!(await this.#empty())) {
      // Lets the event loop tell of a worker that has ended.
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.#requireWorkers();
    }
    this.#finish(own);
  }

  #runSync(job: number, work: (chunk: number) => void, chunks: number): void {
    if (this.#last) throw new Error("runSync: another job of this pool is running");
    const own = this.#begin(job, work, chunks);
    while (!this.#control.waitUntilEmpty(PATIENCE));
    this.#finish(own);
  }

  /** Opens the job, takes part in it, closes it; returns this thread's own error. */
  #begin(job: number, work: (chunk: number) => void, chunks: number): { error: unknown } | undefined {
    this.#requireWorkers();
    this.#control.open(job, chunks);
    try {
      this.#control.drain(work);
      return undefined;
    } catch (error) {
      return { error };
    } finally {
      this.#control.close();
    }
  }

  async #empty(): Promise<boolean> {
    if (this.#blocking) return this.#control.waitUntilEmpty(PATIENCE);
    return this.#control.waitUntilEmptyAsync(PATIENCE);
  }

  #finish(own: { error: unknown } | undefined): void {
    if (own) throw own.error;
    const { failure } = this.#control;
    if (failure) throw failure;
  }

  #requireWorkers(): void {
    for (const { ended } of this.#workers) if (ended) throw ended;
  }
}

/** A pool of the caller alone. */
const lonePool = (tasks: Tasks, device: Device): Pool => {
  let closed = false;
  return {
    threads: 1,
    device,
    async prepare(task, spec) {
      const work = taskNamed(tasks, task)({ device, index: 0 }, spec);
      const runSync = (chunks: number) => {
        if (closed) throw new Error("the pool is closed");
        for (let chunk = 0; chunk < chunks; chunk++) work(chunk);
      };
      return { run: async (chunks) => runSync(chunks), runSync };
    },
    close() {
      closed = true;
    },
  };
};

/**
 * Threads over the device's memory. The caller works alone where threads = 1, memory cannot be shared, or no way to
 * start a worker is given; a worker that fails to start is an error.
 */
export const createPool = async (options: PoolOptions): Promise<Pool> => {
  const { tasks, device, threads = defaultThreads(), start } = options;
  if (!(Number.isInteger(threads) && threads >= 1))
    throw new RangeError(`a pool has 1 or more threads, not ${threads}`);
  if (threads === 1 || !device.memory.shared || !start) return lonePool(tasks, device);
  const { memory, deterministic, precision } = device;
  const control = new Control(memory, threads);
  const workers = Array.from({ length: threads - 1 }, (_, i) => new Worker(start(i + 1), control, i + 1));
  const shared = {
    kind: "start",
    memory: memory.memory,
    deterministic,
    precision,
    threads,
    control: control.address,
  } as const;
  try {
    await Promise.all(workers.map((w, i) => w.ask({ ...shared, index: i + 1 })));
  } catch (error) {
    for (const worker of workers) worker.end();
    throw error;
  }
  return new SharedPool(tasks, device, control, workers);
};
