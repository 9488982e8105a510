import type { Device } from "../../device/device.ts";
import type { Kernel } from "../../formula/kernel.ts";
import type { ActivationKernels } from "./kernels.ts";

/** Rows that pass through the layers together: their activations stay in the second-level cache. */
export const BLOCK = 128;

/** Slots of a layer, see kernels.ts. */
const SLOTS = 8;
/** Rows that are scaled together; a multiple of 2 keeps every tile on a vector boundary. */
const TILE = 8;

export interface NetworkParts {
  readonly device: Device;
  /** Of each layer, the output last. */
  readonly kernels: readonly ActivationKernels[];
  /** The output layer has no function: its z is the output. */
  readonly linearOutput: boolean;
  readonly sum: Kernel;
  readonly product: Kernel;
  readonly residual: boolean;
  /** F, H1, …, HL, 1. */
  readonly widths: readonly number[];
  /** Byte address of this element's parameters: W1 [F, H1], b1, W2, b2, … */
  readonly parameters: number;
  readonly mean: Float64Array;
  readonly scale: Float64Array;
  /** Scale and shift of the output, eV. */
  readonly output: Float64Array;
  /** Byte address of scratch memory that networks share, `arenaBytes` long. */
  readonly arena: number;
  /** Byte address of BLOCK ones. */
  readonly ones: number;
}

/** Scratch memory that layers of these widths need, bytes: features with tangents and adjoints, slots. */
export const arenaBytes = (widths: readonly number[]): number =>
  widths.reduce((sum, width, l) => sum + 8 * (l === 0 ? 3 : SLOTS) * BLOCK * width, 0);

interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  /** Byte addresses of the parameters, and how far from the first parameter they are. */
  readonly weights: number;
  readonly biases: number;
  readonly offset: number;
  /** Byte address of the slots. */
  readonly slots: number;
  readonly residual: boolean;
}

/** How the slots are used: with tangents every matrix has a twin below it, so one product serves both. */
interface Pass {
  readonly twins: 1 | 2;
  readonly h: number;
  readonly adjoint: number;
}
const values: Pass = { twins: 1, h: 1, adjoint: 3 };
const tangents: Pass = { twins: 2, h: 4, adjoint: 6 };

/** Seeds of a block whose energies do not count. */
const NOTHING = new Float64Array(BLOCK);

const ADD = { add: true };
const TIMES_TRANSPOSE = { transB: true };
const ADD_TIMES_TRANSPOSE = { transB: true, add: true };
const ADD_TRANSPOSE_TIMES = { transA: true, add: true };

/**
 * The network of one element: h_0 = (G − mean)·scale, h_l = f(h_{l−1} W_l + b_l), E = output₀ f(h_L W + b) + output₁.
 * At most BLOCK rows at a time; an odd number of rows is filled up by one whose adjoint is zero.
 */
export class Network {
  /** Number of parameters. */
  readonly count: number;
  readonly #parts: NetworkParts;
  readonly #layers: readonly Layer[];
  readonly #heap: Float64Array;
  readonly #features: number;
  /** Byte addresses: TILE rows of −mean and of scale; scaled features with their tangents, their adjoints. */
  readonly #centre: number;
  readonly #scale: number;
  readonly #x: number;
  readonly #adjoint: number;

  constructor(parts: NetworkParts) {
    const { memory } = parts.device;
    const F = parts.widths[0];
    this.#parts = parts;
    this.#features = F;
    this.#heap = new Float64Array(memory.memory.buffer);
    this.count = parts.widths.slice(1).reduce((sum, width, l) => sum + (parts.widths[l] + 1) * width, 0);
    this.#centre = memory.alloc(8 * TILE * F);
    this.#scale = memory.alloc(8 * TILE * F);
    for (let row = 0; row < TILE; row++)
      for (let f = 0; f < F; f++) {
        this.#heap[this.#centre / 8 + row * F + f] = -parts.mean[f];
        this.#heap[this.#scale / 8 + row * F + f] = parts.scale[f];
      }
    this.#x = parts.arena;
    this.#adjoint = this.#x + 16 * BLOCK * F;
    this.#layers = this.#layout(this.#adjoint + 8 * BLOCK * F);
  }

