import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { invalid } from "../error.ts";

/** Writes a file under a temporary name and renames it, so that a reader never sees half of it. */
export function writeWhole(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.part`;
  const file = openSync(temporary, "w");
  try {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

/** The bytes of a file that the user named. */
export function readWhole(path: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT") throw invalid(path, "a file", "nothing there");
    if (code === "EISDIR") throw invalid(path, "a file", "a folder");
    if (code === "EACCES") throw invalid(path, "a readable file", "permission denied");
    throw error;
  }
}

/** Refuses to overwrite what is there, unless told to. */
export function refuseExisting(path: string, force: boolean | undefined): void {
  if (!force && existsSync(path)) throw invalid(path, "a new path (or --force)", "it exists already");
}
