import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { createDevice } from "../device/device.ts";
import { unitFindings } from "../fit/doctor/assumption.ts";
import { readAce } from "../io/ace/read.ts";
import { readLabelled } from "../io/files.node.ts";
import { readLammps } from "../io/lammps/folder.node.ts";
import { readFolder } from "../io/n2p2/folder.node.ts";
import { readN2p2 } from "../io/n2p2/read.ts";
import { readGapFiles } from "../io/quip/folder.node.ts";
import { readGap } from "../io/quip/read.ts";
import { readSgdml } from "../io/sgdml/read.ts";
import { invalid } from "../error.ts";
import { buildPotential } from "../potentials/build.ts";
import type { Model } from "../potentials/potential.ts";
import { readWhole } from "./files.ts";
import { fileUnits } from "./structures.ts";

/** A model made of the files of another program, and what they hold by name. */
export interface Imported {
  readonly model: Model;
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  /** What there is to say of its making, one sentence each. */
  readonly notes?: readonly string[];
}

/** What the user said of the files to read. */
export interface ImportFlags {
  /** "energy,length" of files that do not state them. */
  readonly units?: string;
  /** Element of each atom type, where the files do not say: "W,He". */
  readonly elements?: string;
}

/** How the potential of another program is read. */
export interface Importer {
  /** In words, for the help. */
  readonly what: string;
  /** Flags that mean something for these files. */
  readonly uses: readonly (keyof ImportFlags)[];
  /** Whether a path is for this importer; the last of the list takes what no other does. */
  readonly takes: (path: string) => boolean;
  readonly read: (path: string, flags: ImportFlags) => Promise<Imported>;
}

async function fromAce(path: string): Promise<Imported> {
  const text = new TextDecoder().decode(await readWhole(path));
  return { model: readAce(text, path), files: { [path]: text } };
}

async function fromN2p2(path: string, { units }: ImportFlags): Promise<Imported> {
  const files = await readFolder(path);
  if (units === undefined)
    throw invalid(
      "--units",
      "units of the folder, such as Hartree,bohr: its files do not state them",
      "none",
    );
  const model = readN2p2(files, fileUnits(units));
  return { model, files, notes: await doubtUnits(path, model, units) };
}

/** Radii of symmetry functions as they are in use, Å. */
const USUAL = { least: 3.5, most: 10 };

/** What speaks against the units that the user has stated: the reach of the functions, and the data where they are in the folder. */
async function doubtUnits(path: string, model: Model, units: string): Promise<string[]> {
  const { cutoff } = buildPotential(model, createDevice());
  const [energy, length] = units.split(",");
  const notes: string[] = [];
  if (cutoff < USUAL.least || cutoff > USUAL.most)
    notes.push(`a cutoff of ${cutoff.toFixed(2)} Å is unusual: are its lengths in ${length}?`);
  const data = join(path, "input.data");
  if (!existsSync(data)) return notes;
  const { frames } = await readLabelled(data, { units: { energy, length } });
  return [...notes, ...unitFindings(frames).map(({ message }) => `input.data in ${units}: ${message}`)];
}

async function fromSgdml(path: string, { units }: ImportFlags): Promise<Imported> {
  const bytes = await readWhole(path);
  const model = readSgdml(bytes, path, units === undefined ? undefined : fileUnits(units));
  return { model, files: { [path]: bytes } };
}

async function fromGap(path: string): Promise<Imported> {
  const files = await readGapFiles(path);
  const name = basename(path);
  return { model: readGap(files[name], name, files), files };
}

const fromLammps = (path: string, { elements }: ImportFlags): Promise<Imported> =>
  readLammps(path, elements?.split(",").map((symbol) => symbol.trim()) ?? []);

/** All importers, in the order in which they are asked. */
const importers: readonly Importer[] = [
  {
    what: "a .yace or .ace file of pacemaker",
    uses: [],
    takes: (path) => /\.y?ace$/i.test(path),
    read: fromAce,
  },
  {
    what: "an .xml file of a GAP of QUIP (distance_2b, angle_3b, soap)",
    uses: [],
    takes: (path) => /\.xml$/i.test(path),
    read: fromGap,
  },
  {
    what: "an .npz model of sGDML",
    uses: ["units"],
    takes: (path) => /\.npz$/i.test(path),
    read: fromSgdml,
  },
  {
    what: "a folder with input.nn, scaling.data, weights.ZZZ.data",
    uses: ["units"],
    takes: (path) => existsSync(join(path, "input.nn")),
    read: fromN2p2,
  },
  {
    what: "a .snapcoeff, pair lines or a folder of LAMMPS",
    uses: ["elements"],
    takes: () => true,
    read: fromLammps,
  },
];

/** All that can be read, in words. */
export const importable = importers.map(({ what }) => what).join("; ");

/** The potential at a path; a flag that means nothing for it is an error. */
export function importModel(path: string, flags: ImportFlags): Promise<Imported> {
  if (!existsSync(path)) throw invalid(path, "a file or folder", "nothing of that name");
  if (/\.(surfit|ya?ml)$/i.test(path))
    throw invalid(path, "a potential of another program", "one that surfit commands take as it is");
  const { uses, what, read } = importers.find(({ takes }) => takes(path))!;
  for (const flag of ["units", "elements"] as const)
    if (flags[flag] !== undefined && !uses.includes(flag))
      throw invalid(`--${flag}`, `nothing, for ${what}`, flags[flag]);
  return read(path, flags);
}
