import type { Range } from "../../descriptors/environments.ts";
import type { Device, Kernel } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { gradient } from "../../formula/derivative.ts";
import { exp, mul, square, sub, sum, variable } from "../../formula/expression.ts";
import type { Neighbours } from "../../structure/neighbours.ts";
import type { Structure } from "../../structure/structure.ts";
import type { Evaluation, Potential } from "../potential.ts";
import type { Variable } from "./variable.ts";

/**
 * The bias of metadynamics, V(s) = Σ_h w_h exp(−½ Σ_d (s_d − s_hd)²/σ_d²), summed over all hills by one compiled loop, so
 * that neither a grid nor its interpolation enters. A. Laio, M. Parrinello, PNAS 99, 12562 (2002), DOI
 * 10.1073/pnas.202427399.
 */
export class Hills implements Potential {
  readonly cutoff = 0;
  readonly elements = null;
  readonly smoothness = Infinity;
  readonly variables: readonly Variable[];
  /** σ of each variable, in its unit. */
  readonly widths: readonly number[];
  readonly #device: Device;
  readonly #kernel: Kernel;
  /** Centres and height of each hill, [count, variables + 1]. */
  #table: Float64Array = new Float64Array(0);
  #capacity = 0;
  #address = 0;
  /** Values of the variables, then V and its slopes. */
  readonly #numbers: number;
  /** The table that the columns were filled from, and how many of its hills. */
  #filled: Float64Array = this.#table;
  #count = 0;

  constructor(variables: readonly Variable[], widths: readonly number[], device: Device) {
    if (variables.length === 0 || widths.length !== variables.length)
      throw invalid("widths of hills", `one for each of ${variables.length} variables`, widths.length);
    if (!widths.every((w) => w > 0)) throw invalid("widths of hills", "positive numbers", widths.join(", "));
    this.variables = variables;
    this.widths = widths;
    this.#device = device;
    const s = variables.map((_, k) => variable(`s${k}`));
    const c = variables.map((_, k) => variable(`c${k}`));
    const away = s.map((x, k) => mul(-0.5 / widths[k] ** 2, square(sub(x, c[k]))));
    const V = mul(variable("w"), exp(sum(away)));
    this.#kernel = device.compile({
      name: "hills",
      varying: [...c.map(({ name }) => name), "w"],
      uniform: s.map(({ name }) => name),
      reduced: [V, ...gradient(V, s)],
    });
    this.#numbers = device.memory.alloc(8 * (1 + 2 * variables.length));
  }

  get external(): boolean {
    return this.variables.some((v) => v.external);
  }

  /** Centres and heights (eV) of all hills, [count, variables + 1]; never written to again. */
  get table(): Float64Array {
    return this.#table;
  }

  set table(table: Float64Array) {
    this.#table = table;
  }

  get count(): number {
    return this.#table.length / (this.variables.length + 1);
  }

  /** One more hill. */
  add(centre: readonly number[], height: number): void {
    const next = new Float64Array(this.#table.length + centre.length + 1);
    next.set(this.#table);
    next.set([...centre, height], this.#table.length);
    this.#table = next;
  }

  /** s of a structure. */
  valuesOf(structure: Structure): number[] {
    return this.variables.map((v) => {
      v.demand(structure);
      return v.evaluate(structure);
    });
  }

  /** V(s), eV, and ∂V/∂s, of the first `count` hills; valid until the next call. */
  at(s: readonly number[], count = this.count): Float64Array {
    const D = this.variables.length;
    const lanes = count + (count & 1);
    const columns = this.#fill(lanes);
    const stride = this.#capacity;
    for (let k = 0; k < D; k++) this.#nearest(columns.subarray(k * stride, k * stride + count), k, s[k]);
    // A hill of no height fills the last lane of an odd number.
    const [last, own] = [D * stride + lanes - 1, columns[D * stride + lanes - 1]];
    if (lanes > count) columns[last] = 0;
    const numbers = this.#device.memory.f64(this.#numbers, 2 * D + 1).fill(0);
    numbers.set(s);
    const sums = this.#numbers + 8 * D;
    if (lanes > 0) this.#kernel.run(lanes, this.#address, 8 * stride, this.#numbers, 0, sums);
    if (lanes > count) columns[last] = own;
    return numbers.subarray(D);
  }

  evaluate(structure: Structure, _: Neighbours, out: Evaluation, range?: Range): void {
    // The energy is nobody's own; it is counted with the first atom.
    if (range && (range[0] > 0 || range[1] < 1)) return;
    const [V, ...slopes] = this.at(this.valuesOf(structure));
    out.energy += V;
    if (out.energies) out.energies[0] += V;
    slopes.forEach((slope, k) => this.variables[k].pull(slope, out));
  }

  /** Of a periodic variable the images of the centres that are nearest to s; made anew, lest the past leave its rounding. */
  #nearest(column: Float64Array, k: number, s: number): void {
    const own = this.variables[k];
    if (own.period === 0) return;
    const width = this.variables.length + 1;
    for (let h = 0; h < column.length; h++) column[h] = s - own.wrap(s - this.#table[h * width + k]);
  }

  /** Columns of centres and heights, [variables + 1, capacity], with what the table has that they have not. */
  #fill(lanes: number): Float64Array {
    const [table, width, count] = [this.#table, this.variables.length + 1, this.count];
    const needed = Math.max(lanes, count + 1);
    if (this.#capacity < needed) {
      this.#capacity = 2 * Math.max(32, needed);
      this.#address = this.#device.memory.alloc(8 * width * this.#capacity);
      this.#count = 0;
    }
    const columns = this.#device.memory.f64(this.#address, width * this.#capacity);
    if (this.#filled !== table) this.#count = Math.min(this.#count, agreeing(this.#filled, table, width));
    for (; this.#count < count; this.#count++)
      for (let k = 0; k < width; k++)
        columns[k * this.#capacity + this.#count] = table[this.#count * width + k];
    this.#filled = table;
    return columns;
  }
}

/** How many hills two tables have in common from the start on. */
function agreeing(a: Float64Array, b: Float64Array, width: number): number {
  const most = Math.min(a.length, b.length);
  let i = 0;
  while (i < most && a[i] === b[i]) i++;
  return Math.floor(i / width);
}
