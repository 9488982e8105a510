import { brief, finding, type Finding } from "./finding.ts";

/** Robust z above this is named. */
const FAR = 8;
/** Frames needed for a robust spread. */
const ENOUGH = 10;
/** More than this part of the frames, and at least 3, is a heavy tail and not a few bad frames. */
const TAIL = 0.02;

/** One number of one frame. */
export interface Sample {
  readonly value: number;
  readonly place: string;
}

/** Median of numbers, not empty. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/**
 * Frames far from the rest: |x − median| / (1.4826 MAD) > 8 (https://doi.org/10.1016/j.jesp.2013.03.013). `up` looks
 * at large values only.
 */
export function outlierFinding(
  what: string,
  unit: string,
  samples: readonly Sample[],
  up = false,
): Finding | null {
  if (samples.length < ENOUGH) return null;
  const values = samples.map((s) => s.value);
  const middle = median(values);
  const spread = 1.4826 * median(values.map((x) => Math.abs(x - middle)));
  if (!(spread > 0)) return null;
  const z = (x: number) => (up ? x - middle : Math.abs(x - middle)) / spread;
  const far = samples.filter((s) => z(s.value) > FAR).toSorted((a, b) => z(b.value) - z(a.value));
  const check = `outliers in ${what}`;
  const usual = `usually ${brief(middle)} ± ${brief(spread)} ${unit}`;
  if (far.length === 0) return finding(check, "ok", `none; ${usual}`);
  const message = `${far.length} frames, worst ${brief(far[0].value)} ${unit} (${brief(z(far[0].value))} robust deviations); ${usual}`;
  const cure =
    "look whether these calculations converged; drop them, give them a small weight, or fit with a Huber loss";
  return finding(
    check,
    far.length > Math.max(2, TAIL * samples.length) ? "note" : "warn",
    message,
    cure,
    far.map((s) => s.place),
  );
}
