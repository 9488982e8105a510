import type { Device, Kernel } from "../../device/device.ts";
import { gradient } from "../../formula/derivative.ts";
import { variable, type Expr } from "../../formula/expression.ts";
import type { SparseRows } from "./descriptor.ts";

/** Cartesian components of the vectors that formulas are written in: atom a of a group is (x_a, y_a, z_a). */
export const atom = (a: number): readonly [Expr, Expr, Expr] => [
  variable(`x${a}`),
  variable(`y${a}`),
  variable(`z${a}`),
];

/** Functions of a few atoms each, all by one formula. */
export interface CoordinateGroup {
  /** Of the components of its atoms, and of `c`, a number of its own. */
  readonly formula: Expr;
  /** Atoms of each function, [count, atoms per function]. */
  readonly atoms: readonly (readonly number[])[];
  /** c of each, [count]; 1 if absent. */
  readonly factors?: readonly number[];
}

/** The number of its own that a formula may use. */
export const factor = variable("c");

/** One group, compiled: functions are the lanes. */
class Group {
  readonly count: number;
  readonly arity: number;
  readonly #group: CoordinateGroup;
  readonly #kernel: Kernel;
  readonly #stride: number;
  readonly #table: Float64Array;
  readonly #address: number;

  constructor(group: CoordinateGroup, device: Device) {
    this.#group = group;
    this.count = group.atoms.length;
    this.arity = group.atoms[0]?.length ?? 1;
    const wrt = Array.from({ length: this.arity }, (_, a) => atom(a)).flat();
    const varying = [...wrt.map((x) => x.name), factor.name];
    const elementwise = [group.formula, ...gradient(group.formula, wrt)];
    this.#kernel = device.compile({ name: "coordinate", varying, uniform: [], elementwise });
    this.#stride = this.count + (this.count & 1);
    const columns = varying.length + elementwise.length;
    this.#address = device.memory.alloc(8 * columns * this.#stride);
    this.#table = device.memory.f64(this.#address, columns * this.#stride);
  }

  /** Values to x from t on, slopes to `values` from k on. */
  run(positions: Float64Array, x: Float64Array, t: number, values: Float64Array, k: number): void {
    const { atoms, factors } = this.#group;
    const [table, stride, m] = [this.#table, this.#stride, 3 * this.arity];
    for (let f = 0; f < stride; f++) {
      // The last lane of an odd number of functions repeats the one before.
      const own = atoms[Math.min(f, this.count - 1)];
      for (let c = 0; c < m; c++) table[c * stride + f] = positions[3 * own[Math.floor(c / 3)] + (c % 3)];
      table[m * stride + f] = factors?.[Math.min(f, this.count - 1)] ?? 1;
    }
    const out = (m + 1) * stride;
    this.#kernel.run(stride, this.#address, 8 * stride, 0, this.#address + 8 * out, 0);
    for (let f = 0; f < this.count; f++) {
      x[t + f] = table[out + f];
      for (let c = 0; c < m; c++) values[k + f * m + c] = table[out + (1 + c) * stride + f];
    }
  }

  columns(out: Int32Array, k: number): void {
    for (const [f, own] of this.#group.atoms.entries())
      for (const [a, i] of own.entries())
        for (let c = 0; c < 3; c++) out[k + 3 * (f * this.arity + a) + c] = 3 * i + c;
  }
}

/** Groups one after another, with their sparse Jacobian: values and slopes come from one compiled formula per group. */
export class Coordinates {
  readonly size: number;
  readonly features: Float64Array;
  readonly rows: SparseRows;
  readonly #groups: readonly Group[];

  constructor(groups: readonly CoordinateGroup[], device: Device) {
    this.#groups = groups.filter(({ atoms }) => atoms.length > 0).map((group) => new Group(group, device));
    this.size = this.#groups.reduce((sum, { count }) => sum + count, 0);
    this.features = new Float64Array(this.size);
    const starts = new Int32Array(this.size + 1);
    let t = 0;
    for (const { count, arity } of this.#groups)
      for (let f = 0; f < count; f++, t++) starts[t + 1] = starts[t] + 3 * arity;
    const columns = new Int32Array(starts[this.size]);
    let k = 0;
    for (const group of this.#groups) {
      group.columns(columns, k);
      k += 3 * group.count * group.arity;
    }
    this.rows = { starts, columns, values: new Float64Array(columns.length) };
  }

  evaluate(positions: Float64Array): void {
    let [t, k] = [0, 0];
    for (const group of this.#groups) {
      group.run(positions, this.features, t, this.rows.values, k);
      t += group.count;
      k += 3 * group.count * group.arity;
    }
  }
}

/** Every coordinate of n atoms. */
export const allCoordinates = (n: number): Int32Array => Int32Array.from({ length: 3 * n }, (_, k) => k);

/** All pairs i < j of n atoms, j varying fastest. */
export const allPairs = (n: number): [number, number][] =>
  Array.from({ length: n }, (_, i) =>
    Array.from({ length: n - i - 1 }, (_, k): [number, number] => [i, i + 1 + k]),
  ).flat();
