import type { Expr } from "./expression.ts";
import type { Precision } from "./formats.ts";

/**
 * What a loop over i = 0 … n−1 computes. Expressions name their inputs by `variable(name)`.
 * Derivatives are expressions too: build them with `gradient` or `tangent` first.
 */
export interface KernelSpec {
  readonly name: string;
  /**
   * f64 unless stated. In f32 the arrays of inputs and outputs hold f32, uniform inputs and sums f64: a sum is kept per
   * lane in f32 for SUM_BLOCK elements at a time, and these are added in f64.
   */
  readonly precision?: Precision;
  /** Inputs that change with i: one array each, x_k at byte inputs + k·stride. */
  readonly varying: readonly string[];
  /** Inputs that do not: one f64 each at byte uniform + 8k. */
  readonly uniform: readonly string[];
  /** y_k[i], written to the array at byte outputs + k·stride. */
  readonly elementwise?: readonly Expr[];
  /** Σ_i y_k[i] is ADDED to the f64 at byte sums + 8k. */
  readonly reduced?: readonly Expr[];
}

/** Elements of an f32 sum between two additions in f64. */
export const SUM_BLOCK = 128;

/**
 * A compiled loop. Addresses and stride are in bytes and multiples of 16 (uniform and sums: of 8); n is even (f32: a
 * multiple of 4), so callers pad other lengths with elements whose reduced terms are 0. An output array may be an input array
 * at the same address; other overlaps are not allowed.
 */
export interface Kernel {
  run(n: number, inputs: number, stride: number, uniform: number, outputs: number, sums: number): void;
}
