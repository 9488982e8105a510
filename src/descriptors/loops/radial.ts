import type { Device } from "../../device/device.ts";
import { variable } from "../../formula/expression.ts";
import type { Environments } from "../environments.ts";
import { Neighbourhood } from "./neighbourhood.ts";
import { compilePieces } from "./term.ts";
import type { Term, TermKernels } from "./term.ts";

/** The distance |r_ij| (Å) in a radial term. */
export const r = variable("r");

/** Radial terms of the neighbours of one element: features first, first + 1, … of the row. */
export interface RadialBlock {
  /** Element index of the neighbours. */
  readonly neighbour: number;
  readonly first: number;
  readonly pieces: readonly TermKernels[];
  /** Å. */
  readonly cutoff: number;
}

/** Compiles the terms of one block. */
export const compileRadial = (terms: readonly Term[], device: Device): TermKernels[] =>
  compilePieces("radial", terms, ["r"], device);

/** G_t = Σ_j φ_t(r_ij), one centre at a time. Blocks must come in runs of equal cutoff. */
export class RadialLoop {
  readonly #near: Neighbourhood;
  readonly #device: Device;
  #table = 0;
  #tableLanes = 0;

  constructor(device: Device, elements: number) {
    this.#device = device;
    this.#near = new Neighbourhood(device.memory, elements);
  }

  /** ADDS the features of centre c to the row at byte address `row`. */
  forward(blocks: readonly RadialBlock[], env: Environments, c: number, row: number): void {
    const near = this.#near;
    let cutoff = 0;
    for (const block of blocks) {
      if (block.cutoff !== cutoff) near.load(env, c, (cutoff = block.cutoff));
      const n = near.lanesOf(block.neighbour);
      if (n === 0) continue;
      let sums = row + 8 * block.first;
      for (const { forward, count } of block.pieces) {
        forward.run(n, near.address + 8 * near.first[block.neighbour], 8 * near.capacity, 0, 0, sums);
        sums += 8 * count;
      }
    }
  }

  /** ADDS Σ_t w_t ∂G_t/∂r_ij to gradient [pairs, 3]; the weights are the row at byte address `row`. */
  pullback(
    blocks: readonly RadialBlock[],
    env: Environments,
    c: number,
    row: number,
    gradient: Float64Array,
  ): void {
    const near = this.#near;
    let cutoff = 0;
    for (const block of blocks) {
      if (block.cutoff !== cutoff) {
        if (cutoff !== 0) near.addGradient(gradient);
        near.load(env, c, (cutoff = block.cutoff));
        near.clearGradient();
      }
      const s = block.neighbour;
      const n = near.lanesOf(s);
      if (n === 0) continue;
      const inputs = near.address + 8 * near.first[s];
      const stride = 8 * near.capacity;
      let weights = row + 8 * block.first;
      for (const { pullback, count } of block.pieces) {
        pullback.run(n, inputs, stride, weights, inputs + 2 * stride, 0);
        for (let k = near.first[s]; k < near.last[s]; k++) near.along[k] += near.derivative[k];
        weights += 8 * count;
      }
    }
    if (cutoff !== 0) near.addGradient(gradient);
  }

  /** ADDS Σ_j ∂G_t/∂r_ij · tangents to the row at byte address `row`. */
  pushforward(
    blocks: readonly RadialBlock[],
    env: Environments,
    c: number,
    tangents: Float64Array,
    row: number,
  ): void {
    const near = this.#near;
    let cutoff = 0;
    for (const block of blocks) {
      if (block.cutoff !== cutoff) {
        near.load(env, c, (cutoff = block.cutoff));
        near.loadTangents(tangents);
      }
      const n = near.lanesOf(block.neighbour);
      if (n === 0) continue;
      let sums = row + 8 * block.first;
      for (const { pushforward, count } of block.pieces) {
        pushforward.run(n, near.address + 8 * near.first[block.neighbour], 8 * near.capacity, 0, 0, sums);
        sums += 8 * count;
      }
    }
  }

  /** ADDS ∂G_t/∂r_ij to rows [size, pairs of centre c, 3]. */
  jacobian(blocks: readonly RadialBlock[], env: Environments, c: number, rows: Float64Array): void {
    const near = this.#near;
    const S = env.elements.length;
    const origin = env.offsets[c * S];
    const width = 3 * (env.offsets[(c + 1) * S] - origin);
    for (const block of blocks) {
      near.load(env, c, block.cutoff);
      const s = block.neighbour;
      const n = near.lanesOf(s);
      if (n === 0) continue;
      let feature = block.first;
      for (const { jacobian, count } of block.pieces) {
        const stride = 8 * near.capacity;
        const table = this.#reserve(near.capacity * count);
        jacobian.run(n, near.address + 8 * near.first[s], stride, 0, table, 0);
        const derivative = this.#device.memory.f64(table, near.capacity * count);
        for (let t = 0; t < count; t++, feature++) {
          near.clearGradient();
          for (let k = 0; k < n; k++) near.along[near.first[s] + k] = derivative[t * near.capacity + k];
          near.addGradient(rows, origin, feature * width);
        }
      }
    }
  }

  #reserve(lanes: number): number {
    if (lanes > this.#tableLanes) {
      this.#table = this.#device.memory.alloc(8 * lanes);
      this.#tableLanes = lanes;
    }
    return this.#table;
  }
}
