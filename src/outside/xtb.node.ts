import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NumericalError, invalid } from "../error.ts";
import type { Evaluation, Potential } from "../potentials/potential.ts";
import { symbolOf } from "../structure/elements.ts";
import type { Structure } from "../structure/structure.ts";
import { BOHR, HARTREE } from "../structure/units.ts";
import { addMoment, isMoment } from "./moment.ts";

/** Options of `xtb`. */
export interface XtbOptions {
  readonly method?: "gfn0" | "gfn1" | "gfn2" | "gfnff";
  readonly charge?: number;
  /** Unpaired electrons. */
  readonly unpaired?: number;
  /** Convergence, times the program's own thresholds; 0.01 by default, so that differences of forces are smooth. */
  readonly accuracy?: number;
  /** s for one evaluation; 600 by default. */
  readonly timeout?: number;
}

const PROGRAM = "xtb";

/**
 * The tight-binding program xtb (C. Bannwarth, S. Ehlert, S. Grimme, DOI 10.1021/acs.jctc.8b01176) as a
 * potential of molecules, one process an evaluation; the virial stays as it was, for a molecule has no cell.
 */
export function xtb(options: XtbOptions = {}): Potential {
  const { method = "gfn2", charge = 0, unpaired = 0, accuracy = 0.01, timeout = 600 } = options;
  const way = method === "gfnff" ? ["--gfnff"] : ["--gfn", method.slice(3)];
  // The force field and GFN0 tell no dipole.
  const polar = method === "gfn1" || method === "gfn2";
  const words = ["--grad", ...way, "--chrg", `${charge}`, "--uhf", `${unpaired}`, "--acc", `${accuracy}`];
  requireProgram();
  return {
    cutoff: 0,
    elements: null,
    smoothness: Infinity,
    dipole: polar,
    evaluate(structure, _, out, range) {
      refusePart(structure, range);
      if (structure.pbc.some(Boolean))
        throw invalid("xtb", "a molecule: periodic structures are not passed on to it", "a periodic one");
      const wanted = polar ? out.dipole : undefined;
      const folder = mkdtempSync(join(tmpdir(), "surfit-xtb-"));
      try {
        writeFileSync(join(folder, "coord"), coordinates(structure));
        runProgram(folder, wanted ? [...words, "--json"] : words, timeout);
        addGradient(readFileSync(join(folder, "gradient"), "utf8"), structure, out);
        if (wanted) addMoment(momentOf(join(folder, "xtbout.json")), charge, structure, wanted);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

/** Runs xtb on the folder's coordinates; it leaves its gradient there. */
function runProgram(folder: string, words: readonly string[], timeout: number): void {
  const env = { ...process.env, OMP_NUM_THREADS: "1", OMP_STACKSIZE: "512M" };
  const all = ["coord", ...words, "--norestart"];
  const run = spawnSync(PROGRAM, all, { cwd: folder, env, encoding: "utf8", timeout: 1000 * timeout });
  if (run.error) throw new NumericalError(`xtb: ${run.error.message}`);
  if (run.status !== 0 || !existsSync(join(folder, "gradient")))
    throw new NumericalError(`xtb failed: ${lastWords(`${run.stdout}\n${run.stderr}`)}`);
}

/** An energy that belongs to the whole cannot be split over ranges of atoms. */
export function refusePart({ numbers }: Structure, range: readonly [number, number] | undefined): void {
  if (!range || (range[0] === 0 && range[1] === numbers.length)) return;
  throw new TypeError(
    "an outside program was asked for a part of a structure (this is a bug, please report it)",
  );
}

function requireProgram(): void {
  const { error } = spawnSync(PROGRAM, ["--version"], { encoding: "utf8" });
  if (error)
    throw invalid(
      "xtb",
      "the program xtb on the PATH (https://github.com/grimme-lab/xtb; Debian: apt install xtb)",
      error.message,
    );
}

/** Turbomole's coord file, bohr. */
function coordinates({ numbers, positions }: Structure): string {
  const rows = Array.from(numbers, (z, i) => {
    const r = [0, 1, 2].map((k) => (positions[3 * i + k] / BOHR).toFixed(14));
    return `${r.join(" ")} ${symbolOf(z).toLowerCase()}`;
  });
  return `$coord\n${rows.join("\n")}\n$end\n`;
}

/** Numbers of a line, with Fortran's D for E. */
const numbersOf = (line: string) =>
  line
    .trim()
    .split(/\s+/)
    .map((x) => Number(x.replace("D", "E")));

/** Energy and forces of Turbomole's gradient file: Hartree, Hartree/bohr. */
function addGradient(text: string, { numbers }: Structure, out: Evaluation): void {
  const energy = /SCF energy =\s*([-+\d.E]+)/.exec(text);
  const lines = text.split("\n").filter((l) => /^\s+[-\d]/.test(l));
  const rows = lines.slice(-numbers.length).map(numbersOf);
  if (!energy || rows.length !== numbers.length || !rows.flat().every(Number.isFinite))
    throw new NumericalError(`xtb: its gradient file cannot be read: ${lastWords(text)}`);
  out.energy += Number(energy[1]) * HARTREE;
  rows.flat().forEach((g, k) => (out.forces[k] -= (g * HARTREE) / BOHR));
}

/** The dipole moment of xtb's JSON, atomic units, to more digits than it prints. */
function momentOf(file: string): readonly number[] {
  const { dipole } = JSON.parse(readFileSync(file, "utf8")) as { readonly dipole?: unknown };
  if (isMoment(dipole)) return dipole;
  throw new NumericalError(`xtb: no dipole in its xtbout.json: ${JSON.stringify(dipole)}`);
}

/** The lines of its complaint (`-1- scf: …`), the cause first, or else the last ones that say something. */
function lastWords(text: string): string {
  const lines = text.split("\n").map((l) => l.trim());
  const complaint = lines.filter((l) => /^-\d+- /.test(l)).toReversed();
  if (complaint.length > 0) return complaint.map((l) => l.replace(/^-\d+- /, "")).join(" | ");
  return lines
    .filter((l) => l && !/^[-=#*\s]+$/.test(l))
    .slice(-6)
    .join(" | ");
}
