import { InputError, invalid } from "../error.ts";
import { volume } from "../structure/cell.ts";
import { unit } from "../structure/units.ts";
import type { AtomArray, Frame, InfoValue } from "../structure/structure.ts";
import { lessBaseline, planBaseline } from "./baseline.ts";
import type { BaselineKeys } from "./baseline.ts";
import { bestKeys, KeySurvey, LABELS } from "./label-keys.ts";
import type { LabelKeys } from "./label-keys.ts";
import { suggestEnergyUnit } from "./suggest-units.ts";

/** How to read the labels of a file; everything that is not given is found or refused. */
export interface LabelOptions {
  /** The file's own keys; null means that the file has no such label. */
  readonly keys?: Partial<LabelKeys>;
  /** Labels of another method that are taken away: Δ-learning. */
  readonly baseline?: BaselineKeys;
  readonly units?: LabelUnits;
  /** A file without energies and forces is no error. */
  readonly optional?: boolean;
  /** Refuse to take eV and Å for granted (Format.statesUnits is false). */
  readonly unitsRequired?: boolean;
  /** What positive stress means in the file: "tension" (ASE) or "pressure" (VASP); as the file declares, or tension. */
  readonly stressSign?: StressSign;
  /** What virial means in the file: "−Vσ" (QUIP, ASE, MACE; the default) or "Vσ". */
  readonly virialSign?: "-Vσ" | "Vσ";
}

export type StressSign = "tension" | "pressure";

/** Units of a file; force defaults to energy/length and stress to energy/length³. */
export interface LabelUnits {
  readonly energy?: string;
  readonly length?: string;
  /** "eV/Å", "Hartree/bohr", … */
  readonly force?: string;
  readonly stress?: string;
}

/** Factors from the file's units to internal ones, and its keys. */
export interface LabelPlan {
  readonly keys: LabelKeys;
  /** Keys of what is taken away from the labels; null without. */
  readonly baseline: LabelKeys | null;
  readonly energy: number;
  readonly length: number;
  /** Of forces; gradients have the other sign. */
  readonly force: number;
  /** Negative for stress that counts pressure as positive. */
  readonly stress: number;
  readonly virial: number;
  /** The units that were taken, stated, declared or assumed. */
  readonly units: { readonly energy: string; readonly length: string };
  /** Whether eV or Å was taken for granted: neither given nor declared by the file. */
  readonly assumed: boolean;
  /** What was chosen and why, one line each, for the log. */
  readonly notes: readonly string[];
}

/**
 * Decides which keys hold the labels and in which units, after all frames (or enough of them) were added to the survey.
 * No energy and no forces, a key that is not there, or units that contradict the file: an InputError.
 */
export function planLabels(survey: KeySurvey, options: LabelOptions, file: string): LabelPlan {
  const notes: string[] = [];
  const keys = { ...bestKeys(survey, notes) };
  for (const label of LABELS) {
    const key = options.keys?.[label];
    if (key === undefined) continue;
    if (key !== null && !survey.has(label, key))
      throw missing(survey, file, `a key "${key}" that can be ${label}`);
    if (key !== null) refuseMisnamed(label, key, file);
    keys[label] = key;
    // Asking for forces means that gradients, if there are any, are not wanted, and the other way round.
    if (key !== null && label === "forces" && !options.keys?.gradient) keys.gradient = null;
    if (key !== null && label === "gradient" && !options.keys?.forces) keys.forces = null;
    if (key !== null && label === "stress" && !options.keys?.virial) keys.virial = null;
    if (key !== null && label === "virial" && !options.keys?.stress) keys.stress = null;
  }
  const asked = options.optional || Object.values(options.keys ?? {}).some((key) => key === null);
  if (!keys.energy && !keys.forces && !keys.gradient && !asked)
    throw missing(
      survey,
      file,
      "an energy or forces under a known key, or keys given (energy, forces, stress)",
    );
  const baseline = options.baseline ? planBaseline(survey, options.baseline, keys, file, notes) : null;
  for (const label of LABELS) noteCount(survey, keys, label, notes);
  const units = declaredUnits(survey, options.units ?? {}, file, notes);
  if (options.unitsRequired && units.energy === undefined) throw unitsMissing(survey, keys, file);
  if (keys.stress !== null && keys.virial !== null)
    notes.push("the stress counts where a frame has stress and virial");
  const assumed = units.energy === undefined || units.length === undefined;
  const taken = { energy: units.energy ?? "eV", length: units.length ?? "Å" };
  const stressSign = declaredSign(survey, options.stressSign, file, notes);
  return {
    keys,
    baseline,
    ...factors({ ...units, ...taken }, { ...options, stressSign }),
    units: taken,
    assumed,
    notes,
  };
}

/** A virial read as a stress, or a gradient as forces, is wrong by its sign and more: the name is believed. */
function refuseMisnamed(label: keyof LabelKeys, key: string, file: string): void {
  if (label === "stress" && /virial/i.test(key) && !/stress/i.test(key))
    throw invalid(
      `${file} stress`,
      "the key of a stress",
      `"${key}": name it as virial (--virial-key, data.virial)`,
    );
  if (label === "forces" && /grad/i.test(key))
    throw invalid(
      `${file} forces`,
      "the key of forces",
      `"${key}": name it as gradient (--gradient-key, data.gradient)`,
    );
}

