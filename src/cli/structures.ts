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

/** A frame whose labels, if it had any, are kept as REF_energy, REF_forces, REF_stress beside new ones. */
export function relabel(frame: Frame, labels: Pick<Frame, "energy" | "forces" | "stress">): Frame {
  const info: Record<string, InfoValue> = { ...frame.info };
  const arrays: Record<string, AtomArray> = { ...frame.arrays };
  if (frame.energy !== undefined) info.REF_energy = frame.energy;
  if (frame.stress) info.REF_stress = [...frame.stress];
  if (frame.forces) arrays.REF_forces = { kind: "real", width: 3, values: frame.forces };
  const { energy, forces, stress } = labels;
  return {
    structure: frame.structure,
    ...(frame.configType !== undefined && { configType: frame.configType }),
    ...(energy !== undefined && { energy }),
    ...(forces && { forces }),
    ...(stress && { stress }),
    info,
    arrays,
    place: frame.place,
  };
}
