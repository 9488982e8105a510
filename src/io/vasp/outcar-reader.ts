import { findNumber } from "../../structure/elements.ts";
import type { AtomArray, Frame, InfoValue } from "../../structure/structure.ts";
import { Problems, type ReadOptions } from "../format.ts";
import { declarations } from "./declarations.ts";

/** One ionic step being read. */
interface Step {
  readonly number: number;
  /** Line at which it begins. */
  readonly line: number;
  cell: number[] | null;
  rows: number[][] | null;
  stress: number[] | null;
  /** What ended the electronic steps. */
  converged: boolean | null;
  learned: boolean;
  free: number | null;
}

/** All numbers with a point. */
const numbersIn = (text: string): number[] => (text.match(/[-+]?\d+\.\d*(?:E[-+]?\d+)?/g) ?? []).map(Number);

/** Numbers of so many decimals, which in VASP's fixed formats may stand without a space between them. */
const fixedIn = (text: string, decimals: number): number[] =>
  (text.match(new RegExp(`[-+]?\\d+\\.\\d{${decimals}}`, "g")) ?? []).map(Number);

/** Reads an OUTCAR line by line; holds one ionic step at a time. */
export class OutcarReader {
  readonly #file: string;
  readonly #options: ReadOptions;
  readonly #problems = new Problems();
  /** What the head says: an element for each POTCAR, how many atoms of each, smearing. */
  readonly #symbols: string[] = [];
  #counts: number[] = [];
  readonly #general: Record<string, InfoValue> = {};
  #line = 0;
  #step: Step | null = null;
  #frames = 0;
  /** What the next lines are: how many are left, and what is done with each. */
  #block: { left: number; take: (line: string) => void } | null = null;

  constructor(file: string, options: ReadOptions) {
    this.#file = file;
    this.#options = options;
  }

  /** One line; the step that it ends. */
  take(line: string): Frame[] {
    this.#line++;
    if (this.#block) this.#takeBlock(line);
    else if (line.length > 6) return this.#dispatch(line);
    return [];
  }

  /** Names the step that the file does not finish. */
  end(): void {
    if (this.#step) this.#unfinished(this.#step, "the end of the file");
    if (this.#frames === 0 && this.#problems.list.length === 0 && !this.#options.skipped)
      this.#problems.add(this.#file, "an OUTCAR with an ionic step", "none");
    this.#problems.raise();
  }

  #dispatch(line: string): Frame[] {
    if (line.includes("- Iteration")) this.#begin(line);
    else if (line.includes("VRHFIN =")) this.#symbols.push(/VRHFIN =\s*([A-Z][a-z]?)/.exec(line)?.[1] ?? "?");
    else if (line.includes("ions per type ="))
      this.#counts = line.split("=")[1].trim().split(/\s+/).map(Number);
    else if (line.includes("ISMEAR =")) this.#smearing(line);
    else if (line.includes("direct lattice vectors")) this.#lattice();
    else if (line.includes("in kB")) this.#stress(line);
    else if (line.includes("TOTAL-FORCE (eV/Angst)")) this.#forces(line);
    else if (line.includes("aborting loop")) this.#aborted(line);
    else if (line.includes("free  energy") && line.includes("TOTEN")) this.#free(line);
    else if (/energy\s+without entropy/.test(line)) return this.#finish(line);
    return [];
  }

  #takeBlock(line: string): void {
    const block = this.#block!;
    block.take(line);
    if (--block.left === 0) this.#block = null;
  }

  /** "--- Iteration      2(   1)  ---": the second number counts electronic steps. */
  #begin(line: string): void {
    const [, ionic] = /Iteration\s+(\d+)\s*\(/.exec(line) ?? [];
    const number = Number(ionic);
    if (!(number > 0) || this.#step?.number === number) return;
    if (this.#step) this.#unfinished(this.#step, `ionic step ${number} in line ${this.#line}`);
    this.#step = {
      number,
      line: this.#line,
      cell: this.#step?.cell ?? null,
      rows: null,
      stress: null,
      converged: null,
      learned: false,
      free: null,
    };
  }

  #smearing(line: string): void {
    const [, kind] = /ISMEAR =\s*(-?\d+)/.exec(line) ?? [];
    const [, width] = /SIGMA\s*=\s*([-\d.]+)/.exec(line) ?? [];
    if (kind !== undefined) this.#general["ISMEAR"] = Number(kind);
    if (width !== undefined) this.#general["SIGMA"] = Number(width);
  }

  #lattice(): void {
    const cell: number[] = [];
    const step = this.#step;
    const line = this.#line;
    this.#block = {
      left: 3,
      take: (row) => {
        cell.push(...fixedIn(row, 9).slice(0, 3));
        if (this.#block!.left > 1) return;
        if (cell.length !== 9) this.#add(line, "three lattice vectors", cell.join(" "));
        if (step) step.cell = cell;
        else this.#cell = cell;
      },
    };
  }