function unitsMissing(survey: KeySurvey, keys: LabelKeys, file: string): InputError {
  const { first } = survey;
  const energy = keys.energy === null ? undefined : first?.info[keys.energy];
  const likely =
    first && typeof energy === "number" ? suggestEnergyUnit(energy, first.structure.numbers) : undefined;
  const hint = likely
    ? `the first energy, ${String(energy)}, suggests ${likely}`
    : `magnitudes that suggest nothing (first energy ${String(energy)})`;
  return invalid(
    `${file} units`,
    "an energy unit given by you (--units kcal/mol,Å, say), as the file has none",
    hint,
  );
}

function noteCount(survey: KeySurvey, keys: LabelKeys, label: keyof LabelKeys, notes: string[]): void {
  const key = keys[label];
  if (key === null) return;
  const count = survey.count(label, key);
  notes.push(
    `${label} from "${key}" in ${count === survey.frames ? "all" : `${count} of`} ${survey.frames} frames`,
  );
}

function missing(survey: KeySurvey, file: string, expected: string): InputError {
  const found = survey.describe();
  return invalid(
    file,
    expected,
    found.length > 0 ? `these: ${found.join("; ")}` : "no numeric data beside positions",
  );
}

const DECLARED: readonly (readonly [keyof LabelUnits, RegExp])[] = [
  ["energy", /^(energy_units?|units?_energy)$/i],
  ["length", /^(length_units?|positions?_units?|units?_length)$/i],
  ["force", /^(forces?_units?|units?_forces?)$/i],
  ["stress", /^(stress_units?|virial_units?|units?_stress)$/i],
];

/** Units the file declares under keys such as energy_unit, completed by what the user said; both must agree. */
function declaredUnits(survey: KeySurvey, said: LabelUnits, file: string, notes: string[]): LabelUnits {
  const units: Record<string, string> = { ...said };
  for (const [key, values] of survey.texts) {
    const quantity = DECLARED.find(([, pattern]) => pattern.test(key))?.[0];
    if (!quantity) continue;
    if (values.size !== 1) throw invalid(`${file} ${key}`, "one unit for all frames", [...values].join(", "));
    const [value] = values;
    const own = said[quantity];
    const factor = factorOf(quantity, value, `${file} ${key}`);
    if (own !== undefined && Math.abs(factorOf(quantity, own, `units.${quantity}`) / factor - 1) > SAME_UNIT)
      throw invalid(`units.${quantity}`, `${value}, which the file declares under ${key}`, own);
    units[quantity] = own ?? value;
    notes.push(`${quantity} in ${units[quantity]}, as the file declares under "${key}"`);
  }
  const general = survey.texts.get("units") ?? survey.texts.get("unit");
  if (general && said.energy === undefined)
    throw invalid(
      `${file} units`,
      "energy_unit and length_unit in the file, or units given",
      [...general].join(", "),
    );
  return units;
}

/** Units are the same up to the constants that a program has them from: a bar of LAMMPS is off by 8e-8. */
const SAME_UNIT = 1e-6;

const SIGN = /^stress_sign$/i;

/** What positive stress means, as the user or the file says; both must agree. */
function declaredSign(
  survey: KeySurvey,
  said: StressSign | undefined,
  file: string,
  notes: string[],
): StressSign | undefined {
  for (const [key, values] of survey.texts) {
    if (!SIGN.test(key)) continue;
    const [value] = values;
    if (values.size !== 1 || (value !== "tension" && value !== "pressure"))
      throw invalid(`${file} ${key}`, "tension or pressure, one for all frames", [...values].join(", "));
    if (said !== undefined && said !== value)
      throw invalid("stressSign", `${value}, which the file declares under ${key}`, said);
    notes.push(`positive stress is ${value}, as the file declares under "${key}"`);
    return value;
  }
  return said;
}

/** Factor to internal units of "kcal/mol", "Å", "Hartree/bohr", "GPa". */
function factorOf(quantity: keyof LabelUnits, name: string, place: string): number {
  if (quantity === "stress") return unit("pressure", name, place);
  if (quantity !== "force") return unit(quantity, name, place);
  // The last slash separates energy from length: kcal/mol/Å.
  const slash = name.lastIndexOf("/");
  if (slash < 0) throw invalid(place, "energy/length, such as eV/Å", name);
  return unit("energy", name.slice(0, slash), place) / unit("length", name.slice(slash + 1), place);
}

function factors(
  units: LabelUnits & LabelPlan["units"],
  options: LabelOptions,
): Omit<LabelPlan, "keys" | "baseline" | "units" | "notes" | "assumed"> {
  const energy = factorOf("energy", units.energy, "units.energy");
  const length = factorOf("length", units.length, "units.length");
  const force = units.force ? factorOf("force", units.force, "units.force") : energy / length;
  const stress = units.stress ? factorOf("stress", units.stress, "units.stress") : energy / length ** 3;
  return {
    energy,
    length,
    force,
    stress: options.stressSign === "pressure" ? -stress : stress,
    virial: options.virialSign === "Vσ" ? energy : -energy,
  };
}

