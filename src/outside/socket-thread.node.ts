/** The entry of the thread that speaks to a client while the main thread waits for its answer. */
import { parentPort, workerData } from "node:worker_threads";
import { askForces, dismiss } from "./ipi-server.node.ts";
import { accept } from "./ipi-stream.node.ts";
import type { Address, Stream } from "./ipi-stream.node.ts";
import { STATE } from "./socket.node.ts";

interface Setup {
  readonly address: Address;
  readonly timeout: number;
  readonly state: Int32Array;
}

interface Question {
  readonly cell: Float64Array | null;
  readonly positions: Float64Array;
  readonly answer: Float64Array;
  readonly message: Uint8Array;
}

const { address, timeout, state } = workerData as Setup;
let connected: Promise<Stream> | undefined;

async function client(): Promise<Stream> {
  const { stream, server } = await accept(address, timeout);
  server.close();
  return stream;
}

async function answer({ cell, positions, answer: numbers }: Question): Promise<void> {
  connected ??= client();
  const { energy, forces, virial, dipole } = await askForces(await connected, cell, positions, timeout);
  numbers[0] = energy;
  numbers.set(virial, 1);
  numbers.set(dipole ?? [NaN, NaN, NaN], 10);
  numbers.set(forces, 13);
}

const tell = (value: number) => {
  Atomics.store(state, 0, value);
  Atomics.notify(state, 0);
};

parentPort!.on("message", (question: Question | "end") => {
  if (question === "end") {
    void (connected ?? Promise.resolve(undefined))
      .then((stream) => stream && dismiss(stream))
      // The client has gone already: there is nobody to dismiss.
      .catch(() => undefined)
      .finally(() => parentPort!.close());
    return;
  }
  answer(question).then(
    () => tell(STATE.answered),
    (error: unknown) => {
      const text = new TextEncoder().encode(error instanceof Error ? error.message : String(error));
      question.message.fill(0).set(text.subarray(0, question.message.length));
      tell(STATE.failed);
    },
  );
});
