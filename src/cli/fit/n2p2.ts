import { existsSync } from "node:fs";
import { join } from "node:path";
import { invalid } from "../../error.ts";
import { readFrames } from "../../io/files.node.ts";
import { readFolder } from "../../io/n2p2/folder.node.ts";
import { readTraining } from "../../io/n2p2/training.ts";
import type { N2p2Data, N2p2Training } from "../../io/n2p2/training.ts";
import { fileUnits } from "../structures.ts";

/** Whether a path is a folder that n2p2 would train in. */
export const isTrainingFolder = (path: string): boolean => existsSync(join(path, "input.nn"));

/** The data of a folder that n2p2 would train in, and what its input.nn says of the fit. */
export async function readTrainingFolder(
  folder: string,
  units: string | undefined,
): Promise<N2p2Training & { readonly data: string }> {
  const data = join(folder, "input.data");
  if (!existsSync(data)) throw invalid(folder, "input.data beside input.nn", "none");
  if (units === undefined)
    throw invalid(
      "--units",
      "the units of the folder, such as Hartree,bohr, which its files do not state",
      "none",
    );
  const files = await readFolder(folder);
  return { data, ...readTraining(files["input.nn"], fileUnits(units), await count(data)) };
}

async function count(file: string): Promise<N2p2Data> {
  let [atoms, structures] = [0, 0];
  for await (const { structure } of readFrames(file)) {
    atoms += structure.numbers.length;
    structures++;
  }
  if (structures === 0) throw invalid(file, "at least one structure", "none");
  return { atoms: atoms / structures, structures };
}
