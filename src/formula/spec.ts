import type { Expr } from "./expression.ts";

/**
 * What a loop over i = 0 … n−1 computes. Expressions name their inputs by `variable(name)`.
 * Derivatives are expressions too: build them with `gradient` or `tangent` first.
 */
export interface KernelSpec {
  readonly name: string;
  /** Inputs that change with i: one array each, x_k at byte inputs + k·stride. */
  readonly varying: readonly string[];
  /** Inputs that do not: one f64 each at byte uniform + 8k. */
  readonly uniform: readonly string[];
  /** y_k[i], written to the array at byte outputs + k·stride. */
  readonly elementwise?: readonly Expr[];
  /** Σ_i y_k[i] is ADDED to the f64 at byte sums + 8k. */
  readonly reduced?: readonly Expr[];
}

/**
 * A compiled loop. Addresses and stride are in bytes and multiples of 16 (uniform and sums: of 8); n is even,
 * so callers pad odd lengths with an element whose reduced terms are 0. An output array may be an input array
 * at the same address; other overlaps are not allowed.
 */
export interface Kernel {
  run(n: number, inputs: number, stride: number, uniform: number, outputs: number, sums: number): void;
}
