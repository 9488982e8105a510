import type { Range } from "../../descriptors/environments.ts";
import type { Device, Kernel } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { gradient } from "../../formula/derivative.ts";
import { exp, mul, square, sum, variable } from "../../formula/expression.ts";
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
  /** Uniform inputs (none) and sums: V and its slopes. */
  readonly #sums: number;

  constructor(variables: readonly Variable[], widths: readonly number[], device: Device) {
    if (variables.length === 0 || widths.length !== variables.length)
      throw invalid("widths of hills", `one for each of ${variables.length} variables`, widths.length);
    if (!widths.every((w) => w > 0)) throw invalid("widths of hills", "positive numbers", widths.join(", "));
    this.variables = variables;
    this.widths = widths;
    this.#device = device;
    const d = variables.map((_, k) => variable(`d${k}`));
    const V = mul(variable("w"), exp(sum(d.map((x, k) => mul(-0.5 / widths[k] ** 2, square(x))))));
    this.#kernel = device.compile({
      name: "hills",
      varying: [...d.map(({ name }) => name), "w"],
      uniform: [],
      reduced: [V, ...gradient(V, d)],
    });
    this.#sums = device.memory.alloc(8 * (1 + variables.length));
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
    this.#reserve(lanes);
    const [memory, stride] = [this.#device.memory, this.#capacity];
    const columns = memory.f64(this.#address, (D + 1) * stride);
    for (let h = 0; h < count; h++) {
      const from = h * (D + 1);
      for (let k = 0; k < D; k++)
        columns[k * stride + h] = this.variables[k].wrap(s[k] - this.#table[from + k]);
      columns[D * stride + h] = this.#table[from + D];
    }
    // A hill of no height fills the last lane of an odd number.
    if (lanes > count) for (let k = 0; k <= D; k++) columns[k * stride + count] = 0;
    const sums = memory.f64(this.#sums, D + 1).fill(0);
    if (lanes > 0) this.#kernel.run(lanes, this.#address, 8 * stride, 0, 0, this.#sums);
    return sums;
  }

  evaluate(structure: Structure, _: Neighbours, out: Evaluation, range?: Range): void {
    // The energy is nobody's own; it is counted with the first atom.
    if (range && (range[0] > 0 || range[1] < 1)) return;
    const [V, ...slopes] = this.at(this.valuesOf(structure));
    out.energy += V;
    if (out.energies) out.energies[0] += V;
    slopes.forEach((slope, k) => this.variables[k].pull(slope, out));
  }

  #reserve(lanes: number): void {
    if (this.#capacity >= lanes) return;
    this.#capacity = Math.max(64, 2 * lanes);
    this.#address = this.#device.memory.alloc(8 * (this.variables.length + 1) * this.#capacity);
  }
}
