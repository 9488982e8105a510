import { z } from "../../zod.ts";
import { OBSERVATION_KINDS } from "../observations.ts";

/** Options of the extended Kalman filter; names and defaults of the schedule are those of n2p2. */
export const kalmanSchema = z.strictObject({
  type: z
    .enum(["standard", "fading"])
    .default("fading")
    .meta({ help: "fading: old observations are forgotten by λ, noise R = λ; standard: R = 1/η" }),
  blocks: z
    .union([z.enum(["combined", "element"]), z.int().positive()])
    .default("combined")
    .meta({
      help: "covariance: of all parameters, of each element's, or of parts of at most so many parameters",
    }),
  forces: z.int().min(0).default(6).meta({ help: "observations of forces of each frame and update" }),
  stress: z.int().min(0).default(1).meta({ help: "observations of the virial of each frame and update" }),
  observe: z
    .enum(OBSERVATION_KINDS)
    .default("component")
    .meta({ help: "single components; sums with random signs; sums of absolute errors" }),
  epsilon: z.number().positive().default(0.01).meta({ help: "initial covariance P = 1/ε" }),
  q0: z
    .number()
    .min(0)
    .default(0.01)
    .meta({ help: "process noise added to the diagonal of P, at the start" }),
  // oxlint-disable-next-line oxc/approx-constant -- the value that n2p2 documents
  qtau: z.number().min(0).default(2.302).meta({ help: "q falls by exp(−qtau) in an epoch" }),
  qmin: z.number().min(0).default(1e-6).meta({ help: "lowest process noise" }),
  eta: z.number().positive().default(0.01).meta({ help: "learning rate η at the start, standard filter" }),
  // oxlint-disable-next-line oxc/approx-constant -- as above
  etatau: z.number().min(0).default(2.302).meta({ help: "η rises by exp(etatau) in an epoch" }),
  etamax: z.number().positive().default(1).meta({ help: "highest learning rate" }),
  lambda: z
    .number()
    .positive()
    .max(1)
    .default(0.96)
    .meta({ help: "forgetting factor λ at the start, fading filter" }),
  nu: z.number().min(0).max(1).default(0.99704).meta({ help: "λ ← ν λ + 1 − ν after every update" }),
  energyThreshold: z
    .number()
    .min(0)
    .default(0)
    .meta({ help: "energies with errors below this part of the last epoch's RMSE are left out" }),
  forceThreshold: z
    .number()
    .min(0)
    .default(1)
    .meta({ help: "components are drawn until the error exceeds this part of the last epoch's RMSE" }),
  trials: z.int().positive().default(3).meta({ help: "most draws; then the largest error drawn is taken" }),
  unit: z
    .union([z.literal("auto"), z.number().positive()])
    .default("auto")
    .meta({ help: "scaled error that counts as 1; auto: root of the loss of the first update" }),
  memory: z.number().positive().default(1024).meta({ unit: "MiB", help: "most memory for the covariance" }),
});

export type KalmanOptions = z.output<typeof kalmanSchema>;
