import { z } from "../../zod.ts";

/** Options of the Levenberg–Marquardt method. */
export const marquardtSchema = z.strictObject({
  forces: z.int().min(0).default(16).meta({
    help: "sums of force components with random signs that stand for each frame in the normal matrix; all components if it has no more",
  }),
  stress: z.int().min(0).default(2).meta({ help: "the same for the virial" }),
  damping: z.number().positive().default(1e-2).meta({ help: "damping μ at the start" }),
  trials: z.int().positive().default(8).meta({ help: "most dampings tried in one step" }),
  memory: z
    .number()
    .positive()
    .default(1024)
    .meta({ unit: "MiB", help: "most memory for the normal matrix and its factor" }),
});
