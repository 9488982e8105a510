import { Worker } from "node:worker_threads";
import type { Answer, Start } from "./pool.ts";

/** This module's own suffix: .ts from the sources, .js in the built package. */
const suffix = import.meta.url.slice(import.meta.url.lastIndexOf("."));

/** The entry of a worker thread: the one with surfit's tasks by default. */
const ownEntry = (): URL => new URL(`../worker.node${suffix}`, import.meta.url);

/** Room for objects that do not live long, MiB: kernels make few, and the engine would take 100 for each thread. */
const YOUNG = 16;

/** Starts workers as threads of Node from the module `entry`, which calls `serve`. */
export const startThreads =
  (entry: URL = ownEntry()): Start =>
  (index) => {
    // No inherited flags: those of `node --input-type … --eval` would make the entry unreadable.
    const resourceLimits = { maxYoungGenerationSizeMb: YOUNG };
    const worker = new Worker(entry, { name: `surfit ${index}`, execArgv: [], resourceLimits });
    return {
      post: (message) => worker.postMessage(message, []),
      onAnswer: (listener) => void worker.on("message", (answer: Answer) => listener(answer)),
      onEnd: (listener) => {
        worker.on("error", (error) => listener(error instanceof Error ? error : new Error(String(error))));
        worker.on("exit", (code) =>
          listener(new Error(`worker thread ${index} has ended with code ${code}`)),
        );
      },
      keepAlive: (alive) => (alive ? worker.ref() : worker.unref()),
      end: () => void worker.terminate(),
    };
  };
