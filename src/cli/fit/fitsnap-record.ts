import { existsSync } from "node:fs";
import { join } from "node:path";
import { readYaml } from "../../schema.ts";
import { z } from "../../zod.ts";
import { readWhole } from "../files.ts";

/** Name of the file that tells a run that goes on which files FitSNAP would write. */
export const FITSNAP_RECORD = "fitsnap.json";

const weights = z.strictObject({ energy: z.number(), forces: z.number(), stress: z.number() });

const recordSchema = z.strictObject({
  potential: z.string().meta({ help: "stem of .snapcoeff and .snapparam" }),
  metrics: z.string().meta({ help: "table of errors" }),
  weights: z.record(z.string(), weights),
});

/** What FitSNAP would write beside the model. */
export type FitsnapOutputs = z.output<typeof recordSchema>;

/** What an earlier part of the run has recorded in its folder, if its input was one of FitSNAP. */
export async function readFitsnapRecord(folder: string): Promise<FitsnapOutputs | undefined> {
  const path = join(folder, FITSNAP_RECORD);
  if (!existsSync(path)) return undefined;
  return readYaml(recordSchema, new TextDecoder().decode(await readWhole(path)), path);
}
