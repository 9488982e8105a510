import type { Device, Kernel } from "../../device/device.ts";
import { gradient } from "../../formula/derivative.ts";
import { div, mul, sqrt, square, sub, add, variable } from "../../formula/expression.ts";
import type { Expr } from "../../formula/expression.ts";
import type { Environments } from "../environments.ts";
import { compileGather, compileSpread, J, K, LANES, ROWS, TABLE } from "./triplets.ts";
import type { Gather, Spread } from "./triplets.ts";
import { hoist, MOST } from "./hoist.ts";
import { Neighbourhood } from "./neighbourhood.ts";
import { r } from "./radial.ts";
import { compilePieces } from "./term.ts";
import type { Term, TermKernels } from "./term.ts";

/** |r_ij| and |r_ik|, Å: the distances of the two neighbours from the centre. */
export const rij = variable("rij");
export const rik = variable("rik");
/** |r_jk|², Å²: free of the square root and smooth where the neighbours meet. */
export const rjkSquared = variable("rjk2");
/** |r_jk|, Å. */
export const rjk = sqrt(rjkSquared);
/** cos θ_jik, by the law of cosines. */
export const cosTheta = div(sub(add(square(rij), square(rik)), rjkSquared), mul(2, mul(rij, rik)));

const VARIABLES = ["rij", "rik", "rjk2"] as const;

/** Angular terms of the pairs of neighbours of elements a ≤ b: features first, first + 1, … of the row. */
export interface AngularBlock {
  /** Element indices of the neighbours. */
  readonly neighbours: readonly [a: number, b: number];
  readonly first: number;
  readonly kernels: AngularKernels;
  /** Å. */
  readonly cutoff: number;
  /** Every term is exactly 0 where r_jk is the cutoff or more, so those triplets are left out. */
  readonly narrow: boolean;
}

/** Kernels of a block, and of the functions of one neighbour that its terms share. */
export interface AngularKernels {
  readonly pieces: readonly TermKernels[];
  readonly hoisted: {
    readonly count: number;
    /** elementwise: the functions, of r. */
    readonly values: Kernel;
    /** elementwise: their derivatives. */
    readonly slopes: Kernel;
  } | null;
}

/** Compiles the terms of one block. */
export function compileAngular(terms: readonly Term[], device: Device): AngularKernels {
  const taken = hoist(terms, rij, rik, r);
  const { functions } = taken;
  const pieces = compilePieces("angular", terms, VARIABLES, device, taken);
  if (functions.length === 0) return { pieces, hoisted: null };
  const compile = (name: string, elementwise: readonly Expr[]) =>
    device.compile({ name, varying: ["r"], uniform: [], elementwise });
  const slopes = functions.flatMap((f) => gradient(f, [r]));
  const hoisted = { values: compile("hoisted", functions), slopes: compile("hoisted slopes", slopes) };
  return { pieces, hoisted: { count: functions.length, ...hoisted } };
}

/** What is done with n triplets of a block; `row` is the byte address of features or weights. */
type Flush = (block: AngularBlock, n: number, row: number) => void;

/** G_t = Σ_{j<k} ψ_t(r_ij, r_ik, r_jk), one centre at a time. Blocks must come in runs of equal cutoff. */
export class AngularLoop {
  readonly #near: Neighbourhood;
  readonly #device: Device;
  /** By the number of hoisted functions. */
  readonly #gatherers: readonly Gather[];
  readonly #spreaders: readonly Spread[];
  /** Byte addresses and views of the table of triplets, which kernels read, and of the derivatives by its rows. */
  readonly #inputs: number;
  readonly #outputs: number;
  readonly #geometry: Float64Array;
  /** Neighbourhood lanes of j and k of each triplet. */
  readonly #j: Int32Array;
  readonly #k: Int32Array;
  #table = 0;
  #tableTerms = 0;

