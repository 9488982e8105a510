import type { Matrix } from "../../math/left-vectors.ts";
import { basisOf, squares } from "./leverage.ts";
import { greatest, type SelectionMethod } from "./method.ts";

/** Swaps go on while a coefficient exceeds 1 + DELTA; each makes the volume so much larger. */
const DELTA = 0.01;

/** Makes row i of B the unit vector e_j by operations on columns, B ← B M: then column j belongs to row i. */
function unitRow({ count, width, rows: B }: Matrix, i: number, j: number): void {
  const row = B.slice(i * width, (i + 1) * width);
  for (let k = 0; k < count; k++) {
    const b = B[k * width + j] / row[j];
    for (let t = 0; t < width; t++) B[k * width + t] -= b * row[t];
    B[k * width + j] = b;
  }
  B.fill(0, i * width, (i + 1) * width)[i * width + j] = 1;
}

function largest(B: Float64Array): number {
  let at = 0;
  for (let k = 1; k < B.length; k++) if (Math.abs(B[k]) > Math.abs(B[at])) at = k;
  return at;
}

/**
 * Rows of A [count, width], of full rank, whose square has nearly the greatest volume |det|, and B = A Â⁻¹ in place of
 * A: pivots of Gauss–Jordan elimination, then swaps while |B_ij| > 1 + δ (S. A. Goreinov et al. 2010,
 * 10.1142/9789812836021_0015).
 */
export function maximalVolume(A: Matrix): number[] {
  const { width, rows: B } = A;
  const pivots: number[] = [];
  for (let j = 0; j < width; j++) {
    const column = Float64Array.from({ length: A.count }, (_, i) => Math.abs(B[i * width + j]));
    pivots[j] = greatest(column, (i) => !pivots.includes(i));
    unitRow(A, pivots[j], j);
  }
  for (let at = largest(B); Math.abs(B[at]) > 1 + DELTA; at = largest(B)) {
    const [i, j] = [Math.floor(at / width), at % width];
    pivots[j] = i;
    unitRow(A, i, j);
  }
  return pivots;
}

/**
 * More rows than columns: each next one is that of greatest |B_i|², which makes det(ÂᵀÂ) grow by 1 + |B_i|²
 * (A. Mikhalev, I. V. Oseledets 2018, 10.1016/j.laa.2017.10.014). B = A Â⁺ gains a column each time.
 */
export function extend({ count: n, width, rows }: Matrix, chosen: number[], count: number): void {
  const columns = Array.from({ length: width }, (_, j) =>
    Float64Array.from({ length: n }, (_, i) => rows[i * width + j]),
  );
  const lengths = squares({ count: n, width, rows });
  const taken = new Set(chosen);
  while (chosen.length < count) {
    const next = greatest(lengths, (i) => !taken.has(i));
    const dots = new Float64Array(n);
    for (const c of columns) for (let i = 0; i < n; i++) dots[i] += c[i] * c[next];
    const factor = 1 / (1 + dots[next]);
    for (const c of columns) {
      const b = c[next] * factor;
      for (let i = 0; i < n; i++) c[i] -= dots[i] * b;
    }
    for (let i = 0; i < n; i++) lengths[i] -= dots[i] * dots[i] * factor;
    columns.push(dots.map((x) => x * factor));
    chosen.push(next);
    taken.add(next);
  }
}

/** Rows of maximal volume in the leading singular vectors. */
export const maxvol: SelectionMethod = {
  name: "maxvol",
  summary: "frames that span the largest volume in the leading singular vectors",
  score: "leverage, 0 … 1",
  needs: ["means"],
  uses: ["rank"],
  select(candidates, options) {
    const basis = basisOf(candidates, {
      ...options,
      rank: options.rank && Math.min(options.rank, options.count),
    });
    const leverage = squares(basis);
    const B = { ...basis, rows: basis.rows.slice() };
    const chosen = maximalVolume(B);
    extend(B, chosen, options.count);
    return { chosen, scores: chosen.map((f) => leverage[f]) };
  },
};
