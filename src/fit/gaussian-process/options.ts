import type { output } from "zod";
import { boolean, int, literal, looseObject, number, strictObject, union } from "../../zod.ts";

const auto = literal("auto");
const count = union([auto, int().min(0)]).default("auto");
const noise = (unit: string) =>
  union([auto, number().positive()])
    .default("auto")
    .meta({ unit, help: "standard deviation of the labels; auto: optimised" });

/** Options of the regressor "gaussian-process". */
export const options = strictObject({
  kernel: union([auto, looseObject({})])
    .default("auto")
    .meta({
      help: "{ name, … }, { sum: […] } or { product: […] }, see docs/kernels.md; auto: a constant times matern-5/2",
    }),
  lengths: union([auto, literal("one"), literal("each")])
    .default("auto")
    .meta({
      help: "of kernel auto: one, or each feature its own, which the evidence tells (automatic relevance); auto: each where hyper-parameters are told from ten observations for every feature",
    }),
  energies: count.meta({ help: "training frames whose energies are used; auto: as many as fit" }),
  forces: count.meta({ help: "training frames whose forces are used; auto: as many as fit" }),
  components: union([literal("all"), int().min(1)])
    .default("all")
    .meta({
      help: "components of the forces of each frame that are used, drawn at random: few of many frames tell more than all of few",
    }),
  noise: strictObject({ energies: noise("eV"), forces: noise("eV/Å") }).prefault({}),
  optimise: boolean()
    .default(true)
    .meta({ help: "whether hyper-parameters are optimised by the evidence, from their values at the start" }),
  starts: int()
    .min(1)
    .default(2)
    .meta({ help: "searches for hyper-parameters, all but the first from random places" }),
  steps: int().min(1).default(30).meta({ help: "most evaluations of the evidence in one search" }),
  sample: int()
    .min(10)
    .default(1200)
    .meta({ help: "most observations that hyper-parameters are told from; all are used in the end" }),
  observations: int()
    .min(2)
    .default(6000)
    .meta({ help: "most observations (energies and components of forces) that auto takes" }),
  memory: number()
    .positive()
    .default(2048)
    .meta({ unit: "MiB", help: "most memory for matrices; more is an error" }),
  uncertainty: union([auto, boolean()]).default("auto").meta({
    help: "whether the model keeps what standard deviations need, n²/2 numbers; auto: up to 6000 observations",
  }),
});

export type ProcessOptions = output<typeof options>;
