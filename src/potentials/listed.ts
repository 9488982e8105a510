import { acsf } from "../descriptors/acsf/acsf.ts";
import type { AcsfOptions } from "../descriptors/acsf/options.ts";
import { fromAcsf } from "../descriptors/symmetry-functions/from-acsf.ts";
import type { SymmetryFunctionsOptions } from "../descriptors/symmetry-functions/options.ts";
import { symmetryFunctions } from "../descriptors/symmetry-functions/symmetry-functions.ts";
import { invalid } from "../error.ts";

/** The functions of a model's descriptor, listed by element in the order of its features; others are an error. */
export function listFunctions(
  { name, ...options }: Readonly<Record<string, unknown>>,
  elements: readonly number[],
): SymmetryFunctionsOptions {
  if (name === symmetryFunctions.name) return symmetryFunctions.options.parse(options);
  if (name === acsf.name) return fromAcsf(acsf.options.parse(options) satisfies AcsfOptions, elements);
  throw invalid("descriptor", `${symmetryFunctions.name} or ${acsf.name}`, name);
}
