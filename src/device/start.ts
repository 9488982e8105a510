import type { Answer, Message, Start } from "./pool.ts";
import type { Port } from "./serve.ts";

/**
 * Starts workers of a browser; undefined where there are none. `make` creates one from a module that calls `serve`;
 * by default the one with surfit's tasks, in the form that bundlers recognise and need no eval or blob for.
 */
export const startWorkers = (make?: () => Worker): Start | undefined => {
  if (typeof Worker === "undefined") return undefined;
  const create = make ?? (() => new Worker(new URL("../worker.js", import.meta.url), { type: "module" }));
  return (index) => {
    const worker = create();
    return {
      post: (message) => worker.postMessage(message, []),
      onAnswer: (listener) =>
        worker.addEventListener("message", (e: MessageEvent<Answer>) => listener(e.data)),
      onEnd: (listener) =>
        worker.addEventListener("error", (e) => {
          listener(new Error(`worker ${index}: ${e.message || "its script cannot be loaded"}`));
        }),
      keepAlive: () => undefined,
      end: () => worker.terminate(),
    };
  };
};

/** The port of this worker of a browser. */
export const workerPort = (): Port => ({
  listen: (listener) =>
    globalThis.addEventListener("message", (e: MessageEvent<Message>) => listener(e.data)),
  answer: (answer) => globalThis.postMessage(answer, {}),
});
