import { Coordinates, atom, factor } from "../../descriptors/molecular/coordinates.ts";
import type { CoordinateGroup } from "../../descriptors/molecular/coordinates.ts";
import type { Device } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { tangent } from "../../formula/derivative.ts";
import { mul } from "../../formula/expression.ts";
import { nearestImage } from "../../structure/nearest-image.ts";
import type { NearestImage } from "../../structure/nearest-image.ts";
import type { Structure } from "../../structure/structure.ts";
import type { Evaluation } from "../potential.ts";
import { parseParts, Reader } from "./parse.ts";
import type { Part } from "./parse.ts";

/**
 * A collective variable s(r): a sum of functions of a few atoms with factors, as `distance(1,2)-distance(3,4)`. Values
 * and slopes come from compiled formulas. In a cell every atom of a function counts in the image that is nearest to the
 * atom named before it.
 */
export class Variable {
  readonly text: string;
  readonly unit: string;
  /** 2π for dihedrals, whose values are then −π … π; else 0. */
  readonly period: number;
  readonly external: boolean;
  /** Its atoms, each once, from 0 on. */
  readonly atoms: readonly number[];
  /** Highest number of an atom, from 0 on. */
  readonly highest: number;
  readonly #parts: readonly Part[];
  readonly #device: Device;
  readonly #coordinates: Coordinates;
  /** Rates of the functions along directions; made when they are first asked for. */
  #rates?: Coordinates;
  /** Atoms of all functions one after another: who they are, and whether the one before is to be near. */
  readonly #owners: Int32Array;
  readonly #follows: Uint8Array;
  /** Whether a point's function moves with the cell. */
  readonly #bound: Uint8Array;
  /** Places of these atoms, [owners, 3], Å. */
  readonly #points: Float64Array;
  /** Nearest images in the cell of the last structure. */
  #cell: Float64Array = new Float64Array(0);
  #periodic = "";
  #nearest: NearestImage = () => {};

