import type { Device } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { validate } from "../../schema.ts";
import type { Frame } from "../../structure/structure.ts";
import type { LearnedTerm } from "../learned.ts";
import type { FitOptions } from "../options.ts";
import { WholeWorkspace } from "./closed-form.ts";
import type { WholeInput, WholeMethod } from "./method.ts";

/** The term of a model of whole molecules, with its starting numbers. */
export function wholeTerm(
  method: WholeMethod,
  { model: { descriptor, regressor }, seed }: FitOptions,
  training: readonly Frame[],
  elements: readonly number[],
  device: Device,
): LearnedTerm {
  return method.start(parsedWhole(method, regressor), { descriptor, training, elements, device, seed });
}

const parsedWhole = (
  method: WholeMethod,
  { name: _name, ...own }: FitOptions["model"]["regressor"],
): unknown => validate(method.options, own, "model.regressor");

/** What such a model is solved with. */
export async function wholeDesign(method: WholeMethod, { model }: FitOptions, input: WholeInput) {
  const uneven = input.train.find((f) => input.data.weights[f] > 0 && input.data.weights[f] !== 1);
  if (uneven !== undefined)
    throw invalid(
      "training.weights",
      `1 or 0 for every frame: ${method.name} does not tell them apart`,
      input.data.weights[uneven],
    );
  const { solver, plan } = await method.prepare(parsedWhole(method, model.regressor), input);
  return { rows: new WholeWorkspace(solver), plan };
}
