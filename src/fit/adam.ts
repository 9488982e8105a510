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

/** Moments of Adam: plain data, part of a checkpoint. */
export interface AdamState {
  /** [P]. */
  readonly mean: Float64Array;
  /** [P]. */
  readonly square: Float64Array;
  /** β1ᵗ and β2ᵗ, kept as running products: the same bits on every engine. */
  readonly powers: Float64Array;
}

/** Moments before the first step. */
export const adamState = (size: number): AdamState => ({
  mean: new Float64Array(size),
  square: new Float64Array(size),
  powers: Float64Array.of(1, 1),
});

/**
 * One step of AdamW in place: m ← β1 m + (1−β1) g, v ← β2 v + (1−β2) g²,
 * θ ← θ − lr [ m̂ / (√v̂ + ε) + decay·θ ], decay only where `decays` is 1.
 * https://arxiv.org/abs/1412.6980, https://arxiv.org/abs/1711.05101
 */
export function adamStep(
  parameters: Float64Array,
  gradient: Float64Array,
  decays: Uint8Array,
  state: AdamState,
  lr: number,
  { beta1, beta2, epsilon, weightDecay }: AdamOptions,
): void {
  const { mean, square, powers } = state;
  powers[0] *= beta1;
  powers[1] *= beta2;
  const scale1 = 1 / (1 - powers[0]);
  const scale2 = 1 / (1 - powers[1]);
  for (let k = 0; k < parameters.length; k++) {
    const g = gradient[k];
    const m = (mean[k] += (1 - beta1) * (g - mean[k]));
    const v = (square[k] += (1 - beta2) * (g * g - square[k]));
    const theta = parameters[k];
    parameters[k] =
      theta - lr * ((m * scale1) / (Math.sqrt(v * scale2) + epsilon) + weightDecay * decays[k] * theta);
  }
}

/** Scales the gradient in place to at most `limit`; returns its norm before. */
export function clip(gradient: Float64Array, limit: number): number {
  const size = Math.sqrt(dot(gradient, gradient));
  if (size > limit) for (let k = 0; k < gradient.length; k++) gradient[k] *= limit / size;
  return size;
}
