import { readModel } from "../io/model.ts";
import { composed } from "../potentials/composed.ts";
import { potentials } from "../potentials/table.ts";
import type { Model } from "../potentials/potential.ts";
import { readYaml } from "../schema.ts";
import { numberOf } from "../structure/elements.ts";
import { z } from "../zod.ts";
import { readWhole } from "./files.ts";

/** `{ type, …options }` of any potential that needs no fitted numbers. */
const [first, ...rest] = Object.values(potentials)
  .filter((method) => method !== composed)
  .map((method) => {
    if (!(method.options instanceof z.ZodObject))
      throw new TypeError(`the options of ${method.name} are no object`);
    return z.strictObject({ type: z.literal(method.name), ...method.options.shape });
  });

const schema = z.strictObject({
  elements: z.array(z.string()).min(1).meta({ help: "symbols of the elements it is for" }),
  terms: z
    .array(z.discriminatedUnion("type", [first, ...rest]))
    .min(1)
    .meta({ help: "potentials that add up: type and options of each" }),
});

/** Whether a path names a potential that is written, not fitted. */
export const isPotentialFile = (path: string): boolean => /\.ya?ml$/i.test(path);

/** Reads `elements: [Ar]`, `terms: [{ type: lennard-jones, … }]`: a model without anything learned. */
export function readPotential(text: string, file: string): Model {
  const { elements, terms } = readYaml(schema, text, file) as {
    readonly elements: readonly string[];
    readonly terms: readonly (Readonly<Record<string, unknown>> & { readonly type: string })[];
  };
  return {
    elements: [...new Set(elements.map(numberOf))].sort((a, b) => a - b),
    terms: terms.map(({ type, ...options }) => ({ type, options, tensors: {} })),
    provenance: { file },
  };
}

/** A model file, or a YAML file of known potentials. */
export async function readAnyModel(path: string): Promise<Model> {
  const bytes = await readWhole(path);
  return isPotentialFile(path)
    ? readPotential(new TextDecoder().decode(bytes), path)
    : readModel(bytes, path);
}
