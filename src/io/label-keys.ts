import type { Frame, InfoValue } from "../structure/structure.ts";

/** Key of each label in a file, null where there is none. `gradient` is dE/dr, forces with the other sign. */
export interface LabelKeys {
  energy: string | null;
  forces: string | null;
  gradient: string | null;
  stress: string | null;
  virial: string | null;
  configType: string | null;
}

/** No key for any label. */
export const NO_KEYS: Readonly<LabelKeys> = {
  energy: null,
  forces: null,
  gradient: null,
  stress: null,
  virial: null,
  configType: null,
};

export const LABELS = ["energy", "forces", "gradient", "stress", "virial", "configType"] as const;

// The order is the order of preference.
const NAMES: Readonly<Record<keyof LabelKeys, readonly string[]>> = {
  energy: [
    "energy",
    "Energy",
    "total_energy",
    "TotEnergy",
    "potential_energy",
    "energies",
    "free_energy",
    "E",
  ],
  forces: ["forces", "force", "Forces", "Force", "F"],
  gradient: ["gradient", "gradients", "Gradient", "grad"],
  stress: ["stress", "Stress", "stresses"],
  virial: ["virial", "virials", "Virial", "virial_stress"],
  configType: ["config_type", "configType", "config_types"],
};
// Labels of a reference method are kept apart from what a calculator may have written under the plain name.
const PREFIXES = ["REF_", "ref_", "dft_", "DFT_", "qm_", "QM_", "ref-", "dft-", ""];
const SUFFIXES = ["", "_ref", "_REF", "_dft", "_DFT"];

interface Range {
  count: number;
  min: number;
  max: number;
  readonly shape: string;
}

/** What stands under every key of a file: how often, in which shape, in which range. Add all frames, then ask. */
export class KeySurvey {
  frames = 0;
  /** The first frame, to judge magnitudes by. */
  first: Frame | null = null;
  /** Texts found under each key (the first few), for units. */
  readonly texts = new Map<string, Set<string>>();
  readonly #info = new Map<string, Range>();
  readonly #arrays = new Map<string, Range>();

  add(frame: Frame): void {
    this.frames++;
    this.first ??= frame;
    for (const [key, value] of Object.entries(frame.info)) {
      if (typeof value === "string") this.#text(key, value);
      const numbers = [value].flat(3);
      const numeric = typeof numbers[0] === "number";
      record(
        this.#info,
        key,
        numeric ? shapeOf(value) : typeof numbers[0],
        numeric ? (numbers as number[]) : [],
      );
    }
    for (const [key, { kind, width, values }] of Object.entries(frame.arrays)) {
      const numeric = kind === "real" || kind === "integer";
      record(
        this.#arrays,
        key,
        `${width} per atom`,
        numeric ? (values as Float64Array) : [],
        numeric ? "" : kind,
      );
    }
  }

  #text(key: string, value: string): void {
    const texts = this.texts.get(key) ?? new Set();
    if (texts.size < 10) texts.add(value);
    this.texts.set(key, texts);
  }

  /** Whether the key is there in a shape that the label can have. */
  has(label: keyof LabelKeys, key: string): boolean {
    const shape = this.#of(label).get(key)?.shape;
    if (shape === undefined) return false;
    if (label === "configType") return true;
    if (label === "energy") return shape === "number";
    return label === "stress" || label === "virial"
      ? /^(6|9|3×3) numbers$/.test(shape)
      : shape === "3 per atom";
  }

  /** Number of frames that have the key. */
  count(label: keyof LabelKeys, key: string): number {
    return this.#of(label).get(key)?.count ?? 0;
  }

  #of(label: keyof LabelKeys): Map<string, Range> {
    return label === "forces" || label === "gradient" ? this.#arrays : this.#info;
  }

  /** One line per numeric key: "energy (number, −40.5 … −40.2)". */
  describe(): string[] {
    return [...this.#info, ...this.#arrays]
      .filter(([, r]) => r.min <= r.max)
      .slice(0, 30)
      .map(
        ([key, r]) =>
          `${key} (${r.shape}, ${r.min.toPrecision(5)} … ${r.max.toPrecision(5)}, ${r.count} frames)`,
      );
  }
}

