import type { Features } from "../../descriptors/descriptor.ts";
import type { Device } from "../../device/device.ts";
import { placeTensors } from "../placement.ts";
import type {
  Combination,
  FeatureStatistics,
  LinearBasis,
  Regressor,
  RegressorMethod,
} from "../regressor.ts";
import { PolynomialBasis } from "./basis.ts";
import { countOf, linearOptions, type LinearOptions } from "./options.ts";

/** Rows whose products with α lie in memory at a time. */
const BLOCK = 256;

/** Name of the coefficients of element index e. */
const nameOf = (e: number): string => `${e}.coefficients`;

/** E = β₀ + β·G (+ ½ GᵀαG), one set of coefficients per element. */
class Linear implements Regressor {
  readonly parameters: Float64Array;
  readonly decays: Uint8Array;
  readonly starts: readonly number[];
  readonly tensors: Readonly<Record<string, Float64Array>>;
  readonly basis: LinearBasis;
  readonly combination?: Combination;
  readonly #quadratic: boolean;
  readonly #bias: boolean;
  readonly #sizes: readonly number[];
  readonly #device: Device;
  /** Byte addresses: α in full or a sum of products [K, K]; a block of rows [BLOCK, K] and one more. */
  readonly #square: number;
  readonly #rows: number;
  readonly #others: number;

  constructor(
    options: LinearOptions,
    sizes: readonly number[],
    tensors: Readonly<Record<string, Float64Array>>,
    device: Device,
  ) {
    const { memory } = device;
    const shapes = sizes.map((K, e) => ({ name: nameOf(e), length: countOf(options, K) }));
    const placed = placeTensors(shapes, [], tensors, memory);
    this.parameters = placed.parameters;
    this.tensors = placed.tensors;
    let end = 0;
    this.starts = [0, ...shapes.map(({ length }) => (end += length))];
    this.decays = new Uint8Array(end).fill(1);
    for (const start of this.starts.slice(0, -1)) this.decays[start] = 0;
    this.basis = new PolynomialBasis(this.starts, options);
    this.#quadratic = options.quadratic;
    this.#bias = options.bias;
    this.#sizes = sizes;
    this.#device = device;
    const K = options.quadratic ? Math.max(...sizes) : 0;
    this.#square = memory.alloc(8 * K * K);
    this.#rows = memory.alloc(8 * BLOCK * K);
    this.#others = memory.alloc(8 * BLOCK * K);
    if (!options.quadratic) this.combination = this.#combination();
  }

  /** One number per centre, β·G, and what is left to do with it: E = β₀ + y. */
  #combination(): Combination {
    const biases = this.starts.slice(0, -1).map((start) => this.parameters.subarray(start, start + 1));
    const forward = (y: Features, energies: Float64Array) => {
      let c = 0;
      y.matrices.forEach((matrix, e) => {
        for (let k = 0; k < y.counts[e]; k++) energies[c++] = biases[e][0] + matrix[k];
      });
    };
    const pullback = (y: Features, energies: Float64Array, dEdy: Features) => {
      forward(y, energies);
      dEdy.matrices.forEach((matrix, e) => matrix.fill(1, 0, dEdy.counts[e]));
    };
    return { size: 1, weights: this.#sizes.map((K, e) => this.#weights(e, K)), rest: { forward, pullback } };
  }

