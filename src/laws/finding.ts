/** What a law found, for the record of a test. */
export type Finding = Readonly<Record<string, number>>;

/** The finding when the law holds; an error with all its figures when it does not. */
export function demand(holds: boolean, law: string, finding: Finding): Finding {
  if (holds) return finding;
  const figures = Object.entries(finding).map(([k, v]) => `${k} = ${v.toPrecision(6)}`);
  throw new Error(`${law} does not hold: ${figures.join(", ")}`);
}

/** Largest |a − b| of two arrays of equal length. */
export const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let most = a.length === b.length ? 0 : Infinity;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i] - b[i]));
  return most;
};

/** Largest |a|. */
export const size = (a: ArrayLike<number>): number => {
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]));
  return most;
};
