import type { Device, Kernel } from "../device/device.ts";
import { add, div, mul, sqrt, square, sub, variable } from "../formula/expression.ts";
import { dot } from "../math/minimise.ts";

/** How a gradient becomes a step. */
export interface AdamOptions {
  /** Decay of the mean gradient. */
  readonly beta1: number;
  /** Decay of the mean square. */
  readonly beta2: number;
  readonly epsilon: number;
  /** Decoupled weight decay, per unit of learning rate; 0 is plain Adam. */
  readonly weightDecay: number;
}

const VARYING = ["theta", "m", "v", "average", "decays", "g"] as const;
const UNIFORM = ["lr", "beta1", "beta2", "scale1", "scale2", "epsilon", "decay", "keep", "clip"] as const;

/**
 * m ← β1 m + (1−β1) g, v ← β2 v + (1−β2) g², θ ← θ − lr [ m̂ / (√v̂ + ε) + decay·θ ], m̂ = m/(1−β1ᵗ), v̂ = v/(1−β2ᵗ),
 * decay only where `decays` is 1 (https://arxiv.org/abs/1412.6980, https://arxiv.org/abs/1711.05101); then the
 * average ā ← ā + (1 − keep)(θ − ā).
 */
function step() {
  const [theta, m0, v0, average, decays, raw] = VARYING.map(variable);
  const [lr, beta1, beta2, scale1, scale2, epsilon, decay, keep, clip] = UNIFORM.map(variable);
  const g = mul(clip, raw);
  const m = add(m0, mul(sub(1, beta1), sub(g, m0)));
  const v = add(v0, mul(sub(1, beta2), sub(square(g), v0)));
  const move = div(mul(scale1, m), add(sqrt(mul(scale2, v)), epsilon));
  const next = sub(theta, mul(lr, add(move, mul(mul(decay, decays), theta))));
  return {
    name: "adamw",
    varying: VARYING,
    uniform: UNIFORM,
    elementwise: [next, m, v, add(average, mul(sub(1, keep), sub(next, average)))],
  };
}

/** Parameters, moments and the running average of the parameters, stepped together by one kernel. */
export class Adam {
  /** θ, [P]. */
  readonly parameters: Float64Array;
  /** Exponential moving average of θ, [P]: ā of the kernel with keep = min(decay, (1 + t)/(10 + t)), so that the start is soon forgotten. */
  readonly average: Float64Array;
  /** Where the next gradient goes, [P]. */
  readonly gradient: Float64Array;
  /** Everything that a checkpoint must hold, by name. */
  readonly arrays: Readonly<Record<string, Float64Array>>;
  /** β1ᵗ and β2ᵗ, kept as running products (the same bits on every engine), and t. */
  readonly #powers = Float64Array.of(1, 1, 0);
  readonly #uniform: Float64Array;
  readonly #kernel: Kernel;
  readonly #options: AdamOptions;
  readonly #length: number;
  readonly #address: number;

  /** Starts from `start` [P]; `decays` [P] is 1 for parameters that decay. */
  constructor(device: Device, start: Float64Array, decays: Uint8Array, options: AdamOptions) {
    const P = start.length;
    this.#options = options;
    this.#length = P + (P % 2);
    this.#address = device.memory.alloc(8 * this.#length * VARYING.length);
    const rows = VARYING.map((_, k) => device.memory.f64(this.#address + 8 * k * this.#length, P));
    const [parameters, mean, square, average, decay, gradient] = rows;
    parameters.set(start);
    average.set(start);
    decay.set(decays);
    this.parameters = parameters;
    this.average = average;
    this.gradient = gradient;
    this.arrays = { parameters, mean, square, average, powers: this.#powers };
    this.#uniform = device.memory.f64(device.memory.alloc(8 * UNIFORM.length), UNIFORM.length);
    this.#kernel = device.compile(step());
  }

  /** One step along the gradient, which is first shortened to at most `limit`; `keep` is the decay of the average. */
  step(lr: number, limit: number, keep: number): void {
    const { beta1, beta2, epsilon, weightDecay } = this.#options;
    const norm = Math.sqrt(dot(this.gradient, this.gradient));
    const powers = this.#powers;
    powers[0] *= beta1;
    powers[1] *= beta2;
    const t = powers[2]++;
    const kept = Math.min(keep, (1 + t) / (10 + t));
    const clip = norm > limit ? limit / norm : 1;
    this.#uniform.set([
      lr,
      beta1,
      beta2,
      1 / (1 - powers[0]),
      1 / (1 - powers[1]),
      epsilon,
      weightDecay,
      kept,
      clip,
    ]);
    const { byteOffset } = this.#uniform;
    this.#kernel.run(this.#length, this.#address, 8 * this.#length, byteOffset, this.#address, 0);
  }
}
