import { invalid } from "../../error.ts";
import type { FeatureStatistics } from "../../regressors/regressor.ts";

/** What the training data were like for the centres of one element: range, mean and deviation of each feature, and more. */
export interface ElementRecord extends FeatureStatistics {
  /** Features of K environments that stand for all, [K, size], the one most unlike the others first; K may be 0. */
  readonly environments: Float64Array;
  /** Entry of `places` for the frame that each came from, [K]. */
  readonly frames: Float64Array;
  /** Median distance of these environments to the nearest other one, in scaled features; 0 where it is not known. */
  readonly spacing: number;
  /** Further arrays by name, which some graders need. */
  readonly more: Readonly<Record<string, Float64Array>>;
}

/** What a model remembers of its training data, to tell what it never saw. */
export interface TrainingRecord {
  /** Frames that the environments came from: "water.xyz:120". */
  readonly places: readonly string[];
  /** One entry per element of the model. */
  readonly elements: readonly ElementRecord[];
  /** Root of the covariance of the parameters where the model is linear in them, see `Posterior`. */
  readonly posterior?: Float64Array;
}

const PREFIX = "training.";
const OWN = ["count", "mean", "deviation", "min", "max", "environments", "frames", "spacing"] as const;

/** The arrays of a record as tensors of the model's term, "training.<element index>.<name>". */
export function recordTensors({ elements, posterior }: TrainingRecord): Record<string, Float64Array> {
  const named = elements.flatMap(({ count, spacing, more, ...arrays }, e) =>
    Object.entries({
      count: Float64Array.of(count),
      spacing: Float64Array.of(spacing),
      ...arrays,
      ...more,
    }).map(([name, values]): [string, Float64Array] => [`${PREFIX}${e}.${name}`, values]),
  );
  return { ...Object.fromEntries(named), ...(posterior && { [`${PREFIX}posterior`]: posterior }) };
}

/** Those of a term's tensors that belong to its record. */
export const onlyRecord = (tensors: Readonly<Record<string, Float64Array>>): Record<string, Float64Array> =>
  Object.fromEntries(Object.entries(tensors).filter(([name]) => name.startsWith(PREFIX)));

/** The record in a term's tensors, checked against `sizes`, the features of each element; null where there is none. */
export function readRecord(
  tensors: Readonly<Record<string, Float64Array>>,
  places: readonly string[],
  sizes: readonly number[],
): TrainingRecord | null {
  const own = onlyRecord(tensors);
  if (Object.keys(own).length === 0) return null;
  const posterior = own[`${PREFIX}posterior`];
  const elements = sizes.map((size, e) => readElement(own, places, size, e));
  return { places, elements, ...(posterior && { posterior }) };
}

function readElement(
  tensors: Readonly<Record<string, Float64Array>>,
  places: readonly string[],
  size: number,
  e: number,
): ElementRecord {
  const prefix = `${PREFIX}${e}.`;
  const all = Object.fromEntries(
    Object.entries(tensors).flatMap(([name, values]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), values]] : [],
    ),
  );
  const read = (name: string, length: number): Float64Array => {
    const values = all[name];
    if (values?.length !== length)
      throw invalid(`tensor ${prefix}${name}`, `${length} numbers`, values ? `${values.length}` : "none");
    return values;
  };
  const { environments, frames } = all;
  const more = Object.fromEntries(Object.entries(all).filter(([name]) => !OWN.some((own) => own === name)));
  const stray = frames?.find((f) => !Number.isInteger(f) || f < 0 || f >= places.length);
  if (stray !== undefined)
    throw invalid(`tensor ${prefix}frames`, `numbers of ${places.length} training frames`, String(stray));
  return {
    count: read("count", 1)[0],
    mean: read("mean", size),
    deviation: read("deviation", size),
    min: read("min", size),
    max: read("max", size),
    environments: read("environments", size * (frames?.length ?? environments?.length ?? 0)),
    frames: read("frames", frames?.length ?? 0),
    spacing: read("spacing", 1)[0],
    more,
  };
}
