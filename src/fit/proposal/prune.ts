import type { Matrix } from "../../math/left-vectors.ts";
import { featureScale, scalingOf } from "../../regressors/neural-network/scaling.ts";
import type { FeatureStatistics } from "../../regressors/regressor.ts";
import { cur } from "../selection/cur.ts";

/** Why a feature stays or goes. */
export type Reason = "kept" | "dead" | "faint" | "duplicate" | "redundant";

/** What is known of one feature after pruning. */
export interface Verdict {
  readonly reason: Reason;
  /** Standard deviation over the atoms. */
  readonly deviation: number;
  /** Largest |correlation| with another feature that is kept, 0 … 1, and which one; −1 where there is none. */
  readonly correlation: number;
  readonly with: number;
}

/** What is thrown away before anything is chosen. */
export interface Limits {
  /** Number of features to keep. */
  readonly count: number;
  /** A deviation below this part of the largest is faint. */
  readonly faint: number;
  /** Of two features more correlated than this the one with the smaller deviation goes. */
  readonly correlation: number;
}

/**
 * Chooses features from `rows` [atoms, features] of one element: constant and faint ones go, then of each pair that says
 * the same the fainter one, then all but those of greatest leverage in turn (CUR, DOI 10.1073/pnas.0803205106), on
 * features scaled as a network's inputs are.
 */
export function prune(rows: Matrix, statistics: FeatureStatistics, limits: Limits): Verdict[] {
  const { deviation } = statistics;
  const reasons: Reason[] = Array.from({ length: rows.width }, () => "kept");
  const largest = deviation.reduce((a, b) => Math.max(a, b), 0);
  for (let t = 0; t < rows.width; t++)
    if (scalingOf(statistics, t) === "constant") reasons[t] = "dead";
    else if (deviation[t] < limits.faint * largest) reasons[t] = "faint";
  // Too few atoms to tell, or all alike: nothing is known against any of them.
  if (!reasons.some((reason) => reason !== "dead")) reasons.fill("kept");
  const columns = standardised(rows);
  const left = [...reasons.keys()].filter((t) => reasons[t] === "kept");
  const distinct: number[] = [];
  for (const t of left.toSorted((a, b) => deviation[b] - deviation[a] || a - b))
    if (distinct.some((k) => Math.abs(dot(columns, t, k)) > limits.correlation)) reasons[t] = "duplicate";
    else distinct.push(t);
  distinct.sort((a, b) => a - b);
  if (distinct.length > limits.count) {
    const scaled = scaledBack(columns, statistics, distinct);
    const { chosen } = cur.select({ count: distinct.length, means: scaled }, { count: limits.count });
    const kept = new Set(chosen.map((k) => distinct[k]));
    for (const t of distinct) if (!kept.has(t)) reasons[t] = "redundant";
  }
  return verdicts(reasons, columns, deviation);
}

/** Columns of zero mean and length 1 as the rows of a matrix [features, atoms]; constant ones are zero. */
function standardised({ count, width, rows }: Matrix): Matrix {
  const out = new Float64Array(width * count);
  for (let t = 0; t < width; t++) {
    let mean = 0;
    for (let i = 0; i < count; i++) mean += rows[i * width + t] / count;
    let square = 0;
    for (let i = 0; i < count; i++) square += (out[t * count + i] = rows[i * width + t] - mean) ** 2;
    const factor = square > 0 ? 1 / Math.sqrt(square) : 0;
    for (let i = 0; i < count; i++) out[t * count + i] *= factor;
  }
  return { count: width, width: count, rows: out };
}

function dot({ width, rows }: Matrix, a: number, b: number): number {
  let sum = 0;
  for (let i = 0; i < width; i++) sum += rows[a * width + i] * rows[b * width + i];
  return sum;
}

/** The rows of some features, as long as a network would scale them: fainter ones count less. */
function scaledBack({ width, rows }: Matrix, s: FeatureStatistics, some: readonly number[]): Matrix {
  const scale = featureScale(s);
  const out = new Float64Array(some.length * width);
  for (const [k, t] of some.entries())
    for (let i = 0; i < width; i++) out[k * width + i] = rows[t * width + i] * scale[t] * s.deviation[t];
  return { count: some.length, width, rows: out };
}

function verdicts(reasons: readonly Reason[], columns: Matrix, deviation: Float64Array): Verdict[] {
  const kept = [...reasons.keys()].filter((t) => reasons[t] === "kept");
  return reasons.map((reason, t) => {
    let [correlation, nearest] = [0, -1];
    for (const k of kept) {
      const c = k === t ? 0 : Math.abs(dot(columns, t, k));
      if (c > correlation) [correlation, nearest] = [c, k];
    }
    return { reason, deviation: deviation[t], correlation: Math.min(1, correlation), with: nearest };
  });
}
