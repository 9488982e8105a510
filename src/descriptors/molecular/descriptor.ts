import type { ZodType } from "zod";
import type { Device } from "../../device/device.ts";
import type { Structure } from "../../structure/structure.ts";

/** A sparse matrix in rows: entries of row t are starts[t] … starts[t+1] of `columns` and `values`. */
export interface SparseRows {
  readonly starts: Int32Array;
  readonly columns: Int32Array;
  readonly values: Float64Array;
}

/**
 * Features x [D] of a molecule as a whole: always the same atoms in the same order. What its functions return is valid
 * until its next use.
 */
export interface MolecularDescriptor {
  /** Atomic numbers, [n]. */
  readonly numbers: Uint8Array;
  readonly size: number;
  readonly labels: readonly string[];
  /** Coordinates 3i + k that features depend on, ascending. */
  readonly active: Int32Array;
  /** x at positions [n, 3]. */
  forward(positions: Float64Array): Float64Array;
  /** x and ∂x/∂R, [D, 3n]. */
  jacobian(positions: Float64Array): { readonly features: Float64Array; readonly rows: SparseRows };
  /** ADDS Σ_t dE/dx_t · ∂x_t/∂R of the last `forward` to gradient [n, 3], where that is cheaper than by the rows. */
  readonly pullback?: (dEdx: Float64Array, gradient: Float64Array) => void;
}

/** ADDS Σ_t dE/dx_t · ∂x_t/∂R to gradient [n, 3]. */
export function pullback(
  { starts, columns, values }: SparseRows,
  dEdx: Float64Array,
  gradient: Float64Array,
): void {
  for (let t = 0; t < dEdx.length; t++)
    for (let k = starts[t]; k < starts[t + 1]; k++) gradient[columns[k]] += dEdx[t] * values[k];
}

/** Overwrites dx [D] with ∂x/∂R · tangent [n, 3]. */
export function pushforward(
  { starts, columns, values }: SparseRows,
  tangent: Float64Array,
  dx: Float64Array,
): void {
  for (let t = 0; t < dx.length; t++) {
    let sum = 0;
    for (let k = starts[t]; k < starts[t + 1]; k++) sum += values[k] * tangent[columns[k]];
    dx[t] = sum;
  }
}

/** What the table of molecular descriptors holds: adding one is one file, one line in `table.ts`, one docs page. */
export interface MolecularMethod<Options = unknown> {
  readonly name: string;
  readonly summary: string;
  readonly options: ZodType<Options>;
  /** Replaces what was left to "auto" by lists made for a structure; the result is what the model file stores. */
  resolve(options: Options, structure: Structure): Options;
  build(options: Options, numbers: Uint8Array, device: Device): MolecularDescriptor;
}
