import type { Device } from "../../device/device.ts";
import type { Memory } from "../../device/memory.ts";
import { div, mul, variable } from "../../formula/expression.ts";
import type { Neighbourhood } from "./neighbourhood.ts";
import { compilePieces } from "./term.ts";
import type { Geometry, Term, TermKernels } from "./term.ts";

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

/** The gradient of φ(r_ij) is φ′/r_ij times r_ij: one coefficient. */
const geometry: Geometry = {
  name: "radial",
  precision: "f64",
  variables: ["r"],
  inner: ["r"],
  inputs: { forward: ["r"], pullback: ["r"], pushforward: ["r", "d_r"] },
  coefficients: ([d]) => [mul(d, div(1, r))],
};

/** Compiles the terms of one block. */
export const compileRadial = (terms: readonly Term[], device: Device): TermKernels[] =>
  compilePieces(geometry, terms, terms, device);

/** G_t = Σ_j φ_t(r_ij), of the centre whose neighbours within the cutoff are loaded. */
export class RadialLoop {
  readonly #near: Neighbourhood;
  readonly #memory: Memory;
  /** Byte address of the table of derivatives, and the table. */
  #table = 0;
  #derivatives: Float64Array = new Float64Array(0);

  constructor({ memory }: Device, near: Neighbourhood) {
    this.#memory = memory;
    this.#near = near;
  }

  /** ADDS the features to the row at byte address `row`. */
  forward({ neighbour, first, pieces }: RadialBlock, row: number): void {
    const near = this.#near;
    const n = near.lanesOf(neighbour);
    if (n === 0) return;
    let sums = row + 8 * first;
    for (const { forward, count } of pieces) {
      forward.run(n, near.radialInputs(neighbour), near.radialStride, 0, 0, sums);
      sums += 8 * count;
    }
  }

  /** Collects Σ_t w_t ∂G_t/∂r_ij; the weights are the row at byte address `row`. */
  pullback({ neighbour, first, pieces }: RadialBlock, row: number): void {
    const near = this.#near;
    const n = near.lanesOf(neighbour);
    if (n === 0) return;
    let weights = row + 8 * first;
    for (const { pullback, count } of pieces) {
      pullback.run(
        n,
        near.radialInputs(neighbour),
        near.radialStride,
        weights,
        near.radialOutputs(neighbour),
        0,
      );
      near.addAlong(neighbour);
      weights += 8 * count;
    }
  }

  /** ADDS Σ_j ∂G_t/∂r_ij · tangents to the row at byte address `row`. */
  pushforward({ neighbour, first, pieces }: RadialBlock, row: number): void {
    const near = this.#near;
    const n = near.movingLanesOf(neighbour);
    if (n === 0) return;
    let sums = row + 8 * first;
    for (const { pushforward, count } of pieces) {
      pushforward.run(n, near.radialInputs(neighbour), near.radialStride, 0, 0, sums);
      sums += 8 * count;
    }
  }

  /** ADDS ∂G_t/∂r_ij to rows [size, width]. */
  jacobian({ neighbour, first, pieces }: RadialBlock, rows: Float64Array, width: number): void {
    const near = this.#near;
    const n = near.lanesOf(neighbour);
    if (n === 0) return;
    let feature = first;
    for (const { jacobian, count } of pieces) {
      this.#reserve(near.capacity * count);
      jacobian.run(n, near.radialInputs(neighbour), near.radialStride, 0, this.#table, 0);
      for (let t = 0; t < count; t++, feature++) {
        near.clearGradient();
        near.addAlong(neighbour, this.#derivatives, t * near.capacity);
        near.addGradient(rows, feature * width);
      }
    }
  }

  #reserve(lanes: number): void {
    if (lanes <= this.#derivatives.length) return;
    this.#table = this.#memory.alloc(8 * lanes);
    this.#derivatives = this.#memory.f64(this.#table, lanes);
  }
}
