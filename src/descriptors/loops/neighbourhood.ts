import type { Memory } from "../../device/memory.ts";
import type { Environments } from "../environments.ts";
import { OWN_ROWS } from "./triplets.ts";
import { MOST } from "./hoist.ts";

/**
 * The neighbours of one centre within a cutoff, structure of arrays, by element. Distances and their tangents lie in
 * device memory, so the radial kernels read them in place; each element's run starts at an even lane and an odd run is
 * followed by one lane beyond every cutoff, which adds exactly 0.
 */
export class Neighbourhood {
  readonly #memory: Memory;
  /** Lanes of element s are first[s] … last[s]; the padding lane, where there is one, is last[s]. */
  readonly first: Int32Array;
  readonly last: Int32Array;
  /** Lanes there is room for; also the distance between the rows below, in lanes. */
  capacity = 0;
  /**
   * Byte address of the rows in device memory: r, dr, derivative, x, y, z, along, gx, gy, gz, then MOST values of hoisted functions, MOST
   * slopes of them and MOST derivatives of the energy by them.
   */
  address = 0;
  /** |r_ij|, Å; its tangent; what a radial pullback kernel writes. */
  r: Float64Array = new Float64Array(0);
  dr: Float64Array = new Float64Array(0);
  derivative: Float64Array = new Float64Array(0);
  /** Slopes of the hoisted functions, and dE by them, [MOST, capacity]. */
  slopes: Float64Array = new Float64Array(0);
  hoisted: Float64Array = new Float64Array(0);
  /** r_ij. */
  x: Float64Array = new Float64Array(0);
  y: Float64Array = new Float64Array(0);
  z: Float64Array = new Float64Array(0);
  /** Tangent of r_ij. */
  tx = new Float64Array(0);
  ty = new Float64Array(0);
  tz = new Float64Array(0);
  /** dE/d|r_ij|, and the rest of dE/dr_ij. */
  along: Float64Array = new Float64Array(0);
  gx: Float64Array = new Float64Array(0);
  gy: Float64Array = new Float64Array(0);
  gz: Float64Array = new Float64Array(0);
  /** Pair of each lane, −1 for padding. */
  pair = new Int32Array(0);
  /** Lanes in use, padding included. */
  lanes = 0;

  constructor(memory: Memory, elements: number) {
    this.#memory = memory;
    this.first = new Int32Array(elements);
    this.last = new Int32Array(elements);
  }

  /** Takes the neighbours of centre c that are closer than `cutoff`. */
  load(env: Environments, c: number, cutoff: number): void {
    const { elements, offsets, vectors, distances } = env;
    const S = elements.length;
    const most = offsets[(c + 1) * S] - offsets[c * S] + 2 * S;
    if (most > this.capacity) this.#grow(most);
    const { first, last, r, x, y, z, pair } = this;
    let n = 0;
    for (let s = 0; s < S; s++) {
      first[s] = n;
      const end = offsets[c * S + s + 1];
      for (let p = offsets[c * S + s]; p < end; p++) {
        if (distances[p] >= cutoff) continue;
        r[n] = distances[p];
        x[n] = vectors[3 * p];
        y[n] = vectors[3 * p + 1];
        z[n] = vectors[3 * p + 2];
        pair[n] = p;
        n++;
      }
      last[s] = n;
      if (n % 2 === 1) {
        r[n] = 2 * cutoff;
        pair[n] = -1;
        n++;
      }
    }
    this.lanes = n;
  }

  /** Takes the tangents [pairs, 3] of the neighbours loaded. */
  loadTangents(tangents: Float64Array): void {
    const { r, x, y, z, dr, tx, ty, tz, pair, lanes } = this;
    for (let n = 0; n < lanes; n++) {
      const p = pair[n];
      if (p < 0) {
        dr[n] = 0;
        continue;
      }
      tx[n] = tangents[3 * p];
      ty[n] = tangents[3 * p + 1];
      tz[n] = tangents[3 * p + 2];
      dr[n] = (x[n] * tx[n] + y[n] * ty[n] + z[n] * tz[n]) / r[n];
    }
  }

  /** Forgets the derivatives collected. */
  clearGradient(): void {
    const { lanes } = this;
    this.along.fill(0, 0, lanes);
    this.gx.fill(0, 0, lanes);
    this.gy.fill(0, 0, lanes);
    this.gz.fill(0, 0, lanes);
  }

  /** ADDS the derivatives collected to gradient, whose entry 0 is pair `origin`, [pairs, 3] from there on. */
  addGradient(gradient: Float64Array, origin = 0, offset = 0): void {
    const { r, x, y, z, along, gx, gy, gz, pair, lanes } = this;
    for (let n = 0; n < lanes; n++) {
      const p = pair[n];
      if (p < 0) continue;
      const o = offset + 3 * (p - origin);
      const a = along[n] / r[n];
      gradient[o] += a * x[n] + gx[n];
      gradient[o + 1] += a * y[n] + gy[n];
      gradient[o + 2] += a * z[n] + gz[n];
    }
  }

  /** Byte address of lane 0 of the values of hoisted functions, or of their slopes. */
  hoistedAddress(what: "values" | "slopes"): number {
    return this.address + 8 * this.capacity * (OWN_ROWS + (what === "values" ? 0 : MOST));
  }

  /** Turns the derivatives by `count` hoisted functions of the neighbours of element s into those by r_ij. */
  settleHoisted(count: number, s: number): void {
    const { along, slopes, hoisted, capacity } = this;
    for (let h = 0; h < count; h++)
      for (let n = this.first[s]; n < this.last[s]; n++) {
        along[n] += hoisted[h * capacity + n] * slopes[h * capacity + n];
        hoisted[h * capacity + n] = 0;
      }
  }

  /** Lanes of element s, padding included. */
  lanesOf(s: number): number {
    const n = this.last[s] - this.first[s];
    return n + (n & 1);
  }

  #grow(most: number): void {
    // Device memory is never freed: doubling bounds the waste by the final size.
    const capacity = Math.max(64, 2 ** Math.ceil(Math.log2(most)));
    this.address = this.#memory.alloc((OWN_ROWS + 3 * MOST) * 8 * capacity);
    const hoisted = (k: number) =>
      this.#memory.f64(this.address + 8 * capacity * (OWN_ROWS + k * MOST), MOST * capacity);
    this.slopes = hoisted(1);
    this.hoisted = hoisted(2).fill(0);
    for (const [k, row] of (
      ["r", "dr", "derivative", "x", "y", "z", "along", "gx", "gy", "gz"] as const
    ).entries())
      this[row] = this.#memory.f64(this.address + 8 * capacity * k, capacity);
    for (const row of ["tx", "ty", "tz"] as const) this[row] = new Float64Array(capacity);
    this.pair = new Int32Array(capacity);
    this.capacity = capacity;
  }
}