/**
 * The frame with its labels found, in internal units, and taken out of info and arrays. A label that a frame lacks stays
 * undefined; one that is there but is no finite number, or has another shape, is an error.
 */
export function applyLabels(frame: Frame, plan: LabelPlan): Frame {
  const own = labelsUnder(plan.keys, frame, plan);
  return plan.baseline ? lessBaseline(own, labelsUnder(plan.baseline, frame, plan)) : own;
}

function labelsUnder(keys: LabelKeys, frame: Frame, plan: LabelPlan): Frame {
  const info = { ...frame.info };
  const arrays = { ...frame.arrays };
  const take = (key: string | null) => {
    const value = key === null ? undefined : info[key];
    if (key !== null) delete info[key];
    return value;
  };
  const takeArray = (key: string | null) => {
    const array = key === null ? undefined : arrays[key];
    if (key !== null) delete arrays[key];
    return array;
  };
  // What the file said about its units is no longer true of the frame.
  for (const key of Object.keys(info))
    if (SIGN.test(key) || DECLARED.some(([, pattern]) => pattern.test(key))) delete info[key];
  const structure = scaled(frame, plan.length);
  const config = take(keys.configType);
  const energy = energyOf(take(keys.energy), frame.place, keys.energy, plan.energy);
  const forces =
    forcesOf(takeArray(keys.forces), frame, keys.forces, plan.force) ??
    forcesOf(takeArray(keys.gradient), frame, keys.gradient, -plan.force);
  const stress = matrixOf(take(keys.stress), frame, keys.stress, plan.stress);
  const virial = stress ? undefined : matrixOf(take(keys.virial), frame, keys.virial, plan.virial);
  if (virial && !structure.cell)
    throw invalid(`${frame.place} ${keys.virial}`, "a cell to turn virial to stress", "none");
  return {
    structure,
    ...(energy !== undefined && { energy }),
    ...(forces && { forces }),
    ...(stress && { stress }),
    ...(virial && { stress: virial.map((x) => x / volume(structure.cell!)) }),
    ...(config !== undefined && { configType: String(config) }),
    info,
    arrays,
    place: frame.place,
  };
}

function scaled(frame: Frame, length: number): Frame["structure"] {
  const { structure } = frame;
  if (length === 1) return structure;
  return {
    ...structure,
    positions: structure.positions.map((x) => x * length),
    cell: structure.cell && structure.cell.map((x) => x * length),
  };
}

function energyOf(
  value: InfoValue | undefined,
  place: string,
  key: string | null,
  factor: number,
): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isFinite(value))
    throw invalid(`${place} ${key}`, "a finite energy", String(value));
  return value * factor;
}

function forcesOf(array: AtomArray | undefined, frame: Frame, key: string | null, factor: number) {
  if (!array) return undefined;
  if ((array.kind !== "real" && array.kind !== "integer") || array.width !== 3)
    throw invalid(`${frame.place} ${key}`, "three numbers per atom", `${array.width} of kind ${array.kind}`);
  const values = array.values as Float64Array | Int32Array;
  const bad = values.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0)
    throw invalid(
      `${frame.place} ${key} of atom ${Math.floor(bad / 3) + 1}`,
      "finite numbers",
      String(values[bad]),
    );
  return Float64Array.from(values, (x) => x * factor);
}

// Order of the six Voigt components xx yy zz yz xz xy in the matrix.
const VOIGT = [0, 5, 4, 5, 1, 3, 4, 3, 2];

/** Symmetric [3, 3] matrix from nine numbers (any nesting) or six in Voigt order. */
function matrixOf(value: InfoValue | undefined, frame: Frame, key: string | null, factor: number) {
  if (value === undefined) return undefined;
  const place = `${frame.place} ${key}`;
  const flat = [value].flat(2);
  if (
    (flat.length !== 6 && flat.length !== 9) ||
    !flat.every((x) => typeof x === "number" && Number.isFinite(x))
  )
    throw invalid(place, "nine finite numbers, or six (xx yy zz yz xz xy)", JSON.stringify(value));
  const m = flat as number[];
  const full = m.length === 6 ? VOIGT.map((k) => m[k]) : m;
  const size = Math.max(...full.map(Math.abs));
  const transposed = full.map((_, k) => full[3 * (k % 3) + Math.floor(k / 3)]);
  const asymmetry = Math.max(...full.map((x, k) => Math.abs(x - transposed[k])));
  // Programs print a few digits; more asymmetry than that means that these nine numbers are something else.
  if (asymmetry > 1e-3 * size + 1e-8) throw invalid(place, "a symmetric matrix", JSON.stringify(value));
  return Float64Array.from(full, (x, k) => (x === transposed[k] ? x : (x + transposed[k]) / 2) * factor);
}
