import { readFile, readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { invalid } from "../../error.ts";
import { readPotential, readSnap } from "./read.ts";
import type { ReadPotential } from "./read.ts";
import type { Files } from "./script.ts";

/** Larger files are no potential that is meant. */
const LARGEST = 2 ** 28;

/** The model of LAMMPS's files: an input (or a file to include), a `.snapcoeff` or `.snapparam`, or a folder with one of these. */
export async function readLammps(
  path: string,
  elements: readonly string[] = [],
): Promise<ReadPotential & { readonly files: Files }> {
  const file = (await stat(path)).isDirectory() ? join(path, await chooseIn(path)) : path;
  const folder = dirname(file);
  const name = basename(file);
  const names = await readdir(folder);
  const pair = /^(.*)\.snap(coeff|param)$/.exec(name);
  if (!pair) {
    const files = await collect(folder, name, names);
    return { ...readPotential(name, files, elements), files };
  }
  const [coefficients, parameters] = [`${pair[1]}.snapcoeff`, `${pair[1]}.snapparam`];
  const files = {
    [coefficients]: await text(folder, coefficients),
    [parameters]: await text(folder, parameters),
  };
  return { ...readSnap(coefficients, parameters, files), files };
}

/** The input of a folder, or its only .snapcoeff. */
async function chooseIn(folder: string): Promise<string> {
  const names = await readdir(folder);
  for (const pattern of [/^potential\.lammps$/, /\.snap$/, /^in\.|\.lammps$/, /\.snapcoeff$/]) {
    const found = names.filter((name) => pattern.test(name));
    if (found.length === 1) return found[0];
    if (found.length > 1) throw invalid(folder, "one input, or its name", found.join(", "));
  }
  throw invalid(folder, "input.nn (n2p2), an input of LAMMPS or a .snapcoeff", names.slice(0, 5).join(", "));
}

async function text(folder: string, name: string): Promise<string> {
  const path = join(folder, name);
  const size = await stat(path).then(
    (found) => (found.isFile() ? found.size : Infinity),
    () => undefined,
  );
  if (size === undefined) throw invalid(path, "a file", "nothing of that name");
  if (size > LARGEST) throw invalid(path, "a file of text", "a folder or more than 256 MiB");
  return readFile(path, "utf8");
}

/** A file and, of those beside it, what it names, and what those name. */
async function collect(folder: string, name: string, names: readonly string[]): Promise<Files> {
  const files: Record<string, string> = {};
  const open = [name];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (files[next] !== undefined) continue;
    // oxlint-disable-next-line no-await-in-loop -- a file says which ones follow
    const content = (files[next] = await text(folder, next));
    // Only inputs name others; a table or coefficients can be long.
    if (content.length > 2 ** 20) continue;
    const words = new Set(content.split(/\s+/));
    for (const other of names) if (words.has(other)) open.push(other);
  }
  return files;
}
