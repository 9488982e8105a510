import { Control } from "./control.ts";
import { createDevice } from "./device.ts";
import { describe } from "./failure.ts";
import { Memory } from "./memory.ts";
import type { Answer, Message, Tasks, Thread } from "./pool.ts";
import { taskNamed } from "./pool.ts";

/** The worker's end of a channel. */
export interface Port {
  listen(listener: (message: Message) => void): void;
  answer(answer: Answer): void;
}

/** What a worker has once it was started. */
interface Server {
  readonly thread: Thread;
  readonly control: Control;
  readonly jobs: Map<number, (chunk: number) => void>;
}

const begin = (message: Message & { kind: "start" }): Server => {
  const memory = new Memory({ memory: message.memory });
  const device = createDevice({ memory, deterministic: message.deterministic, precision: message.precision });
  const control = new Control(memory, message.threads, message.control);
  return { thread: { device, index: message.index }, control, jobs: new Map() };
};

const work = ({ thread, control, jobs }: Server, job: number): void => {
  try {
    control.drain(jobs.get(job)!);
  } catch (error) {
    control.fail(error, thread.index);
  }
};

/** Serves one pool as a worker: handles messages, and between them works on, or waits for, jobs. */
export const serve = (tasks: Tasks, port: Port): void => {
  let server: Server | undefined;
  let read = 0;
  const handle = (message: Message): void => {
    if (message.kind === "start") server = begin(message);
    else server!.jobs.set(message.job, taskNamed(tasks, message.task)(server!.thread, message.spec));
  };
  port.listen((message) => {
    read++;
    try {
      handle(message);
      port.answer({});
    } catch (error) {
      port.answer({ failure: describe(error) });
    }
    if (server) server.control.attend(server.thread.index, read, (job) => work(server!, job));
  });
};
