import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { zipSync } from "fflate";

const ARRAY = /\.npy$/i;
const OWN = /\.(npy|txt)$/i;

/** Whether a folder holds .npy files itself: it then is one archive, whose arrays lie in files. */
export const isArrayFolder = (folder: string): boolean =>
  readdirSync(folder).some((name) => ARRAY.test(name));

/** The .npy and .txt files of a folder as the bytes of an .npz archive. */
export async function* packFolder(folder: string): AsyncGenerator<Uint8Array, void, undefined> {
  const names = readdirSync(folder).filter((name) => OWN.test(name));
  const files = await Promise.all(names.map((name) => readFile(join(folder, name))));
  yield zipSync(Object.fromEntries(names.map((name, k) => [name, files[k]])), { level: 0 });
}
