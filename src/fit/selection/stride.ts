import type { SelectionMethod } from "./method.ts";

/** Every so-many-th of n things: ⌊k n / count⌋ for k = 0 … count − 1. */
export const spread = (n: number, count: number): number[] =>
  Array.from({ length: count }, (_, k) => Math.floor((k * n) / count));

/** Frames at even distances in the file. */
export const stride: SelectionMethod = {
  name: "stride",
  summary: "frames at even distances in the file",
  score: "frame number",
  needs: [],
  uses: [],
  select({ count: n }, { count }) {
    const chosen = spread(n, count);
    return { chosen, scores: chosen };
  },
};
