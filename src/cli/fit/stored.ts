import { closeSync, openSync, readSync, statSync } from "node:fs";
import { invalid } from "../../error.ts";
import { openCheckpoint, type StoredCheckpoint } from "../../fit/checkpoint.ts";

/** Bytes that are read at a time: one call reads no more than 2 GiB. */
const PIECE = 2 ** 28;

/** The checkpoint in a file, which is read piece by piece to where it goes. */
export const openStored = (path: string): StoredCheckpoint =>
  openCheckpoint({ length: statSync(path).size, read: (at, to) => readAt(path, at, to) }, path);

function readAt(path: string, at: number, to: Uint8Array): void {
  const file = openSync(path, "r");
  try {
    for (let done = 0; done < to.length;) {
      const read = readSync(file, to, done, Math.min(PIECE, to.length - done), at + done);
      if (read === 0) throw invalid(path, `${at + to.length} bytes`, "fewer: the file was cut off");
      done += read;
    }
  } finally {
    closeSync(file);
  }
}
