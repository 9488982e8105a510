import { Option } from "commander";
import type { Command } from "commander";
import { invalid } from "../error.ts";
import { readLabelled } from "../io/files.node.ts";
import type { FileOptions } from "../io/files.node.ts";
import { BASELINES } from "../io/baseline.ts";
import type { BaselineKeys } from "../io/baseline.ts";
import type { LabelOptions, LabelPlan, LabelUnits } from "../io/labels.ts";
import type { Point } from "../run/surface.ts";
import type { AtomArray, Frame, InfoValue, Structure } from "../structure/structure.ts";
import { unit } from "../structure/units.ts";

/** Flags that say in which units a file is. */
export interface UnitFlags {
  readonly units?: string;
  readonly forceUnit?: string;
  readonly stressUnit?: string;
}

/** Flags that say how a file's labels are to be read. */
export interface LabelFlags extends UnitFlags {
  readonly energyKey?: string;
  readonly forcesKey?: string;
  readonly gradientKey?: string;
  readonly stressKey?: string;
  readonly virialKey?: string;
  readonly baseline?: string;
  readonly stressSign?: LabelOptions["stressSign"];
  readonly virialSign?: LabelOptions["virialSign"];
  readonly skip?: boolean;
  readonly types?: string;
}

const UNITS = ["--units <energy,length>", "units of the file, such as Hartree,bohr or kcal/mol,Å"] as const;

/** Adds the flag of the units in which structures are; their labels, if any, do not matter. */
export const withUnits = (command: Command): Command =>
  command.option(UNITS[0], `${UNITS[1]} (default: eV,Å; .npz files need it)`);

/** Adds the flags of `LabelFlags`. */
export const withLabels = (command: Command): Command =>
  command
    .option("--energy-key <key>", "key of the energy in the comment line (default: found)")
    .option("--forces-key <key>", "name of the forces' column (default: found)")
    .option(
      "--gradient-key <key>",
      "name of the column of dE/dr, forces with the other sign (default: found)",
    )
    .option("--stress-key <key>", "key of the stress (default: found)")
    .option("--virial-key <key>", "key of the virial, which has the cell's volume in it (default: found)")
    .option(
      "--baseline <label=key,…>",
      "labels of another method to take away, such as energy=pm3_energy,forces=pm3_forces; label=none: left out",
    )
    .option(UNITS[0], `${UNITS[1]} (default: declared by the file, or eV,Å)`)
    .option("--force-unit <unit>", "such as Hartree/bohr (default: energy/length)")
    .option("--stress-unit <unit>", "such as GPa or kbar (default: energy/length³)")
    .addOption(
      new Option(
        "--stress-sign <what>",
        "what a positive stress is (default: as the file declares, or tension, as in ASE)",
      ).choices(["tension", "pressure"]),
    )
    .addOption(
      new Option("--virial-sign <what>", "what the virial is (default: -Vσ, as in QUIP and MACE)").choices([
        "-Vσ",
        "Vσ",
      ]),
    )
    .option(
      "--types <elements>",
      "elements of the numbered kinds of LAMMPS and VASP 4, such as W,Be (default: found)",
    )
    .option("--skip", "leave out steps that a calculation has not finished (VASP), and name them");

/** Units and keys in the form that the readers take. */
export function labelOptions(flags: LabelFlags): FileOptions {
  const { stressSign, virialSign } = flags;
  return {
    keys: given({
      energy: flags.energyKey,
      forces: flags.forcesKey,
      gradient: flags.gradientKey,
      stress: flags.stressKey,
      virial: flags.virialKey,
    }),
    ...(flags.baseline !== undefined && { baseline: splitBaseline(flags.baseline) }),
    units: unitsOf(flags),
    stressSign,
    virialSign,
    ...(flags.skip && { skip: true }),
    ...(flags.types !== undefined && { types: flags.types.split(",").map((word) => word.trim()) }),
  };
}

/** What of a record is there. */
export const given = <T>(record: Readonly<Record<string, T | undefined>>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).filter((entry): entry is [string, T] => entry[1] !== undefined));

/** The units that the flags state. */
export const unitsOf = ({ units, forceUnit, stressUnit }: UnitFlags): LabelUnits =>
  given({ ...(units !== undefined && splitUnits(units)), force: forceUnit, stress: stressUnit });

/** "Hartree,bohr" → { energy, length }. */
export function splitUnits(text: string, flag = "--units"): { energy: string; length: string } {
  const [energy, length, more] = text.split(",").map((word) => word.trim());
  if (!energy || !length || more !== undefined)
    throw invalid(flag, "energy,length such as Hartree,bohr", text);
  return { energy, length };
}

