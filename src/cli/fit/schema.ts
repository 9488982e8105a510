import { z } from "../../zod.ts";
import { descriptors } from "../../descriptors/table.ts";
import { molecularDescriptors } from "../../descriptors/molecular/table.ts";
import { wholeMethods } from "../../fit/whole/table.ts";
import { fitSchema, modelSchema } from "../../fit/options.ts";
import type { FitOptions } from "../../fit/options.ts";
import { potentials } from "../../potentials/table.ts";
import { regressors } from "../../regressors/table.ts";

interface Method {
  readonly name: string;
  readonly options: z.ZodType;
}

/** `{ name, …options }` of any method of a table, so that a slip in a method's options is found with its line. */
function methodOf(table: Readonly<Record<string, Method>>, usual: string, help: string) {
  const alternatives = Object.values(table).map((method) => {
    if (!(method.options instanceof z.ZodObject))
      throw new TypeError(`the options of ${method.name} are no object`);
    const own = z.literal(method.name);
    const name = method.name === usual ? own.default(usual) : own;
    return z.strictObject({ name, ...method.options.shape });
  });
  const [first, ...rest] = alternatives;
  return z
    .discriminatedUnion("name", [first, ...rest])
    .prefault({ name: usual })
    .meta({ help });
}

/** What is used when nothing is said. */
const usual = modelSchema.parse({});

/** The configuration of a fit with the options of every method in its place: what `fit.yaml` is held to. */
export const wholeSchema = fitSchema.extend({
  model: modelSchema
    .extend({
      descriptor: methodOf(
        { ...descriptors, ...molecularDescriptors },
        usual.descriptor.name,
        "what is seen of the surroundings",
      ),
      regressor: methodOf({ ...regressors, ...wholeMethods }, usual.regressor.name, "features to energies"),
      zbl: z
        .union([z.literal("auto"), z.boolean(), potentials["zbl"].options])
        .default("auto")
        .meta({
          help: "screened nuclear repulsion inside the distances of the data; options, or false; auto: unless a baseline has one",
        }),
    })
    .prefault({}),
}) as unknown as z.ZodType<FitOptions>;
