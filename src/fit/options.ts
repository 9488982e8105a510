import { ENERGY_SOURCES } from "../potentials/isolated-atoms.ts";
import { z } from "../zod.ts";
import { kalmanSchema } from "./kalman/options.ts";
import { leastSquaresSchema } from "./least-squares/options.ts";
import { marquardtSchema } from "./marquardt/options.ts";

const size = z.union([z.number().min(0), z.array(z.union([z.string(), z.number()]))]).meta({
  help: "below 1 a fraction, from 1 on a number of frames; or a list: names of files or groups, numbers of windows from 0 on",
});

const auto = z.literal("auto");

const share = z.union([z.number().min(0).max(1), z.strictObject({ frames: z.int().min(0) })]);

/** How the frames are divided. */
const splitSchema = z.strictObject({
  method: z.enum(["random", "group", "window", "file", "share"]).default("random").meta({
    help: "what stays together: single frames, frames with equal key, contiguous windows, files; share: as shares says",
  }),
  validation: size.default(0.1),
  test: size.default(0.1),
  key: z.string().default("config_type").meta({ help: "key of the comment line that names a frame's group" }),
  windows: z.int().min(3).default(20).meta({ help: "number of contiguous windows" }),
  shares: z
    .record(z.string(), z.strictObject({ train: share, test: share }))
    .default({})
    .meta({
      help: "of each group (value of key): 0 to 1 of its frames, or { frames: n }, with method share",
    }),
  shuffle: z
    .boolean()
    .default(false)
    .meta({ help: "whether shares are drawn at random; if not, in the order of the data" }),
});

const weights = z.strictObject({
  energy: z.number().min(0).default(0.1).meta({ unit: "1/eV²", help: "λ_E at the start" }),
  energyEnd: z
    .number()
    .min(0)
    .default(10)
    .meta({ unit: "1/eV²", help: "λ_E at the end, reached as the rate falls" }),
  forces: z.number().min(0).default(1).meta({ unit: "Å²/eV²", help: "λ_F" }),
  stress: z.number().min(0).default(0.1).meta({ unit: "1/eV²", help: "λ_S, for the virial" }),
  huber: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .meta({ unit: "eV, eV/Å", help: "errors beyond this count linearly, not squared; null: all squared" }),
  configType: z
    .record(z.string(), z.number().min(0))
    .default({})
    .meta({ help: "weight of each config_type; 1 if absent" }),
  groups: z
    .record(
      z.string(),
      z.strictObject({
        energy: z.number().min(0).meta({ help: "factor of the energy per atom in eV" }),
        forces: z.number().min(0).meta({ help: "factor of forces in eV/Å" }),
        stress: z.number().min(0).meta({ help: "factor of stresses in bar" }),
      }),
    )
    .default({})
    .meta({
      help: "factors of the rows of each config_type, as FitSNAP has them, instead of the weights above (least-squares)",
    }),
  sigma: z
    .record(
      z.string(),
      z.strictObject({
        energy: z.number().positive().meta({ unit: "eV", help: "of the energy per atom" }),
        forces: z.number().positive().meta({ unit: "eV/Å", help: "of a component" }),
        stress: z.number().positive().meta({ unit: "eV", help: "of a component of the virial per atom" }),
      }),
    )
    .default({})
    .meta({
      help: "expected errors by config_type and `default`, as gap_fit has them: rows are E/(σ√n), F/σ, W/(σ√n) instead of the weights above (least-squares); a sparse Gaussian process without any finds its own by cross-validation",
    }),
  key: z
    .string()
    .nullable()
    .default(null)
    .meta({ help: "key of the comment line that holds a frame's own weight" }),
});

const adam = z.strictObject({
  beta1: z.number().min(0).lt(1).default(0.9).meta({ help: "decay of the mean gradient" }),
  beta2: z.number().min(0).lt(1).default(0.999).meta({ help: "decay of the mean squared gradient" }),
  epsilon: z.number().positive().default(1e-8).meta({ help: "added to the root of the mean square" }),
  weightDecay: z.number().min(0).default(0.03).meta({ help: "decoupled decay of weights, AdamW" }),
});

/** How the parameters are found. */
export const trainingSchema = z.strictObject({
  optimiser: z
    .enum(["auto", "adam", "lbfgs", "kalman", "marquardt", "least-squares", "closed-form"])
    .default("auto")
    .meta({
      help: "adam: mini-batches (AdamW); for small models kalman: extended Kalman filter; lbfgs, marquardt: all frames at once; least-squares: models linear in their parameters, solved; closed-form: models of whole molecules, solved by their own methods; auto: what the model allows, else adam",
    }),
  epochs: z.union([auto, z.int().positive()]).default("auto").meta({
    help: "passes over the training set; auto: as many as fit into time and steps, measured before the start",
  }),
  time: z.number().positive().default(600).meta({ unit: "s", help: "time to train for when epochs is auto" }),
  steps: z.int().positive().default(60_000).meta({
    help: "most steps of the optimiser when epochs is auto; more of them fit small data worse, not better",
  }),
  batch: z
    .union([auto, z.int().positive()])
    .default("auto")
    .meta({ help: "frames per step; auto: about 144 atoms" }),
  rate: z.number().positive().default(3e-3).meta({ help: "highest learning rate" }),
  finalRate: z.number().min(0).max(1).default(1e-3).meta({ help: "last learning rate, a fraction of rate" }),
  warmUp: z
    .number()
    .min(0)
    .max(1)
    .default(0.01)
    .meta({ help: "part of all steps over which the rate rises from 0" }),
  schedule: z
    .enum(["cosine", "plateau", "constant"])
    .default("cosine")
    .meta({ help: "how the rate falls: as a cosine, halved when validation stalls, or not" }),
  plateau: z
    .int()
    .positive()
    .default(10)
    .meta({ help: "validations without progress before the rate is halved" }),
  adam: adam.prefault({}),
  kalman: kalmanSchema.prefault({}),
  marquardt: marquardtSchema.prefault({}),
  leastSquares: leastSquaresSchema.prefault({}),
  weights: weights.prefault({}),
  average: z.number().min(0).lt(1).default(0.999).meta({ help: "decay of the weight average; 0: none" }),
  clip: z.number().positive().nullable().default(10).meta({ help: "largest gradient norm; null: no limit" }),
  patience: z
    .int()
    .positive()
    .nullable()
    .default(60)
    .meta({ help: "validations without progress before training stops; null: never" }),
  validate: z
    .union([auto, z.int().positive()])
    .default("auto")
    .meta({ help: "epochs between validations; auto: about 200 validations" }),
  cache: z
    .number()
    .min(0)
    .default(1024)
    .meta({ unit: "MiB", help: "memory for features kept between epochs" }),
  history: z.int().positive().default(20).meta({ help: "pairs of steps that lbfgs remembers" }),
});

