import type { Device } from "../../device/device.ts";
import type { Environments } from "../environments.ts";
import type { Layer } from "./density.ts";
import { ElementNeighbours } from "./neighbours.ts";
import { LANES, NODE } from "./lanes.ts";
import { Room } from "./room.ts";
import { Slopes } from "./slopes.ts";
import type { ProductTable } from "./table.ts";

/**
 * LANES atoms of one element on their way through a density: rows of A (one per atom, or of derivatives by A, or of
 * tangents), the same numbers with atoms side by side for the tables of products, features.
 */
export class AtomBlock {
  readonly #device: Device;
  readonly #near: ElementNeighbours;
  /** [LANES, columns]. */
  readonly #A: Room;
  readonly #dA: Room;
  /** [nodes, 2, LANES]. */
  readonly #X: Room;
  readonly #dX: Room;
  readonly #Y: Room;
  /** Features or weights, [features, LANES]. */
  readonly #G: Room;
  /** Of `jacobian`: ∂A/∂r_ij and ∂G/∂r_ij. */
  readonly #derivatives: Room;
  readonly #result: Room;

  constructor(device: Device) {
    this.#device = device;
    this.#near = new ElementNeighbours(device.memory);
    const room = () => new Room(device.memory);
    [this.#A, this.#dA, this.#X, this.#dX, this.#Y, this.#G] = [
      room(),
      room(),
      room(),
      room(),
      room(),
      room(),
    ];
    [this.#derivatives, this.#result] = [room(), room()];
  }

  /** A of centres first … first + lanes. */
  collect({ centre, blocks, columns }: Layer, env: Environments, first: number, lanes: number): void {
    const A = this.#A.reserve(LANES * columns);
    for (let l = 0; l < lanes; l++) {
      A.set(centre.start, l * columns);
      for (const { neighbour, cutoff, kernels, uniform, first: column } of blocks) {
        const n = this.#near.load(env, first + l, neighbour, cutoff);
        if (n === 0) continue;
        const sums = this.#A.address + 8 * (l * columns + column);
        kernels.forward.run(n, this.#near.address, this.#near.stride, uniform, 0, sums);
      }
    }
    A.fill(0, lanes * columns, LANES * columns);
  }

  /** Tangents of A. */
  collectTangents(
    { blocks, columns }: Layer,
    env: Environments,
    first: number,
    lanes: number,
    tangents: Float64Array,
  ): void {
    this.#dA.reserve(LANES * columns).fill(0, 0, LANES * columns);
    for (let l = 0; l < lanes; l++)
      for (const { neighbour, cutoff, kernels, uniform, first: column } of blocks) {
        const n = this.#near.load(env, first + l, neighbour, cutoff);
        if (n === 0) continue;
        this.#near.loadTangents(tangents);
        const sums = this.#dA.address + 8 * (l * columns + column);
        kernels.pushforward.run(n, this.#near.address, this.#near.stride, uniform, 0, sums);
      }
  }

  /** X from A. */
  load(layer: Layer, table: ProductTable): void {
    this.#toNodes(layer, this.#A.values, this.#X.reserve(2 * LANES * table.nodes));
    table.prepare(this.#X.address);
    this.#Y.reserve(2 * LANES * table.nodes);
    this.#G.reserve(LANES * table.features);
  }

  #toNodes({ re, im, columns }: Layer, A: Float64Array, X: Float64Array): void {
    for (let k = 0, o = NODE / 8; k < re.length; k++, o += NODE / 8) {
      const [real, imaginary] = [re[k], im[k]];
      for (let l = 0, row = 0; l < LANES; l++, row += columns) {
        X[o + l] = A[row + real];
        X[o + LANES + l] = imaginary < 0 ? 0 : A[row + imaginary];
      }
    }
  }

  value(table: ProductTable): void {
    table.value(this.#X.address, this.#G.address);
  }

  gradient(table: ProductTable): void {
    table.gradient(this.#X.address, this.#G.address, this.#Y.address);
  }

  adjoint(table: ProductTable): void {
    table.adjoint(this.#X.address, this.#G.address, this.#Y.address);
  }

  tangent(layer: Layer, table: ProductTable): void {
    this.#toNodes(layer, this.#dA.values, this.#dX.reserve(2 * LANES * table.nodes));
    table.tangent(this.#X.address, this.#dX.address, this.#G.address);
  }

  /** Derivatives by A from those by X, in the place of A; several nodes may share a column. */
  unload({ re, im, columns }: Layer): void {
    const [A, Y] = [this.#A.values.fill(0, 0, LANES * columns), this.#Y.values];
    for (let k = 0, o = NODE / 8; k < re.length; k++, o += NODE / 8) {
      const [real, imaginary] = [re[k], im[k]];
      for (let l = 0, row = 0; l < LANES; l++, row += columns) {
        A[row + real] += Y[o + l];
        if (imaginary >= 0) A[row + imaginary] += Y[o + LANES + l];
      }
    }
  }

  /** Rows `row` … of a matrix of features. */
  storeFeatures(matrix: Float64Array, row: number, lanes: number, size: number): void {
    const G = this.#G.values;
    for (let l = 0; l < lanes; l++)
      for (let f = 0; f < size; f++) matrix[(row + l) * size + f] = G[f * LANES + l];
  }

  loadWeights(matrix: Float64Array, row: number, lanes: number, size: number): void {
    const G = this.#G.reserve(LANES * size);
    for (let f = 0; f < size; f++)
      for (let l = 0; l < LANES; l++) G[f * LANES + l] = l < lanes ? matrix[(row + l) * size + f] : 0;
  }

  keep({ columns }: Layer, lanes: number, address: number): void {
    this.#device.memory.f64(address, lanes * columns).set(this.#A.values.subarray(0, lanes * columns));
  }

  restore({ columns }: Layer, lanes: number, address: number): void {
    const A = this.#A.reserve(LANES * columns);
    A.set(this.#device.memory.f64(address, lanes * columns));
    A.fill(0, lanes * columns, LANES * columns);
  }

  /** Derivatives of one feature become those of the weight times it. */
  scale({ columns }: Layer, lanes: number): void {
    const [A, G] = [this.#A.values, this.#G.values];
    for (let l = 0; l < lanes; l++) for (let v = l * columns; v < (l + 1) * columns; v++) A[v] *= G[l];
  }

  /** ADDS Σ_v ∂E/∂A_v ∂φ_v/∂r_ij to gradient [pairs, 3], the derivatives by A lying in the place of A. */
  pullback(
    { blocks, columns }: Layer,
    env: Environments,
    first: number,
    lanes: number,
    gradient: Float64Array,
  ): void {
    const near = this.#near;
    const A = this.#A.values;
    for (let l = 0; l < lanes; l++)
      for (const { neighbour, cutoff, kernels, uniform, weights, first: column } of blocks) {
        const n = near.load(env, first + l, neighbour, cutoff);
        if (n === 0) continue;
        const start = l * columns + column;
        weights.set(A.subarray(start, start + kernels.count));
        kernels.pullback.run(n, near.address, near.stride, uniform, near.gradients, 0);
        near.addGradient(gradient);
      }
  }

  /** Overwrites rows [features, pairs of centre c, 3]: (∂G/∂A)(∂A/∂r_ij). */
  jacobian(layer: Layer, table: ProductTable, env: Environments, c: number, rows: Float64Array): void {
    const S = env.elements.length;
    const origin = env.offsets[c * S];
    const width = 3 * (env.offsets[(c + 1) * S] - origin);
    const { features } = table;
    const near = this.#near;
    rows.fill(0, 0, features * width);
    const slopes = layer.slopes(table);
    this.#takeSlopes(layer, table, env, c, slopes);
    for (const [b, { kernels, uniform, neighbour, cutoff }] of layer.blocks.entries()) {
      const n = near.load(env, c, neighbour, cutoff);
      if (n === 0) continue;
      this.#derivatives.reserve((3 * kernels.count * near.stride) / 8);
      kernels.jacobian.run(n, near.address, near.stride, uniform, this.#derivatives.address, 0);
      const columns = Slopes.columnsOf(near);
      this.#result.reserve(3 * features * columns);
      slopes.multiply(b, near, this.#derivatives.address, this.#result.address);
      near.addRows(this.#result.values, columns, features, rows, width, origin);
    }
  }

  /** ∂G/∂A of one centre: the same atom in every lane, a feature in each. */
  #takeSlopes(layer: Layer, table: ProductTable, env: Environments, c: number, slopes: Slopes): void {
    const { features: D } = table;
    const V = layer.columns;
    this.collect(layer, env, c, 1);
    for (let l = 1; l < LANES; l++) this.#A.values.copyWithin(l * V, 0, V);
    this.load(layer, table);
    const W = this.#G.values.fill(0, 0, LANES * D);
    for (let f = 0; f < D; f += LANES) {
      const last = Math.min(D, f + LANES);
      for (let k = f; k < last; k++) W[k * LANES + k - f] = 1;
      table.adjoint(this.#X.address, this.#G.address, this.#Y.address, f, last);
      slopes.take(this.#Y.values, f, last);
    }
  }
}
