import { elementsOf, symbolOf } from "../../structure/elements.ts";
import type { AtomArray, Frame } from "../../structure/structure.ts";
import type { ByteStream, Format, ReadOptions } from "../format.ts";
import { readLines } from "../lines.ts";
import { digits } from "./coefficients.ts";
import { boxed, lowered, turned } from "./data-file.ts";
import { boundsOf, isTilted, throughBounds } from "./dump-box.ts";
import { DumpReader } from "./dump-reader.ts";
import { unitStyle } from "./units.ts";

/** Dumps of LAMMPS in text, style custom or atom: trajectories, in a stream. */
export const lammpsDump: Format = {
  name: "lammps-dump",
  summary: "dump of LAMMPS in text: trajectories with forces and velocities",
  extensions: [".dump", ".lammpstrj", ".lammpsdump"],
  carries: ["cell", "pbc", "forces"],
  keeps: ["charges", "step", "velocities"],
  fits: ({ structure: { cell } }) => cell !== null,
  adapt: (frame) => turnedFrame(frame),
  url: "https://docs.lammps.org/dump.html",
  statesUnits: true,
  read: readDump,
  write: writeDump,
};

/** Snapshots of a dump, atoms in the order of their ids; `step`, velocities (Å/fs), forces, charges and other columns. */
async function* readDump(
  bytes: ByteStream,
  file: string,
  { types }: ReadOptions = {},
): AsyncGenerator<Frame, void, undefined> {
  const reader = new DumpReader(file, types);
  for await (const lines of readLines(bytes, file)) for (const line of lines) yield* reader.take(line);
  reader.end();
}

const real3 = (array: AtomArray | undefined): Float64Array | undefined =>
  array?.kind === "real" && array.width === 3 ? (array.values as Float64Array) : undefined;

/** The frame in the axes of LAMMPS, with all its vectors; a molecule in a box that is not periodic. */
function turnedFrame(frame: Frame): Frame {
  const { structure, forces, arrays } = frame;
  const { cell } = structure;
  const { structure: own, rotation } = cell ? lowered(structure, cell) : boxed(structure);
  const still = rotation.every((x, k) => x === (k % 4 === 0 ? 1 : 0));
  const turn = (vectors: Float64Array) => (still ? vectors : turned(vectors, rotation));
  const velocities = real3(arrays["velocities"]);
  return {
    ...frame,
    structure: { ...own, cell: throughBounds(own.cell!) },
    ...(forces && { forces: turn(forces) }),
    arrays: velocities
      ? { ...arrays, velocities: { kind: "real", width: 3, values: turn(velocities) } }
      : arrays,
  };
}

/** A dump in units metal, about 64 kB at a time; types count the elements in the order in which frames bring them. */
async function* writeDump(
  frames: AsyncIterable<Frame> | Iterable<Frame>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const encoder = new TextEncoder();
  const types: number[] = [];
  let text = "";
  let count = 0;
  for await (const frame of frames) {
    for (const z of elementsOf(frame.structure.numbers)) if (!types.includes(z)) types.push(z);
    if (count === 0) text = "ITEM: UNITS\nmetal\n";
    text += textOf(turnedFrame(frame), types, count++);
    if (text.length < 65536) continue;
    yield encoder.encode(text);
    text = "";
  }
  if (text !== "") yield encoder.encode(text);
}

const three = (values: Float64Array, i: number, factor = 1): string =>
  [0, 1, 2].map((k) => ` ${digits(values[3 * i + k] / factor)}`).join("");

function textOf(frame: Frame, types: readonly number[], index: number): string {
  const { structure, forces, arrays, info } = frame;
  const { numbers, positions, pbc } = structure;
  const cell = structure.cell!;
  const tilted = isTilted(cell);
  const velocities = real3(arrays["velocities"]);
  const perFs = unitStyle("metal", frame.place).velocity;
  const q =
    arrays["charges"]?.kind === "real" && arrays["charges"].width === 1
      ? arrays["charges"].values
      : undefined;
  const step = Number.isSafeInteger(info["step"]) ? Number(info["step"]) : index;
  const columns = ["id type element x y z"];
  if (velocities) columns.push("vx vy vz");
  if (forces) columns.push("fx fy fz");
  if (q) columns.push("q");
  const rows = Array.from(
    numbers,
    (z, i) =>
      `${i + 1} ${types.indexOf(z) + 1} ${symbolOf(z)}${three(positions, i)}` +
      (velocities ? three(velocities, i, perFs) : "") +
      (forces ? three(forces, i) : "") +
      (q ? ` ${digits(q[i] as number)}` : ""),
  );
  return `${[
    "ITEM: TIMESTEP",
    step,
    "ITEM: NUMBER OF ATOMS",
    numbers.length,
    `ITEM: BOX BOUNDS ${tilted ? "xy xz yz " : ""}${pbc.map((p) => (p ? "pp" : "ff")).join(" ")}`,
    ...boundsOf(cell, tilted).map((row) => row.map(digits).join(" ")),
    `ITEM: ATOMS ${columns.join(" ")}`,
    ...rows,
  ].join("\n")}\n`;
}