  #layout(arena: number): readonly Layer[] {
    const { widths, parameters, residual } = this.#parts;
    let offset = 0;
    let slots = arena;
    return widths.slice(1).map((outputs, l) => {
      const inputs = widths[l];
      const bytes = 8 * inputs * outputs;
      const layer = {
        inputs,
        outputs,
        weights: parameters + offset,
        biases: parameters + offset + bytes,
        offset,
        slots,
        residual: residual && l > 0 && l < widths.length - 2 && inputs === outputs,
      };
      offset += bytes + 8 * outputs;
      slots += 8 * SLOTS * BLOCK * outputs;
      return layer;
    });
  }

  /** Energies of n rows at byte address G, written to energies[first …]. */
  forward(n: number, G: number, energies: Float64Array, first: number): void {
    this.#sweep(values, "value", n, G, 0);
    this.#read(values, n, energies, first);
  }

  /** The same, and dE/dG written to byte address dEdG. */
  pullback(n: number, G: number, energies: Float64Array, first: number, dEdG: number): void {
    this.#sweep(values, "slope", n, G, 0);
    this.#read(values, n, energies, first);
    this.#seed(values, n, null, 0);
    this.#backward(values, n, 0);
    this.#toFeatures(values, n, dEdG);
  }

  /** dG·∂²E/∂G∂G of n rows at byte addresses G and dG, written to byte address `out`. */
  curvature(n: number, G: number, dG: number, out: number): void {
    this.#sweep(tangents, "tangent", n, G, dG);
    this.#seed(tangents, n, NOTHING, 0);
    this.#backward(tangents, n, 0);
    this.#toFeatures(tangents, n, out);
  }

  /** From the adjoints of the first layer's z to those of the features, at byte address `out`. */
  #toFeatures(pass: Pass, n: number, out: number): void {
    const { outputs: H, inputs: F, weights, slots } = this.#layers[0];
    const a = slots + pass.adjoint * 8 * (n + (n & 1)) * H;
    this.#parts.device.gemm.f64(n, F, H, a, H, weights, H, this.#adjoint, F, TIMES_TRANSPOSE);
    this.#tiles(this.#parts.product, n, this.#adjoint, this.#scale, out);
  }

  /** ADDS Σ seeds ∂E/∂θ + ∂/∂θ Σ dG·∂E/∂G over n rows at byte address `gradient`; dG is an address, 0 for none. */
  gradient(n: number, G: number, seeds: Float64Array, first: number, dG: number, gradient: number): void {
    const pass = dG === 0 ? values : tangents;
    this.#sweep(pass, dG === 0 ? "slope" : "tangent", n, G, dG);
    this.#seed(pass, n, seeds, first);
    this.#backward(pass, n, gradient);
  }

  #sweep(pass: Pass, kernel: "value" | "slope" | "tangent", n: number, G: number, dG: number): void {
    const { kernels, linearOutput, device } = this.#parts;
    const { gemm } = device;
    const rows = n + (n & 1);
    this.#scaleFeatures(n, G, dG);
    const last = this.#layers.length - 1;
    let h = this.#x;
    for (let l = 0; l <= last; l++) {
      const layer = this.#layers[l];
      const { inputs, outputs, weights, slots } = layer;
      const bytes = 8 * rows * outputs;
      this.#bias(layer, rows, pass);
      gemm.f64(pass.twins * rows, outputs, inputs, h, inputs, weights, outputs, slots, outputs, ADD);
      if (l === last && linearOutput) return;
      kernels[l][kernel].run(rows * outputs, slots, bytes, 0, slots + pass.twins * bytes, 0);
      const below = h;
      h = slots + pass.h * bytes;
      if (layer.residual) this.#parts.sum.run(pass.twins * rows * outputs, below, h - below, 0, h, 0);
    }
  }

  /** x = (G − mean)·scale and, below it, ẋ = dG·scale. */
  #scaleFeatures(n: number, G: number, dG: number): void {
    const { sum, product } = this.#parts;
    const [rows, F, heap] = [n + (n & 1), this.#features, this.#heap];
    const twin = this.#x + 8 * rows * F;
    this.#tiles(sum, n, G, this.#centre, this.#x);
    this.#tiles(product, n, this.#x, this.#scale, this.#x);
    if (dG !== 0) this.#tiles(product, n, dG, this.#scale, twin);
    if (rows === n) return;
    heap.fill(0, this.#x / 8 + n * F, this.#x / 8 + rows * F);
    heap.fill(0, twin / 8 + n * F, twin / 8 + rows * F);
  }

  /** out = rows ∘ tile for n rows, with the tile repeated; a last odd number is done apart, so nothing is written behind. */
  #tiles(kernel: Kernel, n: number, rows: number, tile: number, out: number): void {
    const F = this.#features;
    for (let r = 0; r < n; r += TILE) {
      const [at, count] = [8 * r * F, F * Math.min(TILE, n - r)];
      kernel.run(count & ~1, rows + at, tile - rows - at, 0, out + at, 0);
      if (count & 1) {
        const [i, j] = [(rows + at) / 8 + count - 1, tile / 8 + count - 1];
        const [x, y] = [this.#heap[i], this.#heap[j]];
        this.#heap[(out + at) / 8 + count - 1] = kernel === this.#parts.sum ? x + y : x * y;
      }
    }
  }

  /** Fills z with the biases and its twin ż with zero. */
  #bias({ outputs, biases, slots }: Layer, rows: number, pass: Pass): void {
    const [heap, start, size] = [this.#heap, slots / 8, rows * outputs];
    heap.copyWithin(start, biases / 8, biases / 8 + outputs);
    for (let filled = outputs; filled < size; filled *= 2)
      heap.copyWithin(start + filled, start, start + Math.min(filled, size - filled));
    if (pass.twins === 2) heap.fill(0, start + size, start + 2 * size);
  }

  #read(pass: Pass, n: number, energies: Float64Array, first: number): void {
    const slot = this.#parts.linearOutput ? 0 : pass.h;
    const z = this.#layers.at(-1)!.slots / 8 + slot * (n + (n & 1));
    const [scale, shift] = [this.#parts.output[0], this.#parts.output[1]];
    for (let c = 0; c < n; c++) energies[first + c] = scale * this.#heap[z + c] + shift;
  }

  /** Adjoints of the last layer's output (seeds, or 1) and of its twin (1). */
  #seed(pass: Pass, n: number, seeds: Float64Array | null, first: number): void {
    const rows = n + (n & 1);
    const at = this.#layers.at(-1)!.slots / 8 + pass.adjoint * rows;
    const [heap, scale] = [this.#heap, this.#parts.output[0]];
    heap.fill(0, at, at + pass.twins * rows);
    for (let c = 0; c < n; c++) heap[at + c] = seeds === null ? scale : scale * seeds[first + c];
    if (pass.twins === 2) heap.fill(scale, at + rows, at + rows + n);
  }

  /** Turns the adjoints of the last layer into those of the first one's z, adding to `gradient` where it is not 0. */
  #backward(pass: Pass, n: number, gradient: number): void {
    const { device, kernels, linearOutput } = this.#parts;
    const kernel = pass.twins === 2 ? "backwardTangent" : "backward";
    const rows = n + (n & 1);
    for (let l = this.#layers.length - 1; l >= 0; l--) {
      const layer = this.#layers[l];
      const below = this.#layers[l - 1];
      const { inputs, outputs, weights, slots } = layer;
      const bytes = 8 * rows * outputs;
      const a = slots + pass.adjoint * bytes;
      const under = l > 0 ? below.slots + pass.adjoint * 8 * rows * inputs : 0;
      if (layer.residual) this.#heap.copyWithin(under / 8, a / 8, (a + pass.twins * bytes) / 8);
      if (l < this.#layers.length - 1 || !linearOutput)
        kernels[l][kernel].run(rows * outputs, slots + 2 * bytes, bytes, 0, a, 0);
      const h = l > 0 ? below.slots + pass.h * 8 * rows * inputs : this.#x;
      if (gradient !== 0) this.#addGradient(layer, pass, rows, h, a, gradient + layer.offset);
      if (l === 0) return;
      const options = layer.residual ? ADD_TIMES_TRANSPOSE : TIMES_TRANSPOSE;
      device.gemm.f64(
        pass.twins * rows,
        inputs,
        outputs,
        a,
        outputs,
        weights,
        outputs,
        under,
        inputs,
        options,
      );
    }
  }

  /** dW += hᵀα + ḣᵀτ and db += Σ α, with α and τ at byte address a. */
  #addGradient({ inputs, outputs }: Layer, pass: Pass, rows: number, h: number, a: number, dW: number): void {
    const { gemm } = this.#parts.device;
    const db = dW + 8 * inputs * outputs;
    gemm.f64(inputs, outputs, pass.twins * rows, h, inputs, a, outputs, dW, outputs, ADD_TRANSPOSE_TIMES);
    gemm.f64(1, outputs, rows, this.#parts.ones, rows, a, outputs, db, outputs, ADD);
  }
}
