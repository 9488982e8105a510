import { numberFrom } from "../number.ts";
import type { Section } from "./ini.ts";

/** What [GROUPS] says of one folder of configurations. */
export interface Group {
  readonly name: string;
  /** A part of the group's frames, or a number of them. */
  readonly train: GroupSize;
  readonly test: GroupSize;
  /** Of the rows of energy per atom (eV), force (eV/Å) and virial (bar). */
  readonly weights: { readonly energy: number; readonly forces: number; readonly stress: number };
}

/** A fraction of all frames from 0 to 1, or a number of frames. */
export type GroupSize = { readonly fraction: number } | { readonly frames: number };

const COLUMNS = ["name", "training_size", "testing_size", "eweight", "fweight", "vweight"];
const WEIGHTS = { energy: "eweight", forces: "fweight", stress: "vweight" } as const;

/** The groups of FitSNAP, in the order of the file. */
export function readGroups(s: Section): { groups: Group[]; random: boolean } {
  const columns = s.words("group_sections");
  if (columns[0] !== "name") s.wrong("group_sections", "columns that start with name");
  if (columns.some((column) => !COLUMNS.includes(column)))
    s.wrong("group_sections", `columns among ${COLUMNS.join(", ")}`);
  const types = s.words("group_types");
  if (types.length !== columns.length) s.wrong("group_types", `${columns.length} types, one for each column`);
  if (s.flag("smartweights", false)) s.wrong("smartweights", "0: every weight given as it is to be");
  if (s.number("BOLTZT", 10000) !== 10000) s.wrong("BOLTZT", "10000: no Boltzmann weights");
  const random = s.flag("random_sampling", false);
  const groups = s.rest.map((name) => groupOf(s, name, columns, types));
  if (groups.length === 0) s.wrong("group_sections", "at least one group below it");
  return { groups, random };
}

function groupOf(s: Section, name: string, columns: readonly string[], types: readonly string[]): Group {
  const words = s.words(name);
  if (words.length !== columns.length - 1)
    s.wrong(name, `${columns.length - 1} numbers: ${columns.slice(1).join(" ")}`);
  const value = (column: string): number | undefined => {
    const k = columns.indexOf(column);
    if (k < 1) return undefined;
    const x = numberFrom(words[k - 1] ?? "");
    if (x === undefined || !(x >= 0)) s.wrong(name, `${column} of 0 or more`);
    return x ?? 0;
  };
  const size = (column: string, usual: number): GroupSize => {
    const x = value(column) ?? usual;
    if (types[columns.indexOf(column)] === "int") return { frames: x };
    if (x > 1) s.wrong(name, `${column} up to 1`);
    return { fraction: x };
  };
  return {
    name,
    train: size("training_size", 1),
    test: size("testing_size", 0),
    weights: {
      energy: value(WEIGHTS.energy) ?? 1,
      forces: value(WEIGHTS.forces) ?? 1,
      stress: value(WEIGHTS.stress) ?? 1,
    },
  };
}
