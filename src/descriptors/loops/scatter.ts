import type { Memory } from "../../device/memory.ts";

/**
 * Features that are not the loops' sums one after another: column t of the row is Σ weight_k · sum_k over the sums k
 * that go there. Weighted functions add several neighbour elements into one column; a list of functions keeps its order.
 */
export class Scatter {
  /** Byte address of the loops' own row, one number per sum. */
  readonly address: number;
  readonly #sums: Float64Array;
  readonly #columns: Int32Array;
  readonly #weights: Float64Array;
  readonly #heap: Float64Array;
  #jacobian = new Float64Array(0);

  constructor(columns: readonly number[], weights: readonly number[], memory: Memory) {
    this.#columns = Int32Array.from(columns);
    this.#weights = Float64Array.from(weights);
    this.address = memory.alloc(8 * columns.length);
    this.#sums = memory.f64(this.address, columns.length);
    this.#heap = new Float64Array(memory.memory.buffer);
  }

  clear(): void {
    this.#sums.fill(0);
  }

  /** ADDS the sums to the feature row at byte address `row`. */
  add(row: number): void {
    const [columns, weights, sums, heap] = [this.#columns, this.#weights, this.#sums, this.#heap];
    for (let k = 0; k < sums.length; k++) heap[row / 8 + columns[k]] += weights[k] * sums[k];
  }

  /** Overwrites the sums with the derivatives by them, from those by the features at byte address `row`. */
  gather(row: number): void {
    const [columns, weights, sums, heap] = [this.#columns, this.#weights, this.#sums, this.#heap];
    for (let k = 0; k < sums.length; k++) sums[k] = weights[k] * heap[row / 8 + columns[k]];
  }

  /** Zeroed rows [sums, width] for the loops' Jacobian. */
  jacobianRows(width: number): Float64Array {
    const size = this.#sums.length * width;
    if (this.#jacobian.length < size) this.#jacobian = new Float64Array(size);
    return this.#jacobian.subarray(0, size).fill(0);
  }

  /** ADDS the loops' rows [sums, width] to rows [features, width]. */
  addJacobian(own: Float64Array, rows: Float64Array, width: number): void {
    for (const [k, column] of this.#columns.entries())
      for (let p = 0; p < width; p++) rows[column * width + p] += this.#weights[k] * own[k * width + p];
  }
}
