import { InputError, invalid } from "../error.ts";
import type { Problem } from "../error.ts";
import type { AtomArray, Frame, InfoValue } from "../structure/structure.ts";
import { NO_KEYS } from "./label-keys.ts";
import type { KeySurvey, LabelKeys } from "./label-keys.ts";

/**
 * Keys of another method's labels, in the units and signs of the file's own, which are taken away from these: what is
 * learned is then the difference (Δ-learning, https://doi.org/10.1021/acs.jctc.5b00099). null: the label is left out.
 */
export type BaselineKeys = Partial<Record<(typeof BASELINES)[number], string | null>>;

export const BASELINES = ["energy", "forces", "gradient", "stress", "virial"] as const;

/** Labels, and the keys under which a file can have each. */
const KEYS = { energy: ["energy"], forces: ["forces", "gradient"], stress: ["stress", "virial"] } as const;
const LABELS = ["energy", "forces", "stress"] as const;

/**
 * Keys of the baseline, after those of the labels are settled. Every label needs one that the file has, or null, for
 * which its own keys are set to null: energies less a baseline and forces without would be two different surfaces.
 */
export function planBaseline(
  survey: KeySurvey,
  baseline: BaselineKeys,
  keys: LabelKeys,
  file: string,
  notes: string[],
): LabelKeys {
  const problems: Problem[] = [];
  const plan: LabelKeys = { ...NO_KEYS };
  for (const label of LABELS) {
    const own = KEYS[label].flatMap((name) => keys[name] ?? []);
    const given = KEYS[label].filter((name) => typeof baseline[name] === "string");
    const fault = (expected: string, found: string) =>
      problems.push({ place: `${file} baseline ${label}`, expected, found });
    if (given.length > 0 && own.length === 0)
      fault("a label that it is taken away from", "none in this file");
    else if (own.length > 0 && given.length === 0 && KEYS[label].some((name) => baseline[name] === null)) {
      for (const name of KEYS[label]) keys[name] = null;
      notes.push(`${own.map((key) => `"${key}"`).join(" and ")} left out: it has no baseline`);
    } else if (own.length > 0 && given.length === 0)
      fault(`a key (${KEYS[label].join(" or ")}), or null to learn without ${label}`, "neither");
    for (const name of given) {
      const key = baseline[name]!;
      plan[name] = key;
      if (!survey.has(name, key))
        fault(`a key that can be ${name}`, `"${key}"; there are ${survey.describe().join("; ")}`);
      else if (own.includes(key)) fault("another key than the label's own", `"${key}"`);
      else notes.push(`${own.map((own) => `"${own}"`).join(" or ")} less "${key}" is learned`);
    }
  }
  if (problems.length > 0) throw new InputError(problems);
  if (!keys.energy && !keys.forces && !keys.gradient)
    throw invalid(`${file} baseline`, "an energy or forces with a baseline", "neither");
  return plan;
}

/**
 * The frame with what the baseline says taken away from its labels, and kept as baseline_energy, baseline_forces and
 * baseline_stress. A label without its baseline is an error.
 */
export function lessBaseline(own: Frame, baseline: Frame): Frame {
  const lacking = LABELS.filter((label) => own[label] !== undefined && baseline[label] === undefined);
  if (lacking.length > 0)
    throw new InputError(
      lacking.map((label) => ({
        place: own.place,
        expected: `the baseline's ${label} beside the label`,
        found: "none",
      })),
    );
  const { energy, forces, stress } = baseline;
  const info: Record<string, InfoValue> = {
    // What the baseline's labels were taken from is in neither.
    ...common(own.info, baseline.info),
    ...(energy !== undefined && { baseline_energy: energy }),
    ...(stress && { baseline_stress: [...stress] }),
  };
  const arrays: Record<string, AtomArray> = {
    ...common(own.arrays, baseline.arrays),
    ...(forces && { baseline_forces: { kind: "real", width: 3, values: forces } }),
  };
  return {
    ...own,
    ...(own.energy !== undefined && { energy: own.energy - energy! }),
    ...(own.forces && { forces: less(own.forces, forces!) }),
    ...(own.stress && { stress: less(own.stress, stress!) }),
    info,
    arrays,
  };
}

const less = (x: Float64Array, y: Float64Array): Float64Array => x.map((v, k) => v - y[k]);

const common = <T>(a: Readonly<Record<string, T>>, b: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(a).filter(([key]) => Object.hasOwn(b, key)));
