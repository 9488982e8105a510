import { parentPort } from "node:worker_threads";
import type { Port } from "./serve.ts";

/** The port of this worker thread of Node. */
export const threadPort = (): Port => {
  const port = parentPort;
  if (!port) throw new Error("this module is the entry of a worker thread");
  return {
    listen: (listener) => void port.on("message", listener),
    answer: (answer) => port.postMessage(answer),
  };
};
