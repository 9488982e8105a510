import { PeerError } from "../error.ts";
import {
  atomsAnswered,
  decodeForces,
  encodePositions,
  FORCES_HEAD,
  FORCES_TAIL,
  head,
  HEAD,
  wordOf,
} from "./ipi-messages.ts";
import type { Forces } from "./ipi-messages.ts";
import type { Stream } from "./ipi-stream.node.ts";

/** Most bytes of the text that may follow forces: more is garbage on the wire. */
const LONGEST = 1e7;

/** Asks an i-PI client for energy, forces and virial: the server's side of the protocol. */
export async function askForces(
  stream: Stream,
  cell: Float64Array | null,
  positions: Float64Array,
  timeout: number,
): Promise<Forces> {
  const n = positions.length / 3;
  const status = async () => {
    await stream.write(head("STATUS"));
    return wordOf(await stream.read(HEAD, timeout));
  };
  let word = await status();
  if (word === "NEEDINIT") {
    const init = new Uint8Array(HEAD + 9);
    init.set(head("INIT"));
    // Bead 0 and a text of one byte, as i-PI sends.
    new DataView(init.buffer).setInt32(HEAD + 4, 1, true);
    await stream.write(init);
    word = await status();
  }
  if (word !== "READY") throw new PeerError(`the client said ${JSON.stringify(word)} instead of READY`);
  await stream.write(encodePositions(cell, positions));
  word = await status();
  if (word !== "HAVEDATA") throw new PeerError(`the client said ${JSON.stringify(word)} instead of HAVEDATA`);
  await stream.write(head("GETFORCE"));
  word = wordOf(await stream.read(HEAD, timeout));
  if (word !== "FORCEREADY")
    throw new PeerError(`the client said ${JSON.stringify(word)} instead of FORCEREADY`);
  const start = await stream.read(FORCES_HEAD, timeout);
  const atoms = atomsAnswered(start);
  if (atoms !== n) throw new PeerError(`the client answered for ${atoms} atoms instead of ${n}`);
  const body = new Uint8Array(FORCES_HEAD + 24 * n + FORCES_TAIL);
  body.set(start);
  body.set(await stream.read(24 * n + FORCES_TAIL, timeout), FORCES_HEAD);
  const more = new DataView(body.buffer).getInt32(body.length - 4, true);
  if (more < 0 || more > LONGEST) throw new PeerError(`the client announces a text of ${more} bytes`);
  return decodeForces(body, await stream.read(more, timeout));
}

/** Tells a client that it is no longer needed. */
export async function dismiss(stream: Stream): Promise<void> {
  await stream.write(head("EXIT"));
  stream.close();
}
