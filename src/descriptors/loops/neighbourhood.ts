import type { Kernel } from "../../device/device.ts";
import type { Memory } from "../../device/memory.ts";
import type { FloatFormat } from "../../formula/formats.ts";
import type { Environments } from "../environments.ts";
import { MOST } from "./hoist.ts";

/** Rows in f64 that radial kernels read and write, one number per lane: |r_ij|, its tangent, derivatives. */
const RADIAL = { r: 0, dr: 1, out: 2 } as const;
const RADIAL_ROWS = 3;

/**
 * Rows that angular kernels read, in their format: |r_ij| and its tangent, r_ij and its tangent, and from `hoisted` on
 * values of functions of |r_ij| with their slopes or tangents.
 */
export const ROW = { r: 0, dr: 1, x: 2, tx: 5, hoisted: 8 } as const;
const ROWS = ROW.hoisted + 2 * MOST;

/** Numbers in the format of a loop. */
export type Reals = Float64Array | Float32Array;

/**
 * The neighbours of one centre within a cutoff, structure of arrays, by element, for the kernels that read them in
 * place: radial ones in f64, which cost little and meet the steepest functions, angular ones in a format of their own. Each element's run starts at a full vector and is filled up to the next one by lanes beyond every cutoff,
 * which add exactly 0.
 *
 * Derivatives are collected as coefficients: dE/dr_ij = g + a r_ij.
 */
export class Neighbourhood {
  readonly #memory: Memory;

  readonly format: FloatFormat;
  /** Lanes of element s are first[s] … last[s]; padding lanes follow. With tangents, those up to moving[s] have one that is not 0. */
  readonly first: Int32Array;
  readonly last: Int32Array;
  readonly moving: Int32Array;
  /** Lanes there is room for; also the distance between the rows, in lanes. */
  capacity = 0;
  /** Byte address of the radial rows; of the rows; of (x, y, z, 1) of each lane; of the coefficients (g, a) of each lane. */
  radial = 0;
  address = 0;
  points = 0;
  sums = 0;
  #radial: Float64Array = new Float64Array(0);
  #rows: Reals = new Float64Array(0);
  #points: Reals = new Float64Array(0);
  #sums: Reals = new Float64Array(0);
  /** What the radial terms add to a. */
  #along = new Float64Array(0);
  /** Pair of each lane, −1 for padding. */
  #pair = new Int32Array(0);
  /** Lanes in use, padding included. */
  #lanes = 0;
  /** What is loaded. */
  #env: Environments | null = null;
  #origin = 0;
  #cutoff = 0;
  /** The kernel that wrote the rows of hoisted functions of each element. */
  readonly #hoisted: (Kernel | null)[];

  constructor(memory: Memory, format: FloatFormat, elements: number) {
    this.#memory = memory;
    this.format = format;
    this.first = new Int32Array(elements);
    this.last = new Int32Array(elements);
    this.moving = new Int32Array(elements);
    this.#hoisted = Array.from({ length: elements }, () => null);
  }

  /** Takes the neighbours of centre c that are closer than `cutoff`. */
  load(env: Environments, c: number, cutoff: number): void {
    this.#begin(env, c, cutoff);
    const { offsets, distances } = env;
    const S = env.elements.length;
    let n = 0;
    for (let s = 0; s < S; s++) {
      this.first[s] = n;
      const end = offsets[c * S + s + 1];
      for (let p = offsets[c * S + s]; p < end; p++) if (distances[p] < cutoff) this.#pair[n++] = p;
      this.last[s] = this.moving[s] = n;
      n = this.#fill(n);
    }
    this.#place(n);
  }

  /** The same with the tangents [pairs, 3], those that are not 0 first in each element's run; false if all are 0. */
  loadMoving(env: Environments, c: number, cutoff: number, tangents: Float64Array): boolean {
    this.#begin(env, c, cutoff);
    const { offsets, distances } = env;
    const S = env.elements.length;
    const pair = this.#pair;
    let n = 0;
    for (let s = 0; s < S; s++) {
      this.first[s] = n;
      const [begin, end] = [offsets[c * S + s], offsets[c * S + s + 1]];
      for (let p = begin; p < end; p++) if (distances[p] < cutoff && isMoving(tangents, p)) pair[n++] = p;
      this.moving[s] = n;
      for (let p = begin; p < end; p++) if (distances[p] < cutoff && !isMoving(tangents, p)) pair[n++] = p;
      this.last[s] = n;
      n = this.#fill(n);
    }
    if (this.moving.every((m, s) => m === this.first[s])) return false;
    this.#place(n);
    this.#placeTangents(tangents);
    return true;
  }

