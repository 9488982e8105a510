import { readFolder } from "../io/n2p2/folder.node.ts";
import { readN2p2 } from "../io/n2p2/read.ts";
import { readAce } from "../io/ace/read.ts";
import { invalid } from "../error.ts";
import type { Model } from "../potentials/potential.ts";
import { readWhole } from "./files.ts";
import { fileUnits } from "./structures.ts";

/** A model made of the files of another program, and their texts by name. */
export interface Imported {
  readonly model: Model;
  readonly files: Readonly<Record<string, string>>;
}

/** How the potential of another program is read. */
export interface Importer {
  /** In words, for the help. */
  readonly what: string;
  /** Whether a path is for this importer; the last of the list takes what no other does. */
  readonly takes: (path: string) => boolean;
  /** `units`: "energy,length" of files that do not state them, where the user gave them. */
  readonly read: (path: string, units: string | undefined) => Promise<Imported>;
}

async function fromAce(path: string, units: string | undefined): Promise<Imported> {
  if (units !== undefined) throw invalid("--units", "none: pacemaker's files are in eV and Å", units);
  const text = new TextDecoder().decode(await readWhole(path));
  return { model: readAce(text, path), files: { [path]: text } };
}

async function fromN2p2(path: string, units: string | undefined): Promise<Imported> {
  const files = await readFolder(path);
  if (units === undefined)
    throw invalid(
      "--units",
      "units of the folder, such as Hartree,bohr: its files do not state them",
      "none",
    );
  return { model: readN2p2(files, fileUnits(units)), files };
}

/** All importers, in the order in which they are asked. */
export const importers: readonly Importer[] = [
  { what: "a .yace or .ace file of pacemaker", takes: (path) => /\.y?ace$/i.test(path), read: fromAce },
  { what: "a folder with input.nn, scaling.data, weights.ZZZ.data", takes: () => true, read: fromN2p2 },
];
