import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { invalid } from "../../error.ts";
import { writeAtomically } from "../files.node.ts";
import type { Files } from "./read.ts";

const OWN = /^(input\.nn|scaling\.data|weights\.\d{3}\.data)$/;

/** The files of a potential in a folder, by name. */
export async function readFolder(folder: string): Promise<Files> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR")
      throw invalid(folder, "a folder", "none of that name");
    throw error;
  });
  const own = names.filter((name) => OWN.test(name));
  if (!own.includes("input.nn"))
    throw invalid(folder, "a folder with input.nn", names.slice(0, 5).join(", "));
  const texts = await Promise.all(own.map((name) => readFile(join(folder, name), "utf8")));
  return Object.fromEntries(own.map((name, k) => [name, texts[k]]));
}

/** Writes the files of a potential into a folder that exists. */
export async function writeFolder(folder: string, files: Files): Promise<void> {
  const encoder = new TextEncoder();
  await Promise.all(
    Object.entries(files).map(([name, text]) => writeAtomically(join(folder, name), [encoder.encode(text)])),
  );
}