/** An energy that a fit has found, with where it came from, as it stands in fit.yaml. */
const settled = z.strictObject({ energy: z.number(), source: z.enum(ENERGY_SOURCES) });

const named = z.looseObject({ name: z.string() });

/** What is learned and what is known. */
export const modelSchema = z.strictObject({
  descriptor: named
    .prefault({ name: "ani" })
    .meta({ help: "what is seen of the surroundings: name and its options" }),
  regressor: named
    .prefault({ name: "neural-network" })
    .meta({ help: "features to energies: name and its options" }),
  isolatedAtoms: z
    .union([z.literal("fit"), z.record(z.string(), z.union([z.number(), settled]))])
    .default("fit")
    .meta({
      unit: "eV",
      help: "energy of each isolated atom by symbol, or what an earlier fit has settled; elements left out are fitted",
    }),
  zbl: z
    .union([auto, z.boolean(), z.looseObject({})])
    .default("auto")
    .meta({
      help: "screened nuclear repulsion at distances below those of the data; options, or false; auto: unless a baseline has one",
    }),
  reference: z.array(z.string()).default([]).meta({
    help: "files of potentials under the fit, models or YAML: what they say is taken off the data, and they stay in the model; zbl auto then has none",
  }),
  start: z.string().optional().meta({
    help: "model file of an earlier fit with the same descriptor to go on from: linear before embedding",
  }),
});

const baselineKey = (what: string) =>
  z
    .string()
    .nullable()
    .optional()
    .meta({ help: `${what} of another method; the difference is learned; null: left out` });

/** Where frames come from; reading them is the caller's part. */
const dataSchema = z.strictObject({
  files: z.union([z.string(), z.array(z.string()).min(1)]).meta({ help: "files of labelled frames" }),
  energy: z.string().optional().meta({ help: "key of the energy; found by itself if absent" }),
  forces: z.string().optional().meta({ help: "column of the forces; found by itself if absent" }),
  gradient: z
    .string()
    .optional()
    .meta({ help: "column of dE/dr, forces with the other sign; found by itself if absent" }),
  stress: z.string().optional().meta({ help: "key of the stress; found by itself if absent" }),
  virial: z.string().optional().meta({ help: "key of the virial; found by itself if absent" }),
  baseline: z
    .strictObject({
      energy: baselineKey("key of the energy"),
      forces: baselineKey("column of the forces"),
      gradient: baselineKey("column of dE/dr"),
      stress: baselineKey("key of the stress"),
      virial: baselineKey("key of the virial"),
    })
    .optional(),
  units: z
    .strictObject({
      energy: z
        .string()
        .optional()
        .meta({ help: "unit of energies; as the file declares, or eV if nothing speaks against it" }),
      length: z.string().optional().meta({ help: "unit of positions and cells; likewise, or Å" }),
      force: z.string().optional().meta({ help: "unit of forces; energy/length if absent" }),
      stress: z.string().optional().meta({ help: "unit of the stress; energy/length³ if absent" }),
    })
    .prefault({}),
  stressSign: z
    .enum(["tension", "pressure"])
    .optional()
    .meta({ help: "what a positive stress is; as the file declares, or tension" }),
  virialSign: z
    .enum(["-Vσ", "Vσ"])
    .default("-Vσ")
    .meta({ help: "what the virial is, σ positive under tension" }),
  skip: z
    .boolean()
    .default(false)
    .meta({ help: "leave out steps that a calculation has not finished; if not, they are errors" }),
});

/** The whole configuration of a fit; `{ data: "file.xyz" }` suffices. */
export const fitSchema = z.strictObject({
  data: z.union([z.string().transform((files) => dataSchema.parse({ files })), dataSchema]),
  split: splitSchema.prefault({}),
  model: modelSchema.prefault({}),
  training: trainingSchema.prefault({}),
  seed: z
    .int()
    .min(0)
    .default(1)
    .meta({ help: "of the split, the starting weights and the order of frames" }),
  threads: z.union([auto, z.int().positive()]).default("auto").meta({ help: "auto: all cores" }),
  deterministic: z
    .boolean()
    .default(false)
    .meta({ help: "plain multiply and add instead of fused: same bits on every machine, slower" }),
});

export type FitOptions = z.output<typeof fitSchema>;
export type TrainingOptions = z.output<typeof trainingSchema>;
export type ModelOptions = z.output<typeof modelSchema>;
