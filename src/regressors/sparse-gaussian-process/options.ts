import type { output } from "zod";
import { boolean, enum as oneOf, int, literal, looseObject, number, strictObject, union } from "../../zod.ts";

/** Options of the method "sparse-gaussian-process". */
export const options = strictObject({
  kernel: looseObject({})
    .prefault({ name: "dot-product", zeta: 4 })
    .meta({ help: "Kernel of two environments: name and options, or a sum or product; see docs/kernels.md" }),
  normalise: boolean()
    .default(true)
    .meta({ help: "Compare p/‖p‖, as the SOAP kernel (p·p′/‖p‖‖p′‖)^ζ does; false: features as they are" }),
  delta: number()
    .positive()
    .default(1)
    .meta({ unit: "eV", help: "δ: how large the energy of an environment may be; the kernel is δ² k" }),
  count: union([literal("auto"), int().positive()])
    .default("auto")
    .meta({
      help: "Representative environments of each element; auto: one for twenty of the data, 100 to 500",
    }),
  select: oneOf(["cur", "farthest", "k-means", "random"])
    .default("k-means")
    .meta({ help: "How they are chosen among the training environments" }),
  jitter: number().min(0).default(1e-8).meta({
    help: "Added to the diagonal of the kernel between representative points, in units of its mean; sparse_jitter of gap_fit is absolute",
  }),
});

export type SparseOptions = output<typeof options>;