  #begin(env: Environments, c: number, cutoff: number): void {
    const S = env.elements.length;
    const { lanes } = this.format;
    const most = env.offsets[(c + 1) * S] - env.offsets[c * S] + lanes * S;
    if (most > this.capacity) this.#grow(most);
    this.#env = env;
    this.#origin = env.offsets[c * S];
    this.#cutoff = cutoff;
    this.#hoisted.fill(null);
  }

  /** Padding up to the next full vector. */
  #fill(n: number): number {
    const end = this.#padded(n);
    for (let k = n; k < end; k++) this.#pair[k] = -1;
    return end;
  }

  #padded(n: number): number {
    const { lanes } = this.format;
    return (n + lanes - 1) & -lanes;
  }

  #place(lanes: number): void {
    const { vectors, distances } = this.#env!;
    const radial = this.#radial;
    const rows = this.#rows;
    const points = this.#points;
    const pair = this.#pair;
    const X = ROW.x * this.capacity;
    const Y = X + this.capacity;
    const Z = Y + this.capacity;
    const far = 2 * this.#cutoff;
    for (let n = 0; n < lanes; n++) {
      const p = pair[n];
      if (p < 0) {
        radial[n] = far;
        rows[n] = far;
        continue;
      }
      const r = distances[p];
      const x = vectors[3 * p];
      const y = vectors[3 * p + 1];
      const z = vectors[3 * p + 2];
      radial[n] = r;
      rows[n] = r;
      rows[X + n] = x;
      rows[Y + n] = y;
      rows[Z + n] = z;
      points[4 * n] = x;
      points[4 * n + 1] = y;
      points[4 * n + 2] = z;
    }
    this.#lanes = lanes;
  }

  #placeTangents(tangents: Float64Array): void {
    const { vectors, distances } = this.#env!;
    const [radial, rows, pair, C] = [this.#radial, this.#rows, this.#pair, this.capacity];
    for (let n = 0; n < this.#lanes; n++) {
      const p = pair[n];
      if (p < 0) {
        radial[C + n] = rows[C + n] = 0;
        continue;
      }
      let along = 0;
      for (let k = 0; k < 3; k++) {
        const t = tangents[3 * p + k];
        rows[(5 + k) * C + n] = t;
        along += vectors[3 * p + k] * t;
      }
      radial[C + n] = rows[C + n] = along / distances[p];
    }
  }

  /** Forgets the derivatives collected. */
  clearGradient(): void {
    this.#sums.fill(0, 0, 4 * this.#lanes);
    this.#along.fill(0, 0, this.#lanes);
  }

  /** Adds what a radial kernel wrote for the neighbours of element s, `begin` lanes after `values`' first, to a. */
  addAlong(s: number, values = this.#radial, begin = RADIAL.out * this.capacity + this.first[s]): void {
    const along = this.#along;
    const first = this.first[s];
    const count = this.last[s] - first;
    for (let k = 0; k < count; k++) along[first + k] += values[begin + k];
  }

  /** ADDS the derivatives collected to gradient, [pairs, 3] of all centres, or of this one's pairs from `offset` on. */
  addGradient(gradient: Float64Array, offset = 3 * this.#origin): void {
    const { vectors } = this.#env!;
    const [sums, along, pair] = [this.#sums, this.#along, this.#pair];
    for (let n = 0; n < this.#lanes; n++) {
      const p = pair[n];
      if (p < 0) continue;
      const o = offset + 3 * (p - this.#origin);
      const a = sums[4 * n + 3] + along[n];
      gradient[o] += sums[4 * n] + a * vectors[3 * p];
      gradient[o + 1] += sums[4 * n + 1] + a * vectors[3 * p + 1];
      gradient[o + 2] += sums[4 * n + 2] + a * vectors[3 * p + 2];
    }
  }

  /** Byte addresses of the distances of the neighbours of element s, in f64, and of what radial kernels write. */
  radialInputs(s: number): number {
    return this.radial + 8 * this.first[s];
  }
  radialOutputs(s: number): number {
    return this.radialInputs(s) + RADIAL.out * this.radialStride;
  }
  /** Bytes from one radial row to the next. */
  get radialStride(): number {
    return 8 * this.capacity;
  }

  /** Byte address of a row. */
  row(row: number): number {
    return this.address + this.format.bytes * this.capacity * row;
  }

  /** Bytes from one row to the next. */
  get stride(): number {
    return this.format.bytes * this.capacity;
  }

  /** Runs a kernel of functions of |r_ij| (and its tangent) over the neighbours of element s, unless it was the last one. */
  hoist(kernel: Kernel, s: number): void {
    if (this.#hoisted[s] === kernel) return;
    this.#hoisted[s] = kernel;
    const n = this.lanesOf(s);
    if (n === 0) return;
    const lane = this.format.bytes * this.first[s];
    kernel.run(n, this.address + lane, this.stride, 0, this.row(ROW.hoisted) + lane, 0);
  }

  /** Lanes of element s, padding included. */
  lanesOf(s: number): number {
    return this.#padded(this.last[s] - this.first[s]);
  }

  /** The same of those whose tangents are not 0, filled up by others of the element. */
  movingLanesOf(s: number): number {
    return this.#padded(this.moving[s] - this.first[s]);
  }

  #grow(most: number): void {
    // Device memory is never freed: doubling bounds the waste by the final size.
    const capacity = Math.max(64, 2 ** Math.ceil(Math.log2(most)));
    const { bytes } = this.format;
    const view = (address: number, n: number): Reals =>
      bytes === 8 ? this.#memory.f64(address, n) : this.#memory.f32(address, n);
    this.radial = this.#memory.alloc(8 * RADIAL_ROWS * capacity);
    this.#radial = this.#memory.f64(this.radial, RADIAL_ROWS * capacity);
    this.address = this.#memory.alloc(ROWS * bytes * capacity);
    this.points = this.#memory.alloc(4 * bytes * capacity);
    this.sums = this.#memory.alloc(4 * bytes * capacity);
    this.#rows = view(this.address, ROWS * capacity);
    this.#points = view(this.points, 4 * capacity).fill(1);
    this.#sums = view(this.sums, 4 * capacity);
    this.#along = new Float64Array(capacity);
    this.#pair = new Int32Array(capacity);
    this.capacity = capacity;
  }
}

const isMoving = (tangents: Float64Array, p: number): boolean =>
  tangents[3 * p] !== 0 || tangents[3 * p + 1] !== 0 || tangents[3 * p + 2] !== 0;
