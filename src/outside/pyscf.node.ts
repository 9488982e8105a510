import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { threadId } from "node:worker_threads";
import { NumericalError, invalid } from "../error.ts";
import type { Potential } from "../potentials/potential.ts";
import { symbolOf } from "../structure/elements.ts";
import { PYSCF_DRIVER } from "./pyscf-driver.ts";
import { socketPotential } from "./socket.node.ts";
import type { SocketPotential } from "./socket.node.ts";

/** Options of `pyscf`. */
export interface PyscfOptions {
  /** "hf", or a functional as PySCF names it: "pbe", "b3lyp". */
  readonly method: string;
  /** Basis set: "def2-svp". */
  readonly basis: string;
  readonly charge?: number;
  /** Unpaired electrons. */
  readonly unpaired?: number;
  /** The interpreter that has PySCF; "python3" by default. */
  readonly python?: string;
  /** s for one evaluation; 3600 by default. */
  readonly timeout?: number;
}

/** An interpreter without PySCF, or a functional that it does not know, is an InputError. */
function requirePyscf(python: string, method: string): void {
  const known = method === "hf" ? "" : "; from pyscf.dft import libxc; libxc.parse_xc(sys.argv[1])";
  const script = `import sys, pyscf${known}`;
  const probe = spawnSync(python, ["-c", script, method], { encoding: "utf8" });
  const complaint = probe.error?.message ?? probe.stderr.trim().split("\n").pop() ?? "";
  if (!probe.error && probe.status === 0) return;
  if (probe.error || /No module named/.test(complaint))
    throw invalid(
      "pyscf",
      `a ${python} that imports pyscf (pip install pyscf; SURFIT_PYTHON names another interpreter)`,
      complaint,
    );
  throw invalid(`pyscf:${method}`, "hf or a functional that PySCF knows", complaint);
}

/** Tells sockets of one thread apart. */
let number = 0;

/** Hartree–Fock or density functional theory of molecules by PySCF, a Python process that is asked through a socket. */
export function pyscf(options: PyscfOptions): Potential {
  const { method, basis, charge = 0, unpaired = 0, python = "python3", timeout = 3600 } = options;
  requirePyscf(python, method);
  let asked: { readonly symbols: string; readonly potential: SocketPotential; error: string } | undefined;
  let running: ChildProcess | undefined;
  process.once("exit", () => running?.kill());

  /** The process for these atoms: another one when the atoms are others. */
  function driver(symbols: string) {
    if (asked?.symbols === symbols) return asked;
    asked?.potential.close();
    const path = join(tmpdir(), `surfit-pyscf-${process.pid}-${threadId}-${number++}`);
    const potential = socketPotential({ path }, timeout, charge);
    const words = [path, method, basis, String(charge), String(unpaired), symbols];
    // The listener is opened by the first question, so the program waits for the path to appear.
    const start = `import os,sys,time\nfor _ in range(600):\n  if os.path.exists(sys.argv[1]): break\n  time.sleep(0.1)\n${PYSCF_DRIVER}`;
    running = spawn(python, ["-c", start, ...words], { stdio: ["ignore", "ignore", "inherit"] });
    running.unref();
    asked = { symbols, potential, error: `${path}.error` };
    return asked;
  }

  return {
    cutoff: 0,
    elements: null,
    smoothness: Infinity,
    dipole: true,
    evaluate(structure, neighbours, out, range) {
      if (structure.pbc.some(Boolean))
        throw invalid("pyscf", "a molecule: periodic structures are not passed on to it", "a periodic one");
      const symbols = Array.from(structure.numbers, symbolOf).join(",");
      const { potential, error } = driver(symbols);
      try {
        potential.evaluate(structure, neighbours, out, range);
      } catch (broken) {
        // The process has ended or does not answer: the next question goes to another one.
        potential.close();
        running?.kill();
        asked = undefined;
        if (!existsSync(error)) throw broken;
        const complaint = readFileSync(error, "utf8");
        rmSync(error);
        throw new NumericalError(`pyscf: ${complaint}`);
      }
      if (!Number.isFinite(out.energy)) throw new NumericalError("pyscf: the energy is not finite");
    },
  };
}
