import type { ZodType } from "zod";
import type { Device } from "../device/device.ts";
import type { PairStatistics } from "../structure/statistics.ts";
import type { Environments } from "./environments.ts";

/** One row-major matrix [count, size] per element, in the device's memory. */
export interface Features {
  readonly matrices: readonly Float64Array[];
  /** Byte address of each matrix. */
  readonly pointers: readonly number[];
  readonly counts: readonly number[];
}

/** Features of one kind, side by side in a row. */
export interface FeaturePart {
  readonly name: string;
  readonly size: number;
  /**
   * Of features that are sums of a kernel at representative points: the kernel between these, [size, size]. An energy
   * linear in such features is a Gaussian process with this covariance.
   */
  readonly covariance?: Float64Array;
}

/**
 * A map from surroundings to numbers G that no rotation, translation or exchange of like atoms changes.
 * Nothing stores a dense Jacobian unless `jacobian` is called.
 */
export interface Descriptor {
  /** Å. */
  readonly cutoff: number;
  /** How many derivatives of G are continuous where an atom crosses a cutoff. */
  readonly smoothness: number;
  /** Atomic numbers, ascending. */
  readonly elements: readonly number[];
  /** What the features of element index e are made of, in their order, where that is more than one kind. */
  parts?(e: number): readonly FeaturePart[];
  /** Number of features of a centre of element index e. */
  size(e: number): number;
  /** What each feature of element index e is, for reports: "G2 O η=0.5 rs=1.2". */
  labels(e: number): readonly string[];
  /** Overwrites G. */
  forward(env: Environments, G: Features): void;
  /** Vector-Jacobian product: ADDS Σ_t dE/dG_t · ∂G_t/∂r_ij to gradient [pairs, 3]. */
  pullback(env: Environments, dEdG: Features, gradient: Float64Array): void;
  /** Jacobian-vector product: overwrites dG with Σ_pairs ∂G/∂r_ij · tangents [pairs, 3]. */
  pushforward(env: Environments, tangents: Float64Array, dG: Features): void;
  /** Overwrites rows [size, pairs of centre c, 3] with ∂G_t/∂r_ij of one centre. */
  jacobian(env: Environments, c: number, rows: Float64Array): void;
  /**
   * ADDS Σ_t dE/dG_t ∂²G_t/∂r∂r of one centre c to block [3p, 3p] of its p pairs, where the second derivatives of the
   * formulas are to be had.
   */
  curvature?(env: Environments, c: number, dEdG: Features, block: Float64Array): void;
  /**
   * The descriptor of D combinations Σ_t G_t·weights[t, D] of each element's features, where that is cheaper than the
   * features; changes of the weights take effect at its next `forward`.
   */
  fold?(weights: readonly Float64Array[], D: number): Descriptor;
}

/** Features of a structure as a whole, from the environments of all of its atoms. */
export interface StructureDescriptor {
  readonly size: number;
  readonly labels: readonly string[];
  /** Å. */
  readonly cutoff: number;
  /** Atomic numbers, ascending. */
  readonly elements: readonly number[];
  /** Overwrites x [size]. */
  value(env: Environments, x: Float64Array): void;
  /** ADDS Σ_t W_t ∂x_t/∂r_ij to gradient [pairs, 3]; W [size]. */
  pullback(env: Environments, W: Float64Array, gradient: Float64Array): void;
}

/** What the table of descriptors holds: adding one is one file, one line in `table.ts`, one docs page. */
export interface DescriptorMethod<Options = unknown> {
  readonly name: string;
  readonly summary: string;
  /** Every option once: type, default, bounds, `.meta({ unit, help })`. `name` itself is not an option. */
  readonly options: ZodType<Options>;
  /** Replaces what was left to "auto" by explicit values taken from the data; the result is what the model file stores. */
  resolve(options: Options, statistics: PairStatistics): Options;
  build(options: Options, elements: readonly number[], device: Device): Descriptor;
  /** Of the mean over all atoms of what features are products of, where there is such a thing. */
  averaged?(options: Options, elements: readonly number[], device: Device): StructureDescriptor;
}
