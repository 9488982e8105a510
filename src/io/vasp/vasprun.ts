import type { Frame } from "../../structure/structure.ts";
import type { ByteStream, Format, ReadOptions } from "../format.ts";
import { gunzip } from "../gzip.ts";
import { VasprunReader } from "./vasprun-reader.ts";
import { XmlReader } from "./xml.ts";

/** vasprun.xml of VASP: all ionic steps, in a stream; more digits of positions than an OUTCAR. */
export const vasprun: Format = {
  name: "vasprun",
  summary: "vasprun.xml of VASP: every ionic step with energy, forces and stress",
  extensions: ["vasprun.xml", ".vasprun", ".xml"],
  carries: ["cell", "pbc", "energy", "forces", "stress", "info"],
  url: "https://www.vasp.at/wiki/index.php/Vasprun.xml",
  statesUnits: true,
  read: readVasprun,
};

/** The ionic steps of a vasprun.xml; an unfinished one is an error with its line, or left out. See Format.read. */
export async function* readVasprun(
  bytes: ByteStream,
  file: string,
  options: ReadOptions = {},
): AsyncGenerator<Frame, void, undefined> {
  const reader = new VasprunReader(file, options);
  const xml = new XmlReader(reader, file);
  const decoder = new TextDecoder();
  for await (const piece of gunzip(bytes, file)) {
    xml.push(decoder.decode(piece, { stream: true }));
    yield* reader.frames();
  }
  reader.end(xml.path, xml.line);
}
