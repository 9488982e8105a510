import type { Device } from "../../device/device.ts";
import { UPPER } from "../../math/symmetric.ts";
import type { Environments } from "../environments.ts";
import type { Layer } from "./density.ts";
import { nodeOf } from "./monomials.ts";
import type { Polynomial } from "./monomials.ts";
import { ElementNeighbours } from "./neighbours.ts";
import { Room } from "./room.ts";

/**
 * Second derivatives of P(A) = Σ_t w_t G_t(A) of one centre by the vectors to its neighbours: with Φ = ∂A/∂r,
 * Φᵀ (∂²P/∂A∂A) Φ + Σ_v ∂P/∂A_v ∂²φ_v/∂r∂r, the second sum of each neighbour by itself.
 */
export class DensityCurvature {
  readonly #device: Device;
  readonly #near: ElementNeighbours;
  readonly #A: Room;
  /** ∂φ_v/∂r_ij of a block as the kernel writes it; Φ, [columns, width]; ∂²P/∂A∂A; its product with Φ; the block. */
  readonly #jacobian: Room;
  readonly #phi: Room;
  readonly #S: Room;
  readonly #product: Room;
  readonly #block: Room;

  constructor(device: Device) {
    this.#device = device;
    // Rows of second derivatives lie behind a block's neighbours, in the order of UPPER.
    this.#near = new ElementNeighbours(device.memory, UPPER.length);
    const room = () => new Room(device.memory);
    [this.#A, this.#jacobian, this.#phi] = [room(), room(), room()];
    [this.#S, this.#product, this.#block] = [room(), room(), room()];
  }

  /** ADDS to block [3p, 3p] of the p pairs of centre c; weights [features]. */
  add(layer: Layer, env: Environments, c: number, weights: Float64Array, block: Float64Array): void {
    const { columns: V, centre } = layer;
    const S = env.elements.length;
    const origin = env.offsets[c * S];
    const width = 3 * (env.offsets[(c + 1) * S] - origin);
    const A = this.#A.reserve(V);
    A.set(centre.start);
    const phi = this.#phi.reserve(V * width).fill(0, 0, V * width);
    for (const one of layer.blocks) this.#collect(one, env, c, origin, width, phi);
    const slopes = new Float64Array(V);
    const second = this.#S.reserve(V * V).fill(0, 0, V * V);
    derive(layer, combined(centre.polynomial, weights), A, slopes, second);
    const { gemm } = this.#device;
    this.#product.reserve(V * width);
    const out = this.#block.reserve(width * width);
    gemm.f64(V, width, V, this.#S.address, V, this.#phi.address, width, this.#product.address, width);
    const [a, b] = [this.#phi.address, this.#product.address];
    gemm.f64(width, width, V, a, width, b, width, this.#block.address, width, { transA: true });
    for (let k = 0; k < width * width; k++) block[k] += out[k];
    for (const one of layer.blocks) this.#addOwn(one, env, c, origin, width, slopes, block);
  }

  /** A, and the rows of Φ, of one block of functions. */
  #collect(
    { neighbour, cutoff, kernels, uniform, first }: Layer["blocks"][number],
    env: Environments,
    c: number,
    origin: number,
    width: number,
    phi: Float64Array,
  ): void {
    const near = this.#near;
    const n = near.load(env, c, neighbour, cutoff);
    if (n === 0) return;
    kernels.forward.run(n, near.address, near.stride, uniform, 0, this.#A.address + 8 * first);
    const capacity = near.stride / 8;
    const rows = this.#jacobian.reserve(3 * kernels.count * capacity);
    kernels.jacobian.run(n, near.address, near.stride, uniform, this.#jacobian.address, 0);
    for (let v = 0; v < kernels.count; v++)
      for (let k = 0; k < near.count; k++) {
        const at = (first + v) * width + 3 * (near.pairs[k] - origin);
        for (let a = 0; a < 3; a++) phi[at + a] += rows[(3 * v + a) * capacity + k];
      }
  }

  /** Σ_v ∂P/∂A_v ∂²φ_v/∂r∂r of one block. */
  #addOwn(
    { neighbour, cutoff, kernels, uniform, weights, first }: Layer["blocks"][number],
    env: Environments,
    c: number,
    origin: number,
    width: number,
    slopes: Float64Array,
    block: Float64Array,
  ): void {
    const near = this.#near;
    const n = near.load(env, c, neighbour, cutoff);
    if (n === 0) return;
    weights.set(slopes.subarray(first, first + kernels.count));
    kernels.curvature.run(n, near.address, near.stride, uniform, near.extra, 0);
    const capacity = near.stride / 8;
    const rows = this.#device.memory.f64(near.extra, UPPER.length * capacity);
    for (let k = 0; k < near.count; k++) {
      const o = 3 * (near.pairs[k] - origin);
      for (const [s, [a, b]] of UPPER.entries()) {
        const h = rows[s * capacity + k];
        block[(o + a) * width + o + b] += h;
        if (a !== b) block[(o + b) * width + o + a] += h;
      }
    }
  }
}

/** Σ_f weights_f·coefficient of every monomial. */
function combined({ starts, feature, coefficient }: Polynomial, weights: Float64Array): Float64Array {
  return Float64Array.from({ length: starts.length - 1 }, (_, t) => {
    let sum = 0;
    for (let k = starts[t]; k < starts[t + 1]; k++) sum += coefficient[k] * weights[feature[k]];
    return sum;
  });
}

/**
 * ADDS ∂P/∂A [V] and ∂²P/∂A∂A [V, V] of P = Σ_t c_t Re(Π X): leaving a factor a + ib (or a − ib) out of a product Q derives it
 * by a as Re Q, by b as Re(iQ) (or −Re(iQ)).
 */
function derive(
  { re, im, centre: { polynomial } }: Layer,
  c: Float64Array,
  A: Float64Array,
  slopes: Float64Array,
  second: Float64Array,
): void {
  const { factors, firsts } = polynomial;
  const V = slopes.length;
  /** Π of the factors first … last but those at k and l. */
  const without = (first: number, last: number, k: number, l: number): readonly [number, number] => {
    let [x, y] = [1, 0];
    for (let m = first; m < last; m++) {
      if (m === k || m === l) continue;
      const node = nodeOf(factors[m]);
      const a = A[re[node]];
      const b = im[node] < 0 ? 0 : A[im[node]] * (factors[m] < 0 ? -1 : 1);
      [x, y] = [x * a - y * b, x * b + y * a];
    }
    return [x, y];
  };
  for (let t = 0; t + 1 < firsts.length; t++) {
    if (c[t] === 0) continue;
    const [first, last] = [firsts[t], firsts[t + 1]];
    for (let k = first; k < last; k++) {
      const [K, sk] = [nodeOf(factors[k]), factors[k] < 0 ? -1 : 1];
      const [x, y] = without(first, last, k, k);
      slopes[re[K]] += c[t] * x;
      if (im[K] >= 0) slopes[im[K]] -= c[t] * sk * y;
      for (let l = first; l < last; l++) {
        if (l === k) continue;
        const [L, sl] = [nodeOf(factors[l]), factors[l] < 0 ? -1 : 1];
        const [p, q] = without(first, last, k, l);
        second[re[K] * V + re[L]] += c[t] * p;
        if (im[L] >= 0) second[re[K] * V + im[L]] -= c[t] * sl * q;
        if (im[K] >= 0) second[im[K] * V + re[L]] -= c[t] * sk * q;
        if (im[K] >= 0 && im[L] >= 0) second[im[K] * V + im[L]] -= c[t] * sk * sl * p;
      }
    }
  }
}
