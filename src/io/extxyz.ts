import { invalid } from "../error.ts";
import { symbolOf } from "../structure/elements.ts";
import type { AtomArray, Frame, InfoValue } from "../structure/structure.ts";
import { formatComment, formatNumber } from "./comment.ts";
import { ExtxyzReader, roleOf } from "./extxyz-reader.ts";
import type { ByteStream, Format } from "./format.ts";
import { gunzip } from "./gzip.ts";

/** Extended XYZ, plain XYZ included: the text format of ASE, QUIP and most data sets of the field. */
export const extxyz: Format = {
  name: "extxyz",
  summary: "Extended XYZ: text, any per-frame and per-atom data, plain or gzip-compressed",
  extensions: [".xyz", ".extxyz", ".exyz"],
  carries: ["cell", "pbc", "energy", "forces", "stress", "config_type", "info", "arrays"],
  url: "https://github.com/libAtoms/extxyz",
  statesUnits: true,
  read: readExtxyz,
  write: writeExtxyz,
};

/** Frames of an extended XYZ file under the file's own keys; see Format.read. */
export async function* readExtxyz(bytes: ByteStream, file: string): AsyncGenerator<Frame, void, undefined> {
  const reader = new ExtxyzReader(file);
  for await (const piece of gunzip(bytes, file)) yield* reader.push(piece);
  yield* reader.end();
}

/** Bytes of an extended XYZ file, about 64 kB at a time; see Format.write. */
export async function* writeExtxyz(
  frames: AsyncIterable<Frame> | Iterable<Frame>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const encoder = new TextEncoder();
  let text = "";
  for await (const frame of frames) {
    text += formatFrame(frame);
    if (text.length < 65536) continue;
    yield encoder.encode(text);
    text = "";
  }
  if (text !== "") yield encoder.encode(text);
}

const LETTERS = { real: "R", integer: "I", logical: "L", string: "S" } as const;

/** Text of one frame; numbers are the shortest decimals that read back to the same bits. */
export function formatFrame(frame: Frame): string {
  const { numbers, positions } = frame.structure;
  const columns: [string, AtomArray][] = [["pos", { kind: "real", width: 3, values: positions }]];
  if (frame.forces) columns.push(["forces", { kind: "real", width: 3, values: frame.forces }]);
  for (const column of Object.entries(frame.arrays)) columns.push(column);
  checkColumns(frame, columns);
  const properties = columns.map(([name, a]) => `:${name}:${LETTERS[a.kind]}:${a.width}`).join("");
  const lines = [String(numbers.length), formatComment(infoOf(frame, `species:S:1${properties}`))];
  for (let i = 0; i < numbers.length; i++) {
    let line = symbolOf(numbers[i]);
    for (const [, array] of columns)
      for (let k = array.width * i; k < array.width * (i + 1); k++) line += ` ${formatCell(array, k)}`;
    lines.push(line);
  }
  return `${lines.join("\n")}\n`;
}

function formatCell(array: AtomArray, k: number): string {
  if (array.kind === "string") return array.values[k] as string;
  if (array.kind === "logical") return array.values[k] ? "T" : "F";
  return formatNumber(array.values[k] as number);
}

/** The comment line's pairs: cell, labels under plain keys, then everything else. */
function infoOf(frame: Frame, properties: string): Record<string, InfoValue> {
  const { cell, pbc } = frame.structure;
  const own: Record<string, InfoValue> = {};
  if (cell) own.Lattice = [...cell];
  own.Properties = properties;
  if (frame.energy !== undefined) own.energy = frame.energy;
  if (frame.stress) own.stress = [...frame.stress];
  if (frame.configType !== undefined) own.config_type = frame.configType;
  own.pbc = [...pbc];
  const taken = new Set(Object.keys(own).map((key) => key.toLowerCase())).add("lattice");
  for (const key of Object.keys(frame.info))
    if (key === "" || taken.has(key.toLowerCase()))
      throw invalid(`${frame.place} info`, "keys that are not taken by the frame itself", `"${key}"`);
  return { ...own, ...frame.info };
}

function checkColumns(frame: Frame, columns: readonly [string, AtomArray][]): void {
  const n = frame.structure.numbers.length;
  const names = new Set(["species"]);
  for (const [name, { kind, width, values }] of columns) {
    const place = `${frame.place} array ${name}`;
    if (names.has(name) || name === "" || name.includes(":"))
      throw invalid(place, "another name, without colon", name);
    names.add(name);
    const role = name === "pos" ? "array" : roleOf(name, kind, width);
    const same = role === "number" && frame.structure.numbers.every((z, i) => z === values[i]);
    if (role !== "array" && !same)
      throw invalid(place, "another name: readers take this one for the structure", name);
    if (values.length !== n * width) throw invalid(place, `${n} × ${width} values`, values.length);
    if (kind !== "string") continue;
    const bad = (values as readonly string[]).find(
      (text) => !/^[!-~\u00a1-\uffff]+$/.test(text) || /\s/.test(text),
    );
    if (bad !== undefined) throw invalid(place, "words without spaces", JSON.stringify(bad));
  }
}
