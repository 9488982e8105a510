import { leftVectors, type Matrix } from "../../math/left-vectors.ts";
import { need, type Candidates, type SelectionOptions } from "./method.ts";

/** Share of the scatter that the singular vectors hold when their number is not given. */
export const SHARE = 0.999;

/** Leading left singular vectors of the frames' vectors: as many as hold SHARE of the scatter, at most `count`. */
export const basisOf = (candidates: Candidates, { count, rank }: SelectionOptions): Matrix =>
  leftVectors(need(candidates, "means"), { rank, share: SHARE, most: count });

/** Leverage of each row, ℓ_i = Σ_t U_it². */
export function squares({ count, width, rows }: Matrix): Float64Array {
  const out = new Float64Array(count);
  for (let i = 0; i < count; i++) for (let t = 0; t < width; t++) out[i] += rows[i * width + t] ** 2;
  return out;
}
