import { existsSync } from "node:fs";
import { basename } from "node:path";
import { invalid } from "../error.ts";
import { readBytes, writeAtomically } from "../io/files.node.ts";
import { findWriter } from "../io/table.ts";

/** Writes a file whole or not at all. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  await writeAtomically(path, [typeof content === "string" ? new TextEncoder().encode(content) : content]);
}

/** The bytes of a file that the user named. */
export async function readWhole(path: string): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of readBytes(path)) pieces.push(piece);
  const whole = new Uint8Array(pieces.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Refuses to overwrite what is there, unless told to. */
export function refuseExisting(path: string, force: boolean | undefined): void {
  if (!force && existsSync(path)) throw invalid(path, "a new path (or --force)", "it exists already");
}

/** The same for a file of frames, whose format must be one that can be written: told before anything is computed. */
export function refuseFrames(path: string, force: boolean | undefined): void {
  findWriter(path);
  refuseExisting(path, force);
}

/** Name of a file without folder and endings: "a/b.xyz.gz" → "b". */
export const stem = (path: string): string =>
  basename(path)
    .replace(/\.gz$/i, "")
    .replace(/\.[a-z]\w*$/i, "");
