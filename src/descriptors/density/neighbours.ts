import type { Memory } from "../../device/memory.ts";
import type { Environments } from "../environments.ts";

/** Rows of lanes in device memory: x, y, z, their tangents, gx, gy, gz. */
const ROWS = 9;
const TANGENT = 3;
const GRADIENT = 6;

/**
 * The neighbours of one element around one centre, components apart, in device memory. An odd count is followed by one
 * lane beyond the cutoff, where every function is exactly 0.
 */
export class ElementNeighbours {
  readonly #memory: Memory;
  readonly #all: number;
  #rows: Float64Array = new Float64Array(0);
  #pair = new Int32Array(0);
  /** Byte address of the rows, and bytes from one to the next. */
  address = 0;
  stride = 0;
  /** Lanes in use, padding included. */
  lanes = 0;
  /** Neighbours. */
  count = 0;

  /** Number of the pair in each lane, padding left out. */
  get pairs(): Int32Array {
    return this.#pair;
  }

  /** `extra` rows behind the others are for what reads them with the neighbours. */
  constructor(memory: Memory, extra = 0) {
    this.#memory = memory;
    this.#all = ROWS + extra;
  }

  /** Byte address of the extra rows. */
  get extra(): number {
    return this.address + ROWS * this.stride;
  }

  /** Byte address of the row of gx; gy and gz follow. */
  get gradients(): number {
    return this.address + GRADIENT * this.stride;
  }

  /** Takes the neighbours of element s of centre c that are closer than `cutoff`; returns the lanes. */
  load(env: Environments, c: number, s: number, cutoff: number): number {
    const { offsets, vectors, distances } = env;
    const first = offsets[c * env.elements.length + s];
    const last = offsets[c * env.elements.length + s + 1];
    if (8 * (last - first + 1) > this.stride) this.#grow(last - first + 1);
    const rows = this.#rows;
    const pair = this.#pair;
    const capacity = this.stride / 8;
    let n = 0;
    for (let p = first; p < last; p++) {
      if (distances[p] >= cutoff) continue;
      rows[n] = vectors[3 * p];
      rows[capacity + n] = vectors[3 * p + 1];
      rows[2 * capacity + n] = vectors[3 * p + 2];
      pair[n++] = p;
    }
    this.count = n;
    if (n % 2 === 1) {
      rows[n] = 2 * cutoff;
      rows[capacity + n] = 0;
      rows[2 * capacity + n] = 0;
      n++;
    }
    return (this.lanes = n);
  }

  /** Takes the tangents [pairs, 3] of the neighbours loaded. */
  loadTangents(tangents: Float64Array): void {
    const capacity = this.stride / 8;
    for (let k = 0; k < 3; k++) {
      const row = (TANGENT + k) * capacity;
      for (let n = 0; n < this.count; n++) this.#rows[row + n] = tangents[3 * this.#pair[n] + k];
      if (this.count < this.lanes) this.#rows[row + this.count] = 0;
    }
  }

  /** ADDS what a kernel wrote to the gradient rows to gradient [pairs, 3]. */
  addGradient(gradient: Float64Array): void {
    const rows = this.#rows;
    const capacity = this.stride / 8;
    const [gx, gy, gz] = [GRADIENT * capacity, (GRADIENT + 1) * capacity, (GRADIENT + 2) * capacity];
    for (let n = 0; n < this.count; n++) {
      const o = 3 * this.#pair[n];
      gradient[o] += rows[gx + n];
      gradient[o + 1] += rows[gy + n];
      gradient[o + 2] += rows[gz + n];
    }
  }

  /** ADDS derivatives [features, 3, columns] to rows [features, width], whose column 0 is pair `origin`. */
  addRows(
    derivatives: Float64Array,
    columns: number,
    features: number,
    rows: Float64Array,
    width: number,
    origin: number,
  ): void {
    const { count } = this;
    const pair = this.#pair;
    for (let f = 0; f < features; f++)
      for (let n = 0; n < count; n++) {
        const from = 3 * f * columns + n;
        const to = f * width + 3 * (pair[n] - origin);
        rows[to] += derivatives[from];
        rows[to + 1] += derivatives[from + columns];
        rows[to + 2] += derivatives[from + 2 * columns];
      }
  }

  #grow(most: number): void {
    // Device memory is never freed: doubling bounds the waste by the final size.
    const capacity = Math.max(32, 2 ** Math.ceil(Math.log2(most)));
    this.stride = 8 * capacity;
    this.address = this.#memory.alloc(this.#all * this.stride);
    this.#rows = this.#memory.f64(this.address, ROWS * capacity);
    this.#pair = new Int32Array(capacity);
  }
}
