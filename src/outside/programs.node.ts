import { invalid } from "../error.ts";
import type { Potential } from "../potentials/potential.ts";
import { readAddress } from "./ipi-stream.node.ts";
import { pyscf } from "./pyscf.node.ts";
import { socketPotential } from "./socket.node.ts";
import { xtb } from "./xtb.node.ts";
import type { XtbOptions } from "./xtb.node.ts";

/** A program outside that gives energies and forces. */
interface Program {
  /** How it is written where a model is asked for. */
  readonly form: string;
  readonly summary: string;
  /** What the user should know while nothing seems to happen. */
  note?(text: string): string;
  /** `text` is what stands after the colon. */
  open(text: string, place: string): Potential;
}

/** "gfn2,charge=-1" → the word, which may be left out, and the numbers by name. */
function readWords(text: string, names: readonly string[], place: string) {
  const parts = text.split(",");
  const word = parts[0].includes("=") ? "" : parts[0];
  const rest = word === parts[0] ? parts.slice(1) : parts;
  const numbers: Record<string, number> = {};
  for (const part of rest) {
    const [name, value, more] = part.split("=");
    if (!names.includes(name) || !/^[-+]?\d+$/.test(value ?? "") || more !== undefined)
      throw invalid(place, names.map((n) => `${n}=<whole number>`).join(", "), part);
    numbers[name] = Number(value);
  }
  return { word, numbers };
}

const METHODS = ["gfn0", "gfn1", "gfn2", "gfnff"];

/** Every program by name. */
export const programs: Readonly<Record<string, Program>> = {
  xtb: {
    form: "xtb, xtb:gfn1,charge=-1,unpaired=1",
    summary: "tight binding GFN-xTB and force field GFN-FF",
    open(text, place) {
      const { word, numbers } = readWords(text, ["charge", "unpaired"], place);
      if (word && !METHODS.includes(word)) throw invalid(place, METHODS.join(", "), word);
      return xtb({ ...(word && { method: word as XtbOptions["method"] }), ...numbers });
    },
  },
  pyscf: {
    form: "pyscf:b3lyp/def2-svp, pyscf:hf/6-31g*,charge=1,unpaired=1",
    summary: "Hartree–Fock and density functional theory",
    open(text, place) {
      const { word, numbers } = readWords(text, ["charge", "unpaired"], place);
      const [method, basis, more] = word.split("/");
      if (!method || !basis || more !== undefined)
        throw invalid(place, "pyscf:method/basis", text || "nothing");
      return pyscf({ method, basis, python: process.env["SURFIT_PYTHON"], ...numbers });
    },
  },
  socket: {
    form: "socket:localhost:31415, socket:name",
    summary: "any client of the i-PI protocol that connects there",
    note: (text) => `waiting for a client of the i-PI protocol to connect at ${text}`,
    open: (text, place) => socketPotential(readAddress(text, place)),
  },
};

/** The name of the program that a model's place names; undefined for a file. */
export function programOf(place: string): string | undefined {
  const name = /^([a-z]+)(:|$)/.exec(place)?.[1];
  return name !== undefined && Object.hasOwn(programs, name) ? name : undefined;
}

/** The potential of "xtb:gfn2". */
export function openProgram(place: string): Potential {
  const name = programOf(place)!;
  const text = place.slice(name.length + 1);
  const potential = programs[name].open(text, place);
  const note = programs[name].note?.(text);
  if (note) process.stderr.write(`note: ${note}\n`);
  return potential;
}
