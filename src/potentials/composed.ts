import { z } from "../zod.ts";
import { descriptors } from "../descriptors/table.ts";
import type { Device } from "../device/device.ts";
import { regressors } from "../regressors/table.ts";
import { compose, type Composed } from "./compose.ts";
import { readRecord } from "./extrapolation/record.ts";
import { pick } from "./pick.ts";
import type { PotentialMethod } from "./potential.ts";

const named = z.looseObject({ name: z.string() });

const composedOptions = z.strictObject({
  descriptor: named.meta({ help: "Name and options of the descriptor, nothing left to choose" }),
  regressor: named.meta({ help: "Name and options of the regressor" }),
  training: z
    .strictObject({ places: z.array(z.string()) })
    .optional()
    .meta({ help: "Frames that the remembered training environments came from" }),
});

export type ComposedOptions = z.infer<typeof composedOptions>;

/** Descriptor and regressor of a composed term, joined. */
export function buildComposed(
  { descriptor, regressor, training }: ComposedOptions,
  elements: readonly number[],
  tensors: Readonly<Record<string, Float64Array>>,
  device: Device,
): Composed {
  const { name: see, ...seeOptions } = descriptor;
  const { name: learn, ...learnOptions } = regressor;
  const seeing = pick(descriptors, see, "descriptor.name");
  const D = seeing.build(seeing.options.parse(seeOptions), elements, device);
  const sizes = elements.map((_, e) => D.size(e));
  const learning = pick(regressors, learn, "regressor.name");
  const R = learning.build(learning.options.parse(learnOptions), sizes, tensors, device);
  return compose(D, R, device, readRecord(tensors, training?.places ?? [], sizes));
}

/** Any descriptor with any regressor, as a term of a model. */
export const composed: PotentialMethod<ComposedOptions> = {
  name: "composed",
  summary: "A learned energy per atom: descriptor, then regressor",
  options: composedOptions,
  build: buildComposed,
};