function record(
  map: Map<string, Range>,
  key: string,
  shape: string,
  numbers: ArrayLike<number>,
  kind = "",
): void {
  let range = map.get(key);
  if (!range)
    map.set(
      key,
      (range = { count: 0, min: Infinity, max: -Infinity, shape: kind ? `${shape}, ${kind}` : shape }),
    );
  range.count++;
  for (let i = 0; i < numbers.length; i++) {
    if (numbers[i] < range.min) range.min = numbers[i];
    if (numbers[i] > range.max) range.max = numbers[i];
  }
}

function shapeOf(value: InfoValue): string {
  if (typeof value !== "object") return "number";
  const inner = value[0];
  return typeof inner === "object" ? `${value.length}×${inner.length} numbers` : `${value.length} numbers`;
}

/** Labels that say the same of a frame: the first counts where a frame has both. */
const QUANTITIES: readonly (readonly (keyof LabelKeys)[])[] = [
  ["energy"],
  ["forces", "gradient"],
  ["stress", "virial"],
  ["configType"],
];

type Family = (label: keyof LabelKeys) => string | null;

interface Candidate {
  readonly of: Family;
  readonly label: keyof LabelKeys;
  readonly key: string;
}

/** The families in the order in which they are asked: most of energy and forces, plain names last, with a stress, the list's. */
function rank(survey: KeySurvey): Family[] {
  const families = PREFIXES.flatMap((before) => SUFFIXES.map((after) => ({ before, after })));
  const scored = families.map(({ before, after }) => {
    const of: Family = (label) => {
      const name = NAMES[label].find((n) => survey.has(label, before + n + after));
      return name === undefined ? null : before + name + after;
    };
    const [energy, forces, stress] = QUANTITIES.map((labels) => Number(labels.some((label) => of(label))));
    return { of, score: 4 * (energy + forces) + 2 * Number(before + after !== "") + stress };
  });
  return scored.toSorted((a, b) => b.score - a.score).map(({ of }) => of);
}

/**
 * The keys that hold the labels, by name. Where several names match, labels are taken from one family of names (REF_,
 * dft_, … or plain); what it lacks comes from the next one that has it, but no stress of a family whose energy and forces
 * were passed over: it is another calculation's. A family's virial goes before another family's stress. Within a family
 * both stay where the first is not in every frame. Each choice is noted.
 */
export function bestKeys(survey: KeySurvey, notes: string[]): LabelKeys {
  const order = rank(survey);
  const keys: LabelKeys = { ...NO_KEYS };
  const used = new Set<Family>();
  const foreign = (of: Family) =>
    !used.has(of) && (["energy", "forces", "gradient"] as const).some((label) => of(label) !== null);
  for (const labels of QUANTITIES) {
    const all = order.flatMap((of) =>
      labels.flatMap((label): Candidate[] => {
        const key = of(label);
        return key === null ? [] : [{ of, label, key }];
      }),
    );
    const first = labels[0] === "stress" ? all.find(({ of }) => !foreign(of)) : all[0];
    if (first) used.add(first.of);
    const taken = all.filter(({ of }) => of === first?.of);
    if (first && survey.count(first.label, first.key) === survey.frames) taken.length = 1;
    for (const { label, key } of taken) keys[label] = key;
    const rest = all.filter((one) => !taken.includes(one)).map(({ key }) => `"${key}"`);
    if (rest.length === 0) continue;
    notes.push(
      first
        ? `${first.label} from "${first.key}"; there is also ${rest.join(", ")}`
        : `${labels[0]} not taken: ${rest.join(", ")} goes with an energy or forces that were not taken either`,
    );
  }
  return keys;
}
