import type { Potential } from "../potentials/potential.ts";
import { findNeighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";
import { BOHR } from "../structure/units.ts";
import { NumericalError, PeerError } from "../error.ts";
import {
  atomsOf,
  decodePositions,
  encodeForces,
  head,
  HEAD,
  POSITIONS_HEAD,
  wordOf,
} from "./ipi-messages.ts";
import type { Stream } from "./ipi-stream.node.ts";

/** What a client tells of its work. */
export interface Served {
  /** Evaluations so far. */
  readonly evaluations: number;
  /** eV, of the last. */
  readonly energy: number;
}

/** Most bytes of the text that INIT may carry: more is garbage on the wire. */
const LONGEST = 1e7;

/**
 * Gives forces to an i-PI server, ASE's SocketIOCalculator or another program until it says EXIT: the client's side of
 * the protocol. `template` holds the atoms, in the server's order; positions and cell come from the server.
 */
export async function serveForces(
  stream: Stream,
  template: Structure,
  potential: Potential,
  options: { readonly timeout?: number; readonly watch?: (served: Served) => void } = {},
): Promise<number> {
  const { timeout = 3600, watch } = options;
  const n = template.numbers.length;
  let ready: Uint8Array | undefined;
  let evaluations = 0;
  for (;;) {
    // one message after another
    const word = await nextWord(stream, timeout, evaluations);
    if (word === "EXIT") return evaluations;
    if (word === "STATUS") await stream.write(head(ready ? "HAVEDATA" : "READY"));
    else if (word === "INIT") await skipInit(stream, timeout);
    else if (word === "POSDATA") {
      const start = await stream.read(POSITIONS_HEAD, timeout);
      const atoms = atomsOf(start);
      if (atoms !== n) throw new PeerError(`the server has ${atoms} atoms, the template ${n}`);
      const body = new Uint8Array(POSITIONS_HEAD + 24 * n);
      body.set(start);
      body.set(await stream.read(24 * n, timeout), POSITIONS_HEAD);
      const { answer, energy } = evaluated(body, template, potential);
      ready = answer;
      watch?.({ evaluations: ++evaluations, energy });
    } else if (word === "GETFORCE") {
      if (!ready) throw new PeerError("the server asked for forces before it sent positions");
      await stream.write(ready);
      ready = undefined;
    } else
      throw new PeerError(`the server sent ${JSON.stringify(word)}, which is no message of the protocol`);
  }
}

/** The next message; a server that just leaves after its last answer has said all it wants. */
async function nextWord(stream: Stream, timeout: number, evaluations: number): Promise<string> {
  try {
    return wordOf(await stream.read(HEAD, timeout));
  } catch (error) {
    if (evaluations > 0 && stream.finished) return "EXIT";
    throw error;
  }
}

async function skipInit(stream: Stream, timeout: number): Promise<void> {
  const bytes = await stream.read(8, timeout);
  const length = new DataView(bytes.buffer).getInt32(4, true);
  if (length < 0 || length > LONGEST) throw new PeerError(`the server announces a text of ${length} bytes`);
  await stream.read(length, timeout);
}

function evaluated(body: Uint8Array, template: Structure, potential: Potential) {
  const { cell, positions } = decodePositions(body);
  const structure = { ...template, positions, cell: template.cell && cell };
  const dipole = potential.dipole ? new Float64Array(3) : undefined;
  const out = {
    energy: 0,
    forces: new Float64Array(positions.length),
    virial: new Float64Array(9),
    ...(dipole && { dipole }),
  };
  potential.evaluate(structure, findNeighbours(structure, Math.max(potential.cutoff, 0.1)), out);
  if (!Number.isFinite(out.energy) || !out.forces.every(Number.isFinite))
    throw new NumericalError("the energy or a force is not finite at the positions that the server sent");
  // As i-PI reads it: atomic units.
  const text =
    dipole && potential.dipole ? JSON.stringify({ dipole: Array.from(dipole, (x) => x / BOHR) }) : "";
  return { answer: encodeForces(out, text), energy: out.energy };
}
