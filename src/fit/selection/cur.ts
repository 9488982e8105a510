import type { Matrix } from "../../math/left-vectors.ts";
import { Random } from "../../math/random.ts";
import { basisOf, squares } from "./leverage.ts";
import { greatest, type SelectionMethod } from "./method.ts";

/** What is left of a row when its leverage has fallen by this factor is rounding. */
const NOTHING = 1e-12;

/** Rows ← rows − (rows·u) u with u the direction of one of them: what the others have in common with it. */
function project({ count, width, rows }: Matrix, chosen: number): void {
  const u = rows.slice(chosen * width, (chosen + 1) * width);
  const norm2 = u.reduce((sum, x) => sum + x * x, 0);
  if (norm2 === 0) return;
  for (let i = 0; i < count; i++) {
    let dot = 0;
    for (let t = 0; t < width; t++) dot += rows[i * width + t] * u[t];
    for (let t = 0; t < width; t++) rows[i * width + t] -= (dot / norm2) * u[t];
  }
}

/** Greatest leverage first, each choice projected out of the rest; when nothing is left, again from the start. */
function pivot(U: Matrix, leverage: Float64Array, count: number): number[] {
  const chosen = new Set<number>();
  const open = (f: number) => !chosen.has(f);
  let rest = { ...U, rows: U.rows.slice() };
  for (let round = 0; chosen.size < count; round++) {
    const left = squares(rest);
    let next = greatest(left, open);
    if (round === U.width || !(left[next] > NOTHING * leverage[next])) {
      rest = { ...U, rows: U.rows.slice() };
      next = greatest(leverage, open);
      round = 0;
    }
    chosen.add(next);
    project(rest, next);
  }
  return [...chosen];
}

/** Draws without replacement, with probabilities in the ratio of the leverages; the lowest number where all are zero. */
function draw(leverage: Float64Array, count: number, seed: number): number[] {
  const random = new Random(seed, "cur");
  const weights = leverage.slice();
  const chosen = new Set<number>();
  while (chosen.size < count) {
    let left = random.uniform() * weights.reduce((sum, w) => sum + w, 0);
    let next = weights.findIndex((w) => w > 0 && (left -= w) < 0);
    if (next < 0) next = greatest(weights, (f) => !chosen.has(f));
    chosen.add(next);
    weights[next] = 0;
  }
  return [...chosen];
}

/**
 * Rows of a CUR decomposition, X ≈ C U R: those of great leverage in the leading singular vectors
 * (M. W. Mahoney, P. Drineas 2009, 10.1073/pnas.0803205106), by projection or, with a seed, by chance.
 */
export const cur: SelectionMethod = {
  name: "cur",
  summary: "frames of greatest leverage in the leading singular vectors; drawn by leverage with --seed",
  score: "leverage, 0 … 1",
  needs: ["means"],
  uses: ["rank", "seed"],
  select(candidates, options) {
    const U = basisOf(candidates, options);
    const leverage = squares(U);
    const { count, seed } = options;
    const chosen = seed === undefined ? pivot(U, leverage, count) : draw(leverage, count, seed);
    return { chosen, scores: chosen.map((f) => leverage[f]) };
  },
};
