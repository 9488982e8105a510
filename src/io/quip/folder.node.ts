import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { parseGap } from "./gap.ts";

/** The XML file of a GAP and the files of points beside it, by name. */
export async function readGapFiles(path: string): Promise<Record<string, string>> {
  const name = basename(path);
  const text = await readFile(path, "utf8");
  const files: Record<string, string> = { [name]: text };
  for (const { pointsFile } of parseGap(text, path).coordinates)
    if (pointsFile !== null) files[pointsFile] = await readFile(join(dirname(path), pointsFile), "utf8");
  return files;
}