  #weights(e: number, K: number): Float64Array {
    return this.parameters.subarray(this.starts[e] + 1, this.starts[e] + 1 + K);
  }

  forward(G: Features, energies: Float64Array): void {
    this.#evaluate(G, energies, null);
  }

  pullback(G: Features, energies: Float64Array, dEdG: Features): void {
    this.#evaluate(G, energies, dEdG);
  }

  #evaluate(G: Features, energies: Float64Array, dEdG: Features | null): void {
    let first = 0;
    this.#sizes.forEach((K, e) => {
      const [n, beta, bias] = [G.counts[e], this.#weights(e, K), this.parameters[this.starts[e]]];
      if (n > 0 && this.#quadratic) this.#fillAlpha(e, K);
      for (let c = 0; c < n; c += BLOCK) {
        const count = Math.min(BLOCK, n - c);
        const g = G.matrices[e].subarray(c * K, (c + count) * K);
        const product = this.#quadratic ? this.#timesAlpha(G.pointers[e] + 8 * c * K, count, K) : null;
        const slopes = dEdG?.matrices[e].subarray(c * K, (c + count) * K);
        for (let k = 0, at = 0; k < count; k++) {
          let sum = bias;
          for (let t = 0; t < K; t++, at++) {
            const h = product ? product[at] : 0;
            sum += (beta[t] + h / 2) * g[at];
            if (slopes) slopes[at] = beta[t] + h;
          }
          energies[first + c + k] = sum;
        }
      }
      first += n;
    });
  }

  /** α of element e in full, symmetric. */
  #fillAlpha(e: number, K: number): void {
    const alpha = this.#device.memory.f64(this.#square, K * K);
    let k = this.starts[e] + 1 + K;
    for (let t = 0; t < K; t++)
      for (let u = t; u < K; u++) alpha[t * K + u] = alpha[u * K + t] = this.parameters[k++];
  }

  /** G α of `count` rows. */
  #timesAlpha(rows: number, count: number, K: number): Float64Array {
    const { gemm, memory } = this.#device;
    gemm.f64(count, K, K, rows, K, this.#square, K, this.#rows, K);
    return memory.f64(this.#rows, count * K);
  }

  /** α of a quadratic model; a linear one has none. */
  curvature(_: Features, dG: Features, out: Features): void {
    this.#sizes.forEach((K, e) => {
      const n = dG.counts[e];
      if (!this.#quadratic) out.matrices[e].fill(0, 0, n * K);
      if (!this.#quadratic || n === 0) return;
      this.#fillAlpha(e, K);
      const { gemm } = this.#device;
      gemm.f64(n, K, K, dG.pointers[e], K, this.#square, K, out.pointers[e], K);
    });
  }

  parameterGradient(G: Features, seeds: Float64Array, dG: Features | null, gradient: Float64Array): void {
    let first = 0;
    this.#sizes.forEach((K, e) => {
      const [n, start] = [G.counts[e], this.starts[e]];
      const d = dG?.matrices[e];
      for (let c = 0; c < n; c++) {
        const seed = seeds[first + c];
        if (this.#bias) gradient[start] += seed;
        for (let t = 0, at = c * K; t < K; t++, at++)
          gradient[start + 1 + t] += seed * G.matrices[e][at] + (d ? d[at] : 0);
      }
      if (this.#quadratic && n > 0) this.#addSquares(e, K, G, seeds.subarray(first, first + n), d, gradient);
      first += n;
    });
  }

  /** ∂/∂α of Σ s E + Σ dG·∂E/∂G: X + Xᵀ above the diagonal and X on it, X = Gᵀ (½ s G + dG). */
  #addSquares(
    e: number,
    K: number,
    G: Features,
    seeds: Float64Array,
    d: Float64Array | undefined,
    gradient: Float64Array,
  ): void {
    const { gemm, memory } = this.#device;
    for (let c = 0; c < seeds.length; c += BLOCK) {
      const n = Math.min(BLOCK, seeds.length - c);
      const rows = memory.f64(this.#others, n * K);
      for (let k = 0, at = c * K; k < n * K; k++, at++)
        rows[k] = (seeds[c + Math.floor(k / K)] / 2) * G.matrices[e][at] + (d ? d[at] : 0);
      const from = G.pointers[e] + 8 * c * K;
      gemm.f64(K, K, n, from, K, this.#others, K, this.#square, K, { transA: true, add: c > 0 });
    }
    const X = memory.f64(this.#square, K * K);
    let k = this.starts[e] + 1 + K;
    for (let t = 0; t < K; t++) {
      gradient[k++] += X[t * K + t];
      for (let u = t + 1; u < K; u++) gradient[k++] += X[t * K + u] + X[u * K + t];
    }
  }
}

/** Everything zero but the mean energy: a fit in closed form needs no start, and others start from the mean. */
function initialise(
  options: LinearOptions,
  statistics: readonly FeatureStatistics[],
  _scale: number,
  _seed: number,
  shift = 0,
): Record<string, Float64Array> {
  const coefficients = statistics.map(({ mean }, e) => {
    const values = new Float64Array(countOf(options, mean.length));
    if (options.bias) values[0] = shift;
    return [nameOf(e), values] as const;
  });
  return Object.fromEntries(coefficients);
}

/** A. P. Thompson et al., DOI 10.1016/j.jcp.2014.12.018; quadratic: M. A. Wood, A. P. Thompson, DOI 10.1063/1.5017641. */
export const linear: RegressorMethod<LinearOptions> = {
  name: "linear",
  summary: "Linear or quadratic in the features, solved in closed form",
  options: linearOptions,
  linear: true,
  initialise,
  build: (options, sizes, tensors, device) => new Linear(options, sizes, tensors, device),
};