  /** The cell before the first step. */
  #cell: number[] | null = null;

  #stress(line: string): void {
    const numbers = fixedIn(line.slice(line.indexOf("in kB") + 5), 5);
    if (!this.#step) return;
    if (numbers.length !== 6) this.#add(this.#line, "six numbers in kB", line.trim());
    // xx yy zz xy yz zx becomes xx yy zz yz xz xy.
    else this.#step.stress = [0, 1, 2, 4, 5, 3].map((k) => numbers[k]);
  }

  #forces(line: string): void {
    const rows: number[][] = [];
    const atoms = this.#counts.reduce((sum, n) => sum + n, 0);
    if (!this.#step || atoms === 0) {
      this.#add(this.#line, "the numbers of ions and an iteration before forces", line.trim());
      return;
    }
    this.#step.rows = rows;
    this.#step.learned = line.includes("ML");
    const first = this.#line + 1;
    this.#block = {
      left: atoms + 1,
      take: (text) => {
        // The first line is a rule.
        if (this.#line === first) return;
        const numbers = numbersIn(text);
        rows.push(numbers);
        if (numbers.length !== 6) this.#add(this.#line, "a position and a force", text.trim());
      },
    };
  }

  #aborted(line: string): void {
    if (this.#step) this.#step.converged = line.includes("is reached");
  }

  #free(line: string): void {
    const [energy] = numbersIn(line.slice(line.indexOf("TOTEN")));
    // Lines of electronic steps have one space less in "free energy".
    if (this.#step) this.#step.free = energy ?? null;
  }

  /** The energies come last: a step with positions is whole then. Electronic steps have the same line without forces. */
  #finish(line: string): Frame[] {
    const step = this.#step;
    if (!step?.rows || step.free === null) return [];
    const [entropyless, zero] = numbersIn(line.slice(line.indexOf("=")));
    this.#step = null;
    this.#cell = step.cell ?? this.#cell;
    if (step.learned) {
      this.#leave(step, "an ab initio step", "one of a machine-learned force field");
      return [];
    }
    const numbers = this.#numbers();
    if (this.#problems.list.length > 0) this.#problems.raise();
    this.#frames++;
    const cell = this.#cell;
    if (!cell) this.#add(step.line, "direct lattice vectors", "none");
    this.#problems.raise();
    const values = Float64Array.from(step.rows.flatMap((row) => row.slice(3)));
    const forces: AtomArray = { kind: "real", width: 3, values };
    const info: Record<string, InfoValue> = {
      free_energy: step.free,
      energy_without_entropy: entropyless,
      energy_sigma_to_0: zero,
      ...(step.stress && { stress: step.stress }),
      ...declarations(step.stress !== null),
      ...(step.converged !== null && { scf_converged: step.converged }),
      ionic_step: step.number,
      ...this.#general,
    };
    const structure = {
      numbers,
      positions: Float64Array.from(step.rows.flatMap((row) => row.slice(0, 3))),
      cell: Float64Array.from(cell!),
      pbc: [true, true, true] as const,
    };
    return [{ structure, info, arrays: { forces }, place: `${this.#file}:${step.line}` }];
  }

  /** Atomic numbers of all ions. */
  #numbers(): Uint8Array {
    const types = this.#counts.length;
    // POTCARs may be listed twice.
    if (this.#symbols.length < types || this.#symbols.length % types !== 0)
      this.#add(
        this.#line,
        `an element (VRHFIN) for each of ${types} types of ions`,
        this.#symbols.join(", ") || "none",
      );
    const numbers = this.#counts.flatMap((count, t) => {
      const z = findNumber(this.#symbols[t] ?? "");
      if (z === undefined)
        this.#add(this.#line, `the element of type ${t + 1} (VRHFIN)`, this.#symbols[t] ?? "none");
      return Array.from({ length: count }, () => z ?? 0);
    });
    return Uint8Array.from(numbers);
  }

  #unfinished(step: Step, found: string): void {
    this.#leave(step, `forces and energies of ionic step ${step.number}`, found);
    this.#cell = step.cell ?? this.#cell;
  }

  /** Leaves a step out, or refuses it. */
  #leave({ line }: Step, expected: string, found: string): void {
    const place = `${this.#file}:${line}`;
    if (this.#options.skipped) this.#options.skipped({ place, expected, found });
    else this.#problems.add(place, expected, found);
  }

  #add(line: number, expected: string, found: string): void {
    this.#problems.add(`${this.#file}:${line}`, expected, found);
  }
}
