import { invalid } from "../../error.ts";
import { elementsOf } from "../../structure/elements.ts";
import type { Frame } from "../../structure/structure.ts";
import type { ByteStream, Format, ReadOptions } from "../format.ts";
import { readLines } from "../lines.ts";
import { toLammps, turned, writeData } from "./data-file.ts";
import { DataReader } from "./data-reader.ts";
import { unitStyle } from "./units.ts";

/** Data files of LAMMPS: one structure, its cell turned as LAMMPS demands. */
export const lammpsData: Format = {
  name: "lammps-data",
  summary: "data file of LAMMPS: one structure, atom styles atomic, charge, molecular, full",
  extensions: [".lmp", ".lammps-data", "data.lammps", ".data"],
  carries: ["cell", "pbc"],
  keeps: ["charges", "velocities"],
  single: true,
  fits: ({ structure: { numbers, cell, pbc } }) => numbers.length > 0 && cell !== null && pbc.every(Boolean),
  adapt: (frame) => ({ ...frame, structure: toLammps(frame.structure).structure }),
  url: "https://docs.lammps.org/read_data.html",
  statesUnits: true,
  read: readLammpsData,
  write: writeLammpsData,
};

/** The structure of a data file; charges, molecules, image flags and velocities (Å/fs) are arrays. */
async function* readLammpsData(
  bytes: ByteStream,
  file: string,
  { types }: ReadOptions = {},
): AsyncGenerator<Frame, void, undefined> {
  const reader = new DataReader(file, types);
  for await (const lines of readLines(bytes, file)) for (const line of lines) reader.take(line);
  yield reader.end();
}

/** A data file in units metal: style charge where there are `charges`, atomic otherwise; `velocities` in Å/fs are kept. */
async function* writeLammpsData(
  frames: AsyncIterable<Frame> | Iterable<Frame>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let before = "";
  for await (const frame of frames) {
    const { structure, arrays, place } = frame;
    if (before !== "")
      throw invalid(place, "one frame, which is what a data file holds", `another after ${before}`);
    before = place;
    const { charges, velocities } = arrays;
    const own = toLammps(structure);
    const title = `surfit, units = metal${structure.pbc[0] ? "" : ", boundary f f f"}`;
    const perFs = unitStyle("metal", place).velocity;
    yield new TextEncoder().encode(
      writeData(own, elementsOf(structure.numbers), title, {
        ...(charges?.kind === "real" && charges.width === 1 && { charges: charges.values as Float64Array }),
        ...(velocities?.kind === "real" &&
          velocities.width === 3 && {
            velocities: turned(velocities.values as Float64Array, own.rotation).map((v) => v / perFs),
          }),
      }),
    );
  }
}
