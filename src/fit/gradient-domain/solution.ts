import type { Written } from "../checkpoint.ts";

/** A way to v of (K + λ) v = y, some tenths of a second at a time. */
export interface Solution {
  /** Share of the work that is done, 0 to 1. */
  readonly done: number;
  /** Goes on; true once v is found. */
  advance(): Promise<boolean>;
  /** v. */
  readonly solution: Float64Array;
  /** All that a run which goes on needs. */
  save(): Record<string, Float64Array | Written>;
  load(saved: Readonly<Record<string, Float64Array>>): void;
}