/** "energy=e_cheap,forces=none" → { energy: "e_cheap", forces: null }. */
export function splitBaseline(text: string): BaselineKeys {
  const pairs = text.split(",").map((pair) => {
    const [label, key, more] = pair.split("=").map((word) => word.trim());
    const known = BASELINES.find((name) => name === label);
    if (!known || !key || more !== undefined)
      throw invalid("--baseline", `label=key,… with labels ${BASELINES.join(", ")}`, pair);
    return [known, key === "none" ? null : key] as const;
  });
  return Object.fromEntries(pairs);
}

/** What one energy and one length of "Hartree,bohr" are in eV and Å. */
export function fileUnits(text: string): { energy: number; length: number } {
  const { energy, length } = splitUnits(text);
  return { energy: unit("energy", energy, "--units"), length: unit("length", length, "--units") };
}

/** Labelled frames of several files, and what was decided about keys and units. */
export interface LabelledFiles {
  readonly frames: Frame[];
  readonly notes: string[];
  /** The units of each file. */
  readonly units: LabelPlan["units"][];
  /** Files whose units nobody stated, and their frames as read in eV and Å. */
  readonly assumed: { readonly file: string; readonly frames: readonly Frame[] }[];
}

/** Reads files one after another. */
export async function readAllLabelled(
  files: readonly string[],
  options: FileOptions,
): Promise<LabelledFiles> {
  const all: LabelledFiles = { frames: [], notes: [], units: [], assumed: [] };
  for (const file of files) {
    // oxlint-disable-next-line no-await-in-loop -- one file after another keeps the memory low
    const { frames, plan, left } = await readLabelled(file, options);
    for (const frame of frames) all.frames.push(frame);
    for (const note of plan.notes) all.notes.push(`${file}: ${note}`);
    all.notes.push(...left);
    all.units.push(plan.units);
    if (plan.assumed) all.assumed.push({ file, frames });
  }
  return all;
}

/** Structures to compute something for: labels are read where there are any, and not missed where there are none. */
export async function readStructures(files: readonly string[], flags: UnitFlags): Promise<Frame[]> {
  const options = { keys: { gradient: null }, units: unitsOf(flags) };
  const all = await Promise.all(files.map((file) => readLabelled(file, options)));
  return all.flatMap(({ frames }) => frames);
}

/** Points of a path as frames with their energies and forces. */
export const framesOf = (structure: Structure, points: readonly Point[]): Frame[] =>
  points.map(({ positions, energy, forces }, k) => ({
    structure: { ...structure, positions },
    energy,
    forces,
    info: {},
    arrays: {},
    place: `image ${k}`,
  }));

/** Names under which a frame's labels are written; readers do not tell upper and lower case apart in them. */
const PLAIN = ["energy", "forces", "stress"] as const;

/** Puts a value under a key; what stood there is kept as `<key>_other`. */
function put<T>(record: Record<string, T>, key: string, value: T): void {
  const before = record[key];
  record[key] = value;
  if (before !== undefined) put(record, `${key}_other`, before);
}

/** The frame with every key renamed to `<key>_other` that stands where one of its own labels will be written. */
export function makeWay(frame: Frame): Frame {
  const own = new Set<string>(PLAIN.filter((label) => frame[label] !== undefined));
  if (frame.configType !== undefined) own.add("config_type");
  const moved = <T>(record: Readonly<Record<string, T>>) => {
    const out: Record<string, T> = {};
    for (const [key, value] of Object.entries(record))
      put(out, own.has(key.toLowerCase()) ? `${key}_other` : key, value);
    return out;
  };
  return { ...frame, info: moved(frame.info), arrays: moved(frame.arrays) };
}

const withoutPlain = <T>(record: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(
    Object.entries(record).filter(([key]) => !PLAIN.some((name) => name === key.toLowerCase())),
  );

/** Where labels go that others replace: references beside predictions of a model, or what new references outdate. */
export type Former = "REF_" | "before_";

/**
 * A frame with new labels. Its own labels, if it has any, are kept as REF_energy, REF_forces, REF_stress (or before_energy
 * and so on, which no fit takes for labels); what stood under those names is kept as REF_energy_other and so on. What else
 * stood under the plain names, such as the results of a calculator, is replaced.
 */
export function relabel(
  frame: Frame,
  labels: Pick<Frame, "energy" | "forces" | "stress">,
  former: Former = "REF_",
): Frame {
  const info: Record<string, InfoValue> = withoutPlain(frame.info);
  const arrays: Record<string, AtomArray> = withoutPlain(frame.arrays);
  if (frame.energy !== undefined) put(info, `${former}energy`, frame.energy);
  if (frame.stress) put(info, `${former}stress`, [...frame.stress]);
  if (frame.forces) put(arrays, `${former}forces`, { kind: "real", width: 3, values: frame.forces });
  const { energy, forces, stress } = labels;
  return makeWay({
    structure: frame.structure,
    ...(frame.configType !== undefined && { configType: frame.configType }),
    ...(energy !== undefined && { energy }),
    ...(forces && { forces }),
    ...(stress && { stress }),
    info,
    arrays,
    place: frame.place,
  });
}
