import { findNumber } from "../../structure/elements.ts";
import type { AtomArray, Frame, InfoValue } from "../../structure/structure.ts";
import { Problems, type ReadOptions } from "../format.ts";
import { numberFrom } from "../number.ts";
import { declarations } from "./declarations.ts";
import type { XmlHandler } from "./xml.ts";

/** One <calculation>: an ionic step. */
interface Step {
  readonly line: number;
  /** Rows of each <varray>, by name. */
  readonly rows: Record<string, number[][]>;
  /** <energy> of the step, and of its last electronic step. */
  readonly energy: Record<string, number>;
  electronic: Record<string, number>;
  steps: number;
}

/** Names of the arrays of a step that are kept. */
const ARRAYS = new Set(["basis", "positions", "forces", "stress"]);

/** Settings that are kept, from <incar> and <parameters>. */
const SETTINGS = new Set(["ISMEAR", "SIGMA", "NELM"]);

const cartesian = ([a, b, c]: readonly number[], cell: Float64Array): number[] =>
  [0, 1, 2].map((k) => a * cell[k] + b * cell[3 + k] + c * cell[6 + k]);

/** Makes frames of the elements of a vasprun.xml. */
export class VasprunReader implements XmlHandler {
  readonly #file: string;
  readonly #options: ReadOptions;
  readonly #problems = new Problems();
  readonly #path: string[] = [];
  /** The attribute `name` of every open element. */
  readonly #names: string[] = [];
  #text = "";
  #wanted = false;
  #line = 0;
  readonly #numbers: number[] = [];
  readonly #settings: Record<string, number> = {};
  #firstOfRow = true;
  #step: Step | null = null;
  #count = 0;
  #ready: Frame[] = [];

  constructor(file: string, options: ReadOptions) {
    this.#file = file;
    this.#options = options;
  }

  /** Frames that are whole by now. */
  frames(): Frame[] {
    const frames = this.#ready;
    this.#ready = [];
    return frames;
  }

  open(name: string, attributes: Readonly<Record<string, string>>, line: number): void {
    this.#path.push(name);
    this.#names.push(attributes["name"] ?? "");
    this.#line = line;
    this.#text = "";
    this.#wanted = name === "v" || name === "i" || name === "c";
    if (name === "calculation") this.#step = { line, rows: {}, energy: {}, electronic: {}, steps: 0 };
    if (name === "rc") this.#firstOfRow = true;
    if (name === "scstep" && this.#step) this.#step.steps++;
  }

  text(content: string): void {
    if (this.#wanted) this.#text += content;
  }

  close(name: string): void {
    const key = this.#names.pop()!;
    this.#path.pop();
    this.#wanted = false;
    if (name === "v") this.#row();
    else if (name === "i") this.#value(key);
    else if (name === "c") this.#cell();
    else if (name === "calculation") this.#finish();
  }

  /** Names the step that the file does not finish. */
  end(path: readonly string[], line: number): void {
    if (this.#step)
      this.#leave(this.#step, "the end of <calculation>", `the end of the file in <${path.at(-1)}>`);
    else if (this.#count === 0 && !this.#options.skipped)
      this.#problems.add(`${this.#file}:${line}`, "a <calculation> of VASP", "none");
    this.#problems.raise();
  }

  /** A row of <varray name="forces"> and so on. */
  #row(): void {
    const name = this.#names.at(-1) ?? "";
    if (!this.#step || !ARRAYS.has(name)) return;
    const numbers = this.#text.trim().split(/\s+/).map(numberFrom);
    if (numbers.length !== 3 || numbers.includes(undefined))
      this.#problems.add(`${this.#file}:${this.#line}`, `three numbers of ${name}`, this.#text.trim());
    (this.#step.rows[name] ??= []).push(numbers.map((x) => x ?? 0));
  }

  #value(key: string): void {
    const step = this.#step;
    const inEnergy = this.#path.at(-1) === "energy";
    if (!step && !SETTINGS.has(key)) return;
    if (step && !inEnergy) return;
    const value = numberFrom(this.#text.trim());
    if (value === undefined)
      this.#problems.add(`${this.#file}:${this.#line}`, `a number for ${key}`, this.#text.trim());
    else if (!step) this.#settings[key] = value;
    else (this.#path.at(-2) === "scstep" ? step.electronic : step.energy)[key] = value;
  }

  /** <rc><c>Si</c><c> 1</c></rc> of <array name="atoms">: the first says the element. */
  #cell(): void {
    const atoms = this.#names.includes("atoms") && this.#path.includes("atominfo");
    if (!atoms || !this.#firstOfRow) return;
    this.#firstOfRow = false;
    const symbol = this.#text.trim();
    const z = findNumber(symbol);
    if (z === undefined) this.#problems.add(`${this.#file}:${this.#line}`, "a chemical symbol", symbol);
    this.#numbers.push(z ?? 0);
  }

  #finish(): void {
    const step = this.#step!;
    this.#step = null;
    const { basis = [], positions = [], forces, stress } = step.rows;
    const n = this.#numbers.length;
    const free = step.energy["e_fr_energy"];
    if (
      basis.length !== 3 ||
      positions.length !== n ||
      (forces && forces.length !== n) ||
      free === undefined
    ) {
      this.#leave(step, `cell, ${n} positions and forces, and e_fr_energy`, `<calculation> without them`);
      return;
    }
    this.#problems.raise();
    this.#count++;
    const cell = Float64Array.from(basis.flat());
    const array: AtomArray | undefined = forces && {
      kind: "real",
      width: 3,
      values: Float64Array.from(forces.flat()),
    };
    this.#ready.push({
      structure: {
        numbers: Uint8Array.from(this.#numbers),
        positions: Float64Array.from(positions.flatMap((f) => cartesian(f, cell))),
        cell,
        pbc: [true, true, true],
      },
      info: {
        ...this.#energies(step, free),
        ...(stress && { stress }),
        ...declarations(stress !== undefined),
        ...this.#general(step),
      },
      arrays: array ? { forces: array } : {},
      place: `${this.#file}:${step.line}`,
    });
  }

  /** e_0_energy of the step is wrong in some versions: the last electronic step says how far it is from e_fr_energy. */
  #energies({ energy, electronic }: Step, free: number): Record<string, InfoValue> {
    const { e_fr_energy: F, e_0_energy: E0 } = electronic;
    const zero = F !== undefined && E0 !== undefined ? free + (E0 - F) : energy["e_0_energy"];
    return { free_energy: free, ...(zero !== undefined && { energy_sigma_to_0: zero }) };
  }

  #general({ steps }: Step): Record<string, InfoValue> {
    const { NELM, ...settings } = this.#settings;
    return {
      ...(NELM !== undefined && steps > 0 && { scf_converged: steps < NELM }),
      ionic_step: this.#count,
      ...settings,
    };
  }

  #leave({ line }: Step, expected: string, found: string): void {
    const place = `${this.#file}:${line}`;
    if (this.#options.skipped) this.#options.skipped({ place, expected, found });
    else this.#problems.add(place, expected, found);
  }
}
