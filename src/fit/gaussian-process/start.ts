import type { KernelFunction, KernelOptions } from "../../kernels/function.ts";
import type { ProcessOptions } from "./options.ts";
import type { RawPoints } from "../../regressors/gaussian-process/points.ts";

/** Pairs of points whose distances tell a length. */
const LOOKED = 2000;

/** Median distance of points, in features. */
function medianDistance({ x, features: D }: RawPoints): number {
  const N = x.length / D;
  const pairs = (N * (N - 1)) / 2;
  const every = Math.max(1, Math.floor(pairs / LOOKED));
  const found: number[] = [];
  for (let i = 0, k = 0; i < N; i++)
    for (let j = 0; j < i; j++, k++) {
      if (k % every !== 0) continue;
      let sum = 0;
      for (let d = 0; d < D; d++) sum += (x[i * D + d] - x[j * D + d]) ** 2;
      found.push(Math.sqrt(sum));
    }
  found.sort((a, b) => a - b);
  return found[Math.floor(found.length / 2)] || 1;
}

const square = (y: Float64Array): number => y.reduce((sum, v) => sum + v * v, 0) / Math.max(1, y.length);

/** Mean squares of labels: of energies and of gradients; 0 where there are none. */
export const labelSquares = (
  labels: Float64Array,
  energies: number,
): { energies: number; gradients: number } => ({
  energies: square(labels.subarray(0, energies)),
  gradients: square(labels.subarray(energies)),
});

/** Observations for each feature from which on it has a length of its own unasked. */
const ENOUGH = 10;

/** How many lengths there are, where so many observations tell hyper-parameters. */
export const lengthsOf = (
  { lengths, sample, optimise }: ProcessOptions,
  observations: number,
  features: number,
): "one" | "each" => {
  if (lengths !== "auto") return lengths;
  return optimise && Math.min(sample, observations) >= ENOUGH * features ? "each" : "one";
};

/** A constant times matern-5/2, with the variance of the labels and twice the median distance as the length, or as that of each feature. */
export function usualKernel(raw: RawPoints, labels: Float64Array, lengths: "one" | "each"): KernelOptions {
  const length = 2 * medianDistance(raw);
  const { energies, gradients } = labelSquares(labels, raw.energies.length);
  // Slopes of prior surfaces: variance · 5/(3ℓ²) · |∂x/∂R|².
  const lever = (square(raw.slopes) * raw.features * 5) / (3 * length * length);
  const value = Math.max(energies, gradients > 0 && lever > 0 ? gradients / lever : 0) || 1;
  return {
    product: [
      { name: "constant", value },
      {
        name: "matern-5/2",
        length: lengths === "one" ? length : Array.from({ length: raw.features }, () => length),
      },
    ],
  };
}

/** The kernel's numbers at the start. */
export const startOf = ({ hyperparameters }: KernelFunction): Float64Array =>
  Float64Array.from(hyperparameters, ({ value }) => value);
