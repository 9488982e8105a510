/** A box that the variables stay in, and how a search begins and ends. */
export interface Box {
  /** Lower and upper bounds, [n]; ±Infinity where there are none. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** What a search has found. */
export interface Found {
  readonly x: Float64Array;
  readonly value: number;
  readonly evaluations: number;
  /** "converged": the last step is as small as asked; "evaluations": none are left. */
  readonly why: "converged" | "evaluations";
}

/**
 * A search without derivatives: yields points to evaluate, all of one batch independent of each other, and is
 * answered with their values in the same order, so that they may be computed anywhere and at once. A value that is
 * not finite counts as the worst that was seen.
 */
export type Search = Generator<readonly Float64Array[], Found, readonly number[]>;

/** Evaluates a search on a plain function, one point after another. */
export function minimiseWith(search: Search, f: (x: Float64Array) => number): Found {
  let next = search.next();
  while (!next.done) next = search.next(next.value.map(f));
  return next.value;
}

/** Replaces values that are not finite by the worst finite one among them and those before; 0 where there is none. */
export function finite(values: readonly number[], before: Iterable<number>): number[] {
  let worst = -Infinity;
  for (const v of before) if (Number.isFinite(v) && v > worst) worst = v;
  for (const v of values) if (Number.isFinite(v) && v > worst) worst = v;
  return values.map((v) => (Number.isFinite(v) ? v : Number.isFinite(worst) ? worst : 0));
}
