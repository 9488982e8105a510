import type { Memory } from "../../device/memory.ts";
import type { KernelFunction } from "../../kernels/function.ts";
import type { Multiply } from "../../device/gemm.ts";

/**
 * Points of a Gaussian process and what is known at them, in memory that all threads see: values ("energies") at some,
 * M slopes along coordinates ("gradients") at some. Observations are the energies, then the gradients, point by point.
 */
export interface PointsAddress {
  /** N, D and M. */
  readonly points: number;
  readonly features: number;
  readonly coordinates: number;
  /** Points with a value, [E], and with slopes, [G]; ascending. */
  readonly energies: Int32Array;
  readonly gradients: Int32Array;
  /** One entry for each argument of the kernel. */
  readonly scaled: readonly ScaledAddress[];
}

/** Byte addresses of what one argument of the kernel sees of the points: features over their lengths, z = (x − μ)/ℓ. */
export interface ScaledAddress {
  /** [N, D]. */
  readonly z: number;
  /** |z|², [N]. */
  readonly norms: number;
  /** ∂z/∂R, rows of coordinates, [G M, D]. */
  readonly slopes: number;
  /** ∂z/∂R · z, [G M]. */
  readonly own: number;
}

/** Number of observations E + G M. */
export const observationsOf = ({ energies, gradients, coordinates }: PointsAddress): number =>
  energies.length + gradients.length * coordinates;

/** Bytes of the points for so many arguments. */
export const pointsBytes = (N: number, G: number, M: number, D: number, args: number): number =>
  8 * args * (N * (D + 1) + G * M * (D + 1));

/** Points as they come, from which scaled ones are made anew for other lengths. */
export interface RawPoints {
  /** [N, D]. */
  readonly x: Float64Array;
  /** ∂x/∂R of the points with slopes, rows of coordinates, [G M, D]. */
  readonly slopes: Float64Array;
  readonly features: number;
  readonly coordinates: number;
  readonly energies: Int32Array;
  readonly gradients: Int32Array;
}

/** Room for scaled points. */
export function reservePoints(memory: Memory, raw: RawPoints, kernel: KernelFunction): PointsAddress {
  const { features: D, coordinates: M, energies, gradients } = raw;
  const N = raw.x.length / D;
  const rows = gradients.length * M;
  const scaled = kernel.seen.map(() => ({
    z: memory.alloc(8 * N * D),
    norms: memory.alloc(8 * N),
    slopes: memory.alloc(8 * rows * D),
    own: memory.alloc(8 * rows),
  }));
  return { points: N, features: D, coordinates: M, energies, gradients, scaled };
}

/** Mean features, [D]: distances are taken from there, so that they lose no digits. */
export function meanFeatures({ x, features: D }: Pick<RawPoints, "x" | "features">): Float64Array {
  const mean = new Float64Array(D);
  const N = x.length / D;
  for (let i = 0; i < N; i++) for (let d = 0; d < D; d++) mean[d] += x[i * D + d] / N;
  return mean;
}

/** What features are divided by, and what is taken from them before, for argument a: [D] each. */
export function scaling(
  kernel: KernelFunction,
  a: number,
  theta: Float64Array,
  mean: Float64Array,
): { readonly lengths: Float64Array; readonly shift: Float64Array } {
  const { kind, lengths } = kernel.seen[a];
  const each = Float64Array.from(mean, (_, d) => theta[lengths.length === 1 ? lengths[0] : lengths[d]]);
  return { lengths: each, shift: kind === "distance" ? mean : new Float64Array(mean.length) };
}

/** Overwrites the scaled points for hyper-parameters theta (their values, not their logarithms). */
export function scalePoints(
  memory: Memory,
  multiply: Multiply,
  kernel: KernelFunction,
  raw: RawPoints,
  to: PointsAddress,
  theta: Float64Array,
  mean: Float64Array,
): void {
  const { points: N, features: D, coordinates: M, gradients } = to;
  for (const [a, { z, norms, slopes, own }] of to.scaled.entries()) {
    const { lengths, shift } = scaling(kernel, a, theta, mean);
    const Z = memory.f64(z, N * D);
    for (let i = 0; i < N; i++)
      for (let d = 0; d < D; d++) Z[i * D + d] = (raw.x[i * D + d] - shift[d]) / lengths[d];
    const J = memory.f64(slopes, raw.slopes.length);
    for (let r = 0, at = 0; at < J.length; r++)
      for (let d = 0; d < D; d++, at++) J[at] = raw.slopes[at] / lengths[d];
    // By the same product that pairs of points use, so that a point is at distance 0 from itself to the last bit.
    for (let i = 0; i < N; i++) {
      const at = z + 8 * i * D;
      multiply(1, 1, D, at, D, at, D, norms + 8 * i, 1, { transB: true });
    }
    gradients.forEach((i, g) => {
      const [from, at] = [slopes + 8 * g * M * D, z + 8 * i * D];
      multiply(1, M, D, at, D, from, D, own + 8 * g * M, M, { transB: true });
    });
  }
}
