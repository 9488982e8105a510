import { Worker } from "node:worker_threads";
import { PeerError } from "../error.ts";
import type { Potential } from "../potentials/potential.ts";
import type { Address } from "./ipi-stream.node.ts";
import { addMoment, isMoment } from "./moment.ts";
import { refusePart } from "./xtb.node.ts";

/** What the state of a question is. */
export const STATE = { asked: 0, answered: 1, failed: 2 } as const;

/** A potential whose forces an outside program gives. */
export interface SocketPotential extends Potential {
  /** Dismisses the program. */
  close(): void;
}

const suffix = import.meta.url.slice(import.meta.url.lastIndexOf("."));

/**
 * Any program that speaks the i-PI protocol as a client (CP2K, Quantum ESPRESSO, FHI-aims, DFTB+, LAMMPS, ASE …) as a
 * potential: surfit listens at the address and asks. A thread speaks while this one waits, so that an evaluation is a
 * plain call; a client that does not come or answer in `timeout` seconds is an error. A client that tells a dipole, as
 * {"dipole": [x, y, z]} in e bohr behind its forces, gives one; `charge` (e) is the net charge of the atoms.
 */
export function socketPotential(address: Address, timeout = 600, charge = 0): SocketPotential {
  const state = new Int32Array(new SharedArrayBuffer(4));
  const thread = new Worker(new URL(`./socket-thread.node${suffix}`, import.meta.url), {
    workerData: { address, timeout, state },
    execArgv: [],
  });
  thread.unref();
  const message = new Uint8Array(new SharedArrayBuffer(1024));
  let told: boolean | "perhaps" = "perhaps";
  return {
    get dipole() {
      return told;
    },
    cutoff: 0,
    elements: null,
    smoothness: Infinity,
    evaluate(structure, _, out, range) {
      refusePart(structure, range);
      const { positions, cell } = structure;
      const answer = new Float64Array(new SharedArrayBuffer(8 * (13 + positions.length)));
      Atomics.store(state, 0, STATE.asked);
      thread.postMessage({ cell, positions, answer, message }, []);
      // The thread keeps its own time limits, several of them in one evaluation; this one is for a thread that died.
      const end = Atomics.wait(state, 0, STATE.asked, 1000 * (10 * timeout + 10));
      if (end === "timed-out") throw new PeerError("socket: the thread that speaks to the client is gone");
      if (Atomics.load(state, 0) === STATE.failed)
        throw new PeerError(`socket: ${new TextDecoder().decode(message.slice()).replaceAll("\0", "")}`);
      out.energy += answer[0];
      for (let k = 0; k < 9; k++) out.virial[k] += answer[1 + k];
      for (let k = 0; k < positions.length; k++) out.forces[k] += answer[13 + k];
      const moment = Array.from(answer.subarray(10, 13));
      told = isMoment(moment);
      if (told && out.dipole) addMoment(moment, charge, structure, out.dipole);
    },
    close: () => thread.postMessage("end", []),
  };
}
