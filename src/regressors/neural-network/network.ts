import type { Device } from "../../device/device.ts";
import type { ActivationKernels } from "./kernels.ts";
import type { Kernel } from "../../formula/kernel.ts";

/** Rows that pass through the layers together: their activations stay in the second-level cache. */
export const BLOCK = 128;

/** Slots of a hidden layer, see kernels.ts. */
const SLOTS = 8;

export interface NetworkParts {
  readonly device: Device;
  readonly kernels: ActivationKernels;
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
  /** Byte address of BLOCK·2 ones. */
  readonly ones: number;
}

/** Scratch memory that the layers of these widths need, bytes. */
export const arenaBytes = (widths: readonly number[]): number =>
  widths.slice(1).reduce((sum, width) => sum + 8 * SLOTS * BLOCK * width, 0);

interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  /** Byte addresses: what the product uses (folded in the first layer), where the gradient gathers. */
  readonly weights: number;
  readonly biases: number;
  readonly weightGradient: number;
  readonly biasGradient: number;
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

const ADD = { add: true };
const TIMES_TRANSPOSE = { transB: true };
const ADD_TIMES_TRANSPOSE = { transB: true, add: true };
const ADD_TRANSPOSE_TIMES = { transA: true, add: true };

/**
 * The network of one element: h_0 = (G − mean)·scale, h_l = f(h_{l−1} W_l + b_l), E = output₀ (h_L W + b) + output₁.
 * The scaling of the features is folded into the first layer, so rows of G enter the product as they are.
 * At most BLOCK rows at a time; an odd number of rows is filled up by one whose adjoint is zero.
 */
export class Network {
  /** Number of parameters. */
  readonly count: number;
  readonly #parts: NetworkParts;
  readonly #layers: readonly Layer[];
  readonly #heap: Float64Array;
  /** Byte addresses: −mean [F], scale of each first-layer weight [F, H], folded weights and biases, gradient. */
  readonly #centre: number;
  readonly #scale: number;
  readonly #folded: number;
  readonly #gradient: number;

