import type { Pairs, Query, Seen } from "./pairs.ts";

/** Observations that rows are filled for: the first so many energies and points with slopes. */
export interface Columns {
  readonly energies: number;
  readonly gradients: number;
}

/**
 * Overwrites the row of the query's value: cov(E, E_j) = F, cov(E, g_j) = Σ_a F_a ∂s_a/∂R_j. `offset` is where the
 * gradients begin in a row.
 */
export function valueRow(
  pairs: Pairs,
  query: Query,
  columns: Columns,
  row: Float64Array,
  offset: number,
): void {
  const { energies, gradients, coordinates: M } = pairs.points;
  const seen = pairs.compare({ ...query, slopes: null }, columns.gradients);
  const F = pairs.forms.by();
  for (let e = 0; e < columns.energies; e++) row[e] = F[energies[e]];
  row.fill(0, offset, offset + columns.gradients * M);
  for (const [a, { w }] of seen.entries()) {
    const Fa = pairs.forms.by(a);
    for (let g = 0, at = 0; g < columns.gradients; g++) {
      const f = Fa[gradients[g]];
      for (let c = 0; c < M; c++, at++) row[offset + at] += f * w[at];
    }
  }
}

/** What the points with slopes are joined to a query's slopes by: t_a[c] = Σ_b F_ab w_b[c] of one point, [m][M]. */
export function joinedSlopes(
  pairs: Pairs,
  seen: readonly Seen[],
  g: number,
  out: readonly Float64Array[],
): void {
  const { gradients, coordinates: M } = pairs.points;
  const j = gradients[g];
  for (const [a, t] of out.entries()) {
    t.fill(0);
    for (const [b, { w }] of seen.entries()) {
      const f = pairs.forms.by(a, b)[j];
      for (let c = 0; c < M; c++) t[c] += f * w[g * M + c];
    }
  }
}

/**
 * Overwrites the rows, `stride` apart, of the query's slopes: cov(g, E_j) = Σ_a F_a ∂s_a/∂R and
 * cov(g, g_j) = Σ_ab F_ab ∂s_a/∂R ∂s_b/∂R_j + Σ_a F_a ∂²s_a/∂R∂R_j (R. Meyer, A. W. Hauser, DOI 10.1063/1.5141718).
 */
export function slopeRows(
  pairs: Pairs,
  query: Query,
  columns: Columns,
  rows: Float64Array,
  stride: number,
  offset: number,
): Seen[] {
  const { points: N, energies, gradients, coordinates: M } = pairs.points;
  const seen = pairs.compare(query, columns.gradients);
  const width = columns.gradients * M;
  for (let b = 0; b < pairs.rows; b++) {
    const row = rows.subarray(b * stride, b * stride + offset + width);
    row.fill(0, 0, columns.energies);
    row.fill(0, offset);
    for (const [a, { u }] of seen.entries()) {
      const Fa = pairs.forms.by(a);
      for (let e = 0; e < columns.energies; e++) row[e] += Fa[energies[e]] * u[b * N + energies[e]];
    }
  }
  const t = seen.map(() => new Float64Array(M));
  for (let g = 0; g < columns.gradients; g++) {
    const j = gradients[g];
    joinedSlopes(pairs, seen, g, t);
    for (const [a, { u, Q, mixed }] of seen.entries()) {
      const f = mixed * pairs.forms.by(a)[j];
      const ta = t[a];
      for (let b = 0; b < pairs.rows; b++) {
        const ub = u[b * N + j];
        const to = b * stride + offset + g * M;
        const from = b * width + g * M;
        for (let c = 0; c < M; c++) rows[to + c] += f * Q[from + c] + ub * ta[c];
      }
    }
  }
  return seen;
}
