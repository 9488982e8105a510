import { invalid } from "../error.ts";
import { cif } from "./cif/cif.ts";
import { extxyz } from "./extxyz.ts";
import { fitsnapJson } from "./fitsnap/json.ts";
import type { Format } from "./format.ts";
import { lammpsData } from "./lammps/data.ts";
import { lammpsDump } from "./lammps/dump.ts";
import { n2p2 } from "./n2p2/input-data.ts";
import { npz } from "./npz.ts";
import { pdb } from "./pdb.ts";
import { traj } from "./traj/traj.ts";
import { outcar } from "./vasp/outcar.ts";
import { poscar } from "./vasp/poscar.ts";
import { vasprun } from "./vasp/vasprun.ts";

/** All formats: adding one is one file, one line here, one line in docs/formats.md. */
export const formats: readonly Format[] = [
  extxyz,
  npz,
  n2p2,
  fitsnapJson,
  outcar,
  vasprun,
  poscar,
  cif,
  pdb,
  lammpsData,
  lammpsDump,
  traj,
];

/** The format of a file by its ending, ".gz" aside, or by the name given. */
export function findFormat(file: string, name?: string): Format {
  const plain = file.toLowerCase().replace(/\.gz$/, "");
  const found = formats.find((f) => (name ? f.name === name : f.extensions.some((e) => plain.endsWith(e))));
  if (found) return found;
  if (name) throw invalid("format", `one of ${formats.map((f) => f.name).join(", ")}`, name);
  throw invalid(
    file,
    `a file ending in ${formats.flatMap((f) => f.extensions).join(", ")} (or .gz after it)`,
    file,
  );
}

/** The format in which a file is written, by its ending; one that is only read is an InputError. */
export function findWriter(file: string): Format & Required<Pick<Format, "write">> {
  const format = findFormat(file);
  const { write } = format;
  if (write) return { ...format, write };
  const writable = formats.filter((f) => f.write).flatMap((f) => f.extensions);
  throw invalid(file, `a format that can be written (${writable.join(", ")})`, format.name);
}