  constructor(parts: NetworkParts) {
    const { memory } = parts.device;
    const [F, H] = [parts.widths[0], parts.widths[1]];
    this.#parts = parts;
    this.#heap = new Float64Array(memory.memory.buffer);
    this.count = parts.widths.slice(1).reduce((sum, width, l) => sum + (parts.widths[l] + 1) * width, 0);
    this.#gradient = memory.alloc(8 * this.count);
    this.#folded = memory.alloc(8 * (F * H + H + 2));
    this.#centre = memory.alloc(8 * F);
    this.#scale = memory.alloc(8 * (F * H + 2));
    this.#heap.set(
      parts.mean.map((m) => -m),
      this.#centre / 8,
    );
    for (let f = 0; f < F; f++)
      this.#heap.fill(parts.scale[f], this.#scale / 8 + f * H, this.#scale / 8 + (f + 1) * H);
    this.#layers = this.#layout();
  }

  #layout(): readonly Layer[] {
    const { widths, parameters, residual } = this.#parts;
    let offset = 0;
    let slots = this.#parts.arena;
    return widths.slice(1).map((outputs, l) => {
      const inputs = widths[l];
      const bytes = 8 * inputs * outputs;
      const weights = l === 0 ? this.#folded : parameters + offset;
      const layer = {
        inputs,
        outputs,
        weights,
        biases: weights + bytes,
        weightGradient: this.#gradient + offset,
        biasGradient: this.#gradient + offset + bytes,
        slots,
        residual: residual && l > 0 && l < widths.length - 2 && inputs === outputs,
      };
      offset += bytes + 8 * outputs;
      slots += 8 * SLOTS * BLOCK * outputs;
      return layer;
    });
  }

  /** W′ = scale∘W and b′ = b − mean·W′ from the parameters of this moment; to be called before rows pass. */
  fold(): void {
    const { device, parameters, product, widths } = this.#parts;
    const [F, H] = [widths[0], widths[1]];
    const weights = F * H;
    product.run(weights + (weights & 1), parameters, this.#scale - parameters, 0, this.#folded, 0);
    const bias = this.#folded + 8 * weights;
    const source = parameters / 8 + weights;
    this.#heap.copyWithin(bias / 8, source, source + H);
    device.gemm.f64(1, H, F, this.#centre, F, this.#folded, H, bias, H, ADD);
  }

  /** Energies of n rows at byte address G, written to energies[first …]. */
  forward(n: number, G: number, energies: Float64Array, first: number): void {
    this.#sweep(values, this.#parts.kernels.value, n, G, 0);
    this.#read(n, energies, first);
  }

  /** The same, and dE/dG written to byte address dEdG. */
  pullback(n: number, G: number, energies: Float64Array, first: number, dEdG: number): void {
    this.#sweep(values, this.#parts.kernels.slope, n, G, 0);
    this.#read(n, energies, first);
    this.#seed(values, n, null, 0);
    this.#backward(values, n, 0, 0, false);
    const [layer, rows] = [this.#layers[0], n + (n & 1)];
    const a = layer.slots + values.adjoint * 8 * rows * layer.outputs;
    const { outputs: H, inputs: F } = layer;
    this.#parts.device.gemm.f64(n, F, H, a, H, layer.weights, H, dEdG, F, TIMES_TRANSPOSE);
  }

  /** Sets the gathered gradient to zero. */
  clear(): void {
    this.#heap.fill(0, this.#gradient / 8, this.#gradient / 8 + this.count);
  }

  /** Gathers Σ seeds ∂E/∂θ + ∂/∂θ Σ dG·∂E/∂G over n rows; dG is a byte address, 0 for none. */
  gather(n: number, G: number, seeds: Float64Array, first: number, dG: number): void {
    const pass = dG === 0 ? values : tangents;
    const { kernels } = this.#parts;
    this.#sweep(pass, dG === 0 ? kernels.slope : kernels.tangent, n, G, dG);
    this.#seed(pass, n, seeds, first);
    this.#backward(pass, n, G, dG, true);
  }

  /** Adds what was gathered to gradient[first …], with the scaling of the features taken back out. */
  release(gradient: Float64Array, first: number): void {
    const { inputs: F, outputs: H, weightGradient, biasGradient } = this.#layers[0];
    this.#parts.device.gemm.f64(F, H, 1, this.#centre, 1, biasGradient, H, weightGradient, H, ADD);
    const [heap, own, scale, weights] = [this.#heap, this.#gradient / 8, this.#scale / 8, F * H];
    for (let i = 0; i < weights; i++) gradient[first + i] += heap[scale + i] * heap[own + i];
    for (let i = weights; i < this.count; i++) gradient[first + i] += heap[own + i];
  }

  /** Floating-point operations per row of forward and of pullback (products only). */
  flops(): { forward: number; pullback: number } {
    const forward = this.#layers.reduce((sum, { inputs, outputs }) => sum + 2 * inputs * outputs, 0);
    return { forward, pullback: 2 * forward };
  }

  #sweep(pass: Pass, kernel: Kernel, n: number, G: number, dG: number): void {
    const { gemm } = this.#parts.device;
    const rows = n + (n & 1);
    const last = this.#layers.length - 1;
    let h = 0;
    for (let l = 0; l <= last; l++) {
      const layer = this.#layers[l];
      const { inputs, outputs, weights, slots } = layer;
      const bytes = 8 * rows * outputs;
      this.#bias(layer, rows, pass);
      if (l > 0)
        gemm.f64(pass.twins * rows, outputs, inputs, h, inputs, weights, outputs, slots, outputs, ADD);
      else gemm.f64(n, outputs, inputs, G, inputs, weights, outputs, slots, outputs, ADD);
      if (l === 0 && dG !== 0)
        gemm.f64(n, outputs, inputs, dG, inputs, weights, outputs, slots + bytes, outputs, ADD);
      if (l === last) return;
      kernel.run(rows * outputs, slots, bytes, 0, slots + pass.twins * bytes, 0);
      const below = h;
      h = slots + pass.h * bytes;
      if (layer.residual) this.#parts.sum.run(pass.twins * rows * outputs, below, h - below, 0, h, 0);
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

  #read(n: number, energies: Float64Array, first: number): void {
    const z = this.#layers.at(-1)!.slots / 8;
    const [scale, shift] = [this.#parts.output[0], this.#parts.output[1]];
    for (let c = 0; c < n; c++) energies[first + c] = scale * this.#heap[z + c] + shift;
  }

  /** Adjoints of the last layer's z (seeds, or 1) and of its twin (1). */
  #seed(pass: Pass, n: number, seeds: Float64Array | null, first: number): void {
    const rows = n + (n & 1);
    const at = this.#layers.at(-1)!.slots / 8 + pass.adjoint * rows;
    const [heap, scale] = [this.#heap, this.#parts.output[0]];
    heap.fill(0, at, at + pass.twins * rows);
    for (let c = 0; c < n; c++) heap[at + c] = seeds === null ? scale : scale * seeds[first + c];
    if (pass.twins === 2) heap.fill(scale, at + rows, at + rows + n);
  }

  /** Turns the adjoints of the last layer into those of the first one's z, gathering weight gradients on the way. */
  #backward(pass: Pass, n: number, G: number, dG: number, gather: boolean): void {
    const { device, kernels } = this.#parts;
    const kernel = pass.twins === 2 ? kernels.backwardTangent : kernels.backward;
    const rows = n + (n & 1);
    for (let l = this.#layers.length - 1; l >= 0; l--) {
      const layer = this.#layers[l];
      const below = this.#layers[l - 1];
      const { inputs, outputs, weights, slots } = layer;
      const bytes = 8 * rows * outputs;
      const a = slots + pass.adjoint * bytes;
      const under = below ? below.slots + pass.adjoint * 8 * rows * inputs : 0;
      if (layer.residual) this.#heap.copyWithin(under / 8, a / 8, (a + pass.twins * bytes) / 8);
      if (l < this.#layers.length - 1) kernel.run(rows * outputs, slots + 2 * bytes, bytes, 0, a, 0);
      if (gather) this.#gatherLayer(pass, layer, below, n, a, G, dG);
      if (!below) return;
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
  #gatherLayer(
    pass: Pass,
    layer: Layer,
    below: Layer | undefined,
    n: number,
    a: number,
    G: number,
    dG: number,
  ) {
    const { gemm } = this.#parts.device;
    const { inputs, outputs, weightGradient: dW, biasGradient: db } = layer;
    const rows = n + (n & 1);
    if (below) {
      const h = below.slots + pass.h * 8 * rows * inputs;
      gemm.f64(inputs, outputs, pass.twins * rows, h, inputs, a, outputs, dW, outputs, ADD_TRANSPOSE_TIMES);
    } else {
      const twin = a + 8 * rows * outputs;
      gemm.f64(inputs, outputs, n, G, inputs, a, outputs, dW, outputs, ADD_TRANSPOSE_TIMES);
      if (dG !== 0) gemm.f64(inputs, outputs, n, dG, inputs, twin, outputs, dW, outputs, ADD_TRANSPOSE_TIMES);
    }
    gemm.f64(1, outputs, rows, this.#parts.ones, rows, a, outputs, db, outputs, ADD);
  }
}