  constructor(device: Device, elements: number) {
    this.#device = device;
    this.#near = new Neighbourhood(device.memory, elements);
    this.#gatherers = Array.from({ length: MOST + 1 }, (_, h) => compileGather(device.memory, h));
    this.#spreaders = Array.from({ length: MOST + 1 }, (_, h) => compileSpread(device.memory, h));
    this.#inputs = device.memory.alloc(TABLE);
    this.#j = device.memory.i32(this.#inputs + J, LANES);
    this.#k = device.memory.i32(this.#inputs + K, LANES);
    this.#outputs = device.memory.alloc(8 * ROWS * LANES);
    this.#geometry = device.memory.f64(this.#inputs, ROWS * LANES);
  }

  /** ADDS the features of centre c to the row at byte address `row`. */
  forward(blocks: readonly AngularBlock[], env: Environments, c: number, row: number): void {
    let cutoff = 0;
    for (const block of blocks) {
      if (block.cutoff !== cutoff) this.#near.load(env, c, (cutoff = block.cutoff));
      this.#hoist(block, false);
      this.#gather(block, row, this.#forwardChunk, true);
    }
  }

  /** ADDS Σ_t w_t ∂G_t/∂r_ij to gradient [pairs, 3]; the weights are the row at byte address `row`. */
  pullback(
    blocks: readonly AngularBlock[],
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
      this.#hoist(block, true);
      this.#gather(block, row, this.#pullbackChunk, true);
      const { hoisted } = block.kernels;
      if (hoisted) for (const s of new Set(block.neighbours)) near.settleHoisted(hoisted.count, s);
    }
    if (cutoff !== 0) near.addGradient(gradient);
  }

  /** ADDS Σ_j ∂G_t/∂r_ij · tangents to the row at byte address `row`. */
  pushforward(
    blocks: readonly AngularBlock[],
    env: Environments,
    c: number,
    tangents: Float64Array,
    row: number,
  ): void {
    let cutoff = 0;
    for (const block of blocks) {
      if (block.cutoff !== cutoff) {
        this.#near.load(env, c, (cutoff = block.cutoff));
        this.#near.loadTangents(tangents);
      }
      this.#gather(block, row, this.#pushforwardChunk);
    }
  }

  /** ADDS ∂G_t/∂r_ij to rows [size, pairs of centre c, 3]. */
  jacobian(blocks: readonly AngularBlock[], env: Environments, c: number, rows: Float64Array): void {
    const S = env.elements.length;
    const origin = env.offsets[c * S];
    const width = 3 * (env.offsets[(c + 1) * S] - origin);
    for (const block of blocks) {
      this.#near.load(env, c, block.cutoff);
      this.#gather(block, 0, (_, n) => this.#jacobianChunk(block, n, rows, origin, width));
    }
  }

  /** Values, and slopes where they are asked for, of the block's hoisted functions at its neighbours. */
  #hoist({ kernels: { hoisted }, neighbours }: AngularBlock, slopes: boolean): void {
    if (!hoisted) return;
    const near = this.#near;
    const stride = 8 * near.capacity;
    for (const s of new Set(neighbours)) {
      const [n, lane] = [near.lanesOf(s), 8 * near.first[s]];
      if (n === 0) continue;
      const inputs = near.address + lane;
      hoisted.values.run(n, inputs, stride, 0, near.hoistedAddress("values") + lane, 0);
      if (slopes) hoisted.slopes.run(n, inputs, stride, 0, near.hoistedAddress("slopes") + lane, 0);
    }
  }

  /** Geometry of the block's triplets, LANES at a time, each time handed to `flush`; with what was hoisted, or without. */
  #gather(block: AngularBlock, row: number, flush: Flush, hoisted = false): void {
    const { cutoff, narrow } = block;
    const [a, b] = block.neighbours;
    const { first, last, address, capacity } = this.#near;
    const limit = narrow ? cutoff * cutoff : Infinity;
    const end = last[b];
    const gatherer = this.#gatherers[hoisted ? (block.kernels.hoisted?.count ?? 0) : 0];
    let n = 0;
    for (let j = first[a]; j < last[a]; j++)
      for (let k = a === b ? j + 1 : first[b]; k < end;) {
        const stop = Math.min(end, k + LANES - n);
        n = gatherer.run(address, 8 * capacity, j, k, stop, n, this.#inputs, limit);
        k = stop;
        if (n === LANES) {
          flush(block, n, row);
          n = 0;
        }
      }
    if (n > 0) {
      if (n % 2 === 1) this.#pad(n, cutoff);
      flush(block, n, row);
    }
  }

  /** A lane beyond every cutoff: its terms and their derivatives are exactly 0. */
  #pad(n: number, cutoff: number): void {
    const geometry = this.#geometry;
    const far = 2 * cutoff;
    geometry[n] = far;
    geometry[LANES + n] = far;
    geometry[2 * LANES + n] = far * far;
    // Tangents, or hoisted functions, cutoffs among them.
    for (let row = 3; row < ROWS; row++) geometry[row * LANES + n] = 0;
  }

  readonly #forwardChunk: Flush = ({ first, kernels: { pieces } }, n, row) => {
    let sums = row + 8 * first;
    for (const { forward, count } of pieces) {
      forward.run(n + (n & 1), this.#inputs, 8 * LANES, 0, 0, sums);
      sums += 8 * count;
    }
  };

  readonly #pullbackChunk: Flush = ({ first, kernels: { pieces, hoisted } }, n, row) => {
    let weights = row + 8 * first;
    for (const { pullback, count } of pieces) {
      pullback.run(n + (n & 1), this.#inputs, 8 * LANES, weights, this.#outputs, 0);
      this.#spread(n, this.#outputs, hoisted?.count ?? 0);
      weights += 8 * count;
    }
  };

  readonly #pushforwardChunk: Flush = ({ first, kernels: { pieces } }, n, row) => {
    const { dr, x, y, z, tx, ty, tz } = this.#near;
    const js = this.#j;
    const ks = this.#k;
    const geometry = this.#geometry;
    for (let i = 0; i < n; i++) {
      const j = js[i];
      const k = ks[i];
      geometry[3 * LANES + i] = dr[j];
      geometry[4 * LANES + i] = dr[k];
      geometry[5 * LANES + i] =
        2 *
        ((x[k] - x[j]) * (tx[k] - tx[j]) + (y[k] - y[j]) * (ty[k] - ty[j]) + (z[k] - z[j]) * (tz[k] - tz[j]));
    }
    let sums = row + 8 * first;
    for (const { pushforward, count } of pieces) {
      pushforward.run(n + (n & 1), this.#inputs, 8 * LANES, 0, 0, sums);
      sums += 8 * count;
    }
  };

  #jacobianChunk(
    { first, kernels: { pieces } }: AngularBlock,
    n: number,
    rows: Float64Array,
    origin: number,
    width: number,
  ): void {
    const near = this.#near;
    let feature = first;
    for (const { jacobian, count } of pieces) {
      const table = this.#reserve(count);
      jacobian.run(n + (n & 1), this.#inputs, 8 * LANES, 0, table, 0);
      for (let t = 0; t < count; t++, feature++) {
        near.clearGradient();
        this.#spread(n, table + 8 * 3 * LANES * t, 0);
        near.addGradient(rows, origin, feature * width);
      }
    }
  }

  /** ADDS derivatives of n triplets, at a byte address, to the two neighbours of each. */
  #spread(n: number, derivatives: number, hoisted: number): void {
    const { address, capacity } = this.#near;
    this.#spreaders[hoisted].run(address, 8 * capacity, n, this.#inputs, derivatives);
  }

  #reserve(terms: number): number {
    if (terms > this.#tableTerms) {
      this.#table = this.#device.memory.alloc(3 * 8 * LANES * terms);
      this.#tableTerms = terms;
    }
    return this.#table;
  }
}
