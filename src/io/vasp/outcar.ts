import type { ByteStream, Format, ReadOptions } from "../format.ts";
import { gunzip } from "../gzip.ts";
import type { Frame } from "../../structure/structure.ts";
import { OutcarReader } from "./outcar-reader.ts";

/** OUTCAR of VASP: all ionic steps, in a stream; units and the sign of the stress are declared to the labels. */
export const outcar: Format = {
  name: "outcar",
  summary: "OUTCAR of VASP: every ionic step with energy, forces and stress",
  extensions: ["outcar"],
  carries: ["cell", "pbc", "energy", "forces", "stress", "info"],
  url: "https://www.vasp.at/wiki/index.php/OUTCAR",
  statesUnits: true,
  read: readOutcar,
};

/** The ionic steps of an OUTCAR; an unfinished one is an error with its line, or left out. See Format.read. */
export async function* readOutcar(
  bytes: ByteStream,
  file: string,
  options: ReadOptions = {},
): AsyncGenerator<Frame, void, undefined> {
  const reader = new OutcarReader(file, options);
  const decoder = new TextDecoder();
  let tail = "";
  for await (const piece of gunzip(bytes, file)) {
    const lines = (tail + decoder.decode(piece, { stream: true })).split("\n");
    tail = lines.pop()!;
    for (const line of lines) yield* reader.take(line);
  }
  // A line without end is one that VASP has not written to its end: its numbers would be cut.
  reader.end();
}
