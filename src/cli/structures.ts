import type { Command } from "commander";
import { invalid } from "../error.ts";
import { readLabelled } from "../io/files.node.ts";
import type { LabelOptions } from "../io/labels.ts";
import type { AtomArray, Frame, InfoValue } from "../structure/structure.ts";

/** Flags that say how a file's labels are to be read. */
export interface LabelFlags {
  readonly energyKey?: string;
  readonly forcesKey?: string;
  readonly stressKey?: string;
  readonly units?: string;
}

/** Adds the flags of `LabelFlags`. */
export const withLabels = (command: Command): Command =>
  command
    .option("--energy-key <key>", "key of the energy in the comment line (default: found)")
    .option("--forces-key <key>", "name of the forces' column (default: found)")
    .option("--stress-key <key>", "key of the stress (default: found)")
    .option(
      "--units <energy,length>",
      "units of the file, such as Hartree,bohr or kcal/mol,Å (default: eV,Å)",
    );

/** Units and keys in the form that the readers take. */
export function labelOptions(flags: LabelFlags): LabelOptions {
  const keys = { energy: flags.energyKey, forces: flags.forcesKey, stress: flags.stressKey };
  const given = Object.fromEntries(Object.entries(keys).filter(([, key]) => key !== undefined));
  return { keys: given, ...(flags.units !== undefined && { units: splitUnits(flags.units) }) };
}

/** "Hartree,bohr" → { energy, length }. */
export function splitUnits(text: string): { energy: string; length: string } {
  const [energy, length, more] = text.split(",").map((word) => word.trim());
  if (!energy || !length || more !== undefined)
    throw invalid("--units", "energy,length such as Hartree,bohr", text);
  return { energy, length };
}

/** Labelled frames of several files, one after another, and what was decided about keys and units. */
export async function readAllLabelled(
  files: readonly string[],
  flags: LabelFlags,
): Promise<{ frames: Frame[]; notes: string[] }> {
  const frames: Frame[] = [];
  const notes: string[] = [];
  for (const file of files) {
    // oxlint-disable-next-line no-await-in-loop -- one file after another keeps the memory low
    const { frames: more, plan } = await readLabelled(file, labelOptions(flags));
    for (const frame of more) frames.push(frame);
    notes.push(...plan.notes.map((note) => `${file}: ${note}`));
  }
  return { frames, notes };
}

/** Structures to compute something for: labels are read where there are any, and not missed where there are none. */
export async function readStructures(files: readonly string[]): Promise<Frame[]> {
  const all = await Promise.all(files.map((file) => readLabelled(file, { keys: { gradient: null } })));
  return all.flatMap(({ frames }) => frames);
}

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

/**
 * A frame with new labels. Its own labels, if it has any, are kept as REF_energy, REF_forces, REF_stress; what stood
 * under those names is kept as REF_energy_other and so on. What else stood under the plain names, such as the results
 * of a calculator, is replaced.
 */
export function relabel(frame: Frame, labels: Pick<Frame, "energy" | "forces" | "stress">): Frame {
  const without = <T>(record: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(
      Object.entries(record).filter(([key]) => !PLAIN.some((name) => name === key.toLowerCase())),
    );
  const info: Record<string, InfoValue> = without(frame.info);
  const arrays: Record<string, AtomArray> = without(frame.arrays);
  if (frame.energy !== undefined) put(info, "REF_energy", frame.energy);
  if (frame.stress) put(info, "REF_stress", [...frame.stress]);
  if (frame.forces) put(arrays, "REF_forces", { kind: "real", width: 3, values: frame.forces });
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