  constructor(text: string, parts: readonly Part[], device: Device) {
    this.text = text.replaceAll(" ", "");
    this.period = periodOf(parts, text);
    this.unit = unitOf(parts);
    this.external = parts.some((part) => part.external);
    const groups = parts.flatMap((part) => part.groups.map((atoms) => ({ part, atoms })));
    this.#owners = Int32Array.from(groups.flatMap(({ atoms }) => atoms));
    this.#follows = Uint8Array.from(groups.flatMap(({ atoms }) => atoms.map((_, k) => (k > 0 ? 1 : 0))));
    this.#bound = Uint8Array.from(
      groups.flatMap(({ atoms, part }) => atoms.map(() => (part.external ? 0 : 1))),
    );
    this.atoms = [...new Set(this.#owners)];
    this.highest = Math.max(...this.#owners);
    this.#points = new Float64Array(3 * this.#owners.length);
    [this.#parts, this.#device] = [parts, device];
    let next = 0;
    this.#coordinates = new Coordinates(
      parts.map((part) => ({
        formula: mul(factor, part.formula),
        atoms: part.groups.map((atoms) => atoms.map(() => next++)),
        factors: part.groups.map(() => part.factor),
      })),
      device,
    );
  }

  /** w·∂²s/∂r²·w of directions w [n, 3] at the places of the last `evaluate`. */
  curvature(w: Float64Array): number {
    const count = this.#owners.length;
    this.#rates ??= new Coordinates(ratesOf(this.#parts, count), this.#device);
    const both = new Float64Array(6 * count);
    both.set(this.#points);
    for (let k = 0; k < 3 * count; k++)
      both[3 * count + k] = w[3 * this.#owners[Math.floor(k / 3)] + (k % 3)];
    this.#rates.evaluate(both);
    // What the rate ∂s/∂r·w changes by when the places move along w.
    const { columns, values } = this.#rates.rows;
    let sum = 0;
    for (let k = 0; k < columns.length; k++)
      if (columns[k] < 3 * count) sum += values[k] * both[3 * count + columns[k]];
    return sum;
  }

  /** Refuses a structure that has not the atoms that are named. */
  demand({ numbers }: Pick<Structure, "numbers">): void {
    if (this.highest >= numbers.length)
      throw invalid(`variable ${this.text}`, `atoms 1 … ${numbers.length}`, `atom ${this.highest + 1}`);
  }

  /** s; slopes are kept for `pull` until the next call. */
  evaluate(structure: Structure): number {
    this.#place(structure);
    this.#coordinates.evaluate(this.#points);
    return this.wrap(this.#coordinates.features.reduce((a, b) => a + b, 0));
  }

  /** s, or a difference of two, brought to −period/2 … period/2. */
  wrap(s: number): number {
    return this.period > 0 ? s - this.period * Math.round(s / this.period) : s;
  }

  /** ADDS slope·∂s/∂r [n, 3] of the last `evaluate` to gradient. */
  gradient(slope: number, gradient: Float64Array): void {
    const { columns, values } = this.#coordinates.rows;
    for (let k = 0; k < columns.length; k++)
      gradient[3 * this.#owners[Math.floor(columns[k] / 3)] + (columns[k] % 3)] += slope * values[k];
  }

  /** ADDS forces −slope·∂s/∂r and the virial of an energy with dE/ds = slope, at the last `evaluate`. */
  pull(slope: number, out: Pick<Evaluation, "forces" | "virial">): void {
    this.gradient(-slope, out.forces);
    const { columns, values } = this.#coordinates.rows;
    for (let k = 0; k < columns.length; k++) {
      const p = Math.floor(columns[k] / 3);
      if (!this.#bound[p]) continue;
      const a = columns[k] % 3;
      for (let b = 0; b < 3; b++) out.virial[3 * a + b] -= slope * values[k] * this.#points[3 * p + b];
    }
  }

  #imagesIn(cell: Float64Array, pbc: Structure["pbc"]): NearestImage {
    const periodic = pbc.join();
    if (periodic !== this.#periodic || cell.some((x, k) => x !== this.#cell[k]))
      [this.#cell, this.#periodic, this.#nearest] = [cell.slice(), periodic, nearestImage({ cell, pbc })];
    return this.#nearest;
  }

  #place({ positions, cell, pbc }: Structure): void {
    const [points, owners] = [this.#points, this.#owners];
    const nearest = cell ? this.#imagesIn(cell, pbc) : undefined;
    for (let p = 0; p < owners.length; p++) {
      const [to, from] = [3 * p, 3 * owners[p]];
      const follows = this.#follows[p] === 1;
      for (let k = 0; k < 3; k++) points[to + k] = positions[from + k] - (follows ? points[to - 3 + k] : 0);
      if (!follows) continue;
      nearest?.(points, to);
      for (let k = 0; k < 3; k++) points[to + k] += points[to - 3 + k];
    }
  }
}

/** ∂f/∂r·w of all functions, with their atoms' places numbered from 0 and the directions from `count` on. */
function ratesOf(parts: readonly Part[], count: number): CoordinateGroup[] {
  let next = 0;
  return parts.map((part) => {
    const arity = part.groups[0].length;
    const along = Array.from({ length: arity }, (_, a) =>
      atom(a).map((x, k) => [x, atom(arity + a)[k]] as const),
    );
    const atoms = part.groups.map((group) => {
      const places = group.map(() => next++);
      return [...places, ...places.map((p) => count + p)];
    });
    const formula = mul(factor, tangent(part.formula, new Map(along.flat())));
    return { formula, atoms, factors: part.groups.map(() => part.factor) };
  });
}

function periodOf(parts: readonly Part[], text: string): number {
  const periods = new Set(parts.map(({ period }) => period));
  if (!parts.some(({ period }) => period > 0)) return 0;
  const [period] = periods;
  if (periods.size === 1 && parts.every((part) => Math.abs(part.factor) === 1)) return period;
  throw invalid(`variable ${text}`, "dihedrals only with one another, and without factors", text);
}

/** One unit where all functions share it. */
function unitOf(parts: readonly Part[]): string {
  const units = [...new Set(parts.map(({ unit }) => unit))];
  return units.length === 1 ? units[0] : "";
}

/** Reads a variable: "distance(1,2)", "dihedral(1,2,3,4)", "coordination(1;2,3,4;r0=1.2)", sums and differences. */
export function readVariable(text: string, device: Device, place = "variable"): Variable {
  const reader = new Reader(text, place);
  const parts = parseParts(reader);
  if (!reader.done) reader.fail('"+", "-" or the end');
  return new Variable(text, parts, device);
}

/** Refuses an angle beyond a turn: such a number was meant in degrees. */
export function refuseDegrees({ unit }: Variable, s: number, place: string): void {
  if (unit === "rad" && Math.abs(s) > 2 * Math.PI + 1e-6)
    throw invalid(place, `radians up to 2π, or degrees as in ${s}deg`, s);
}
