import type { Device } from "../device/device.ts";
import { pick } from "./pick.ts";
import type { Model, Potential, Term, Trainable } from "./potential.ts";
import { Sum } from "./sum.ts";
import { potentials } from "./table.ts";

/** Whether a potential has parameters to fit. */
export const isTrainable = (potential: Potential): potential is Trainable => "parameterGradient" in potential;

/** The potential of one term; options are checked. */
export function buildTerm(term: Term, elements: readonly number[], device: Device): Potential {
  const method = pick(potentials, term.type, "term type");
  return method.build(method.options.parse(term.options), elements, term.tensors, device);
}

/** The same for a term with parameters. */
export function buildTrainable(term: Term, elements: readonly number[], device: Device): Trainable {
  const potential = buildTerm(term, elements, device);
  if (isTrainable(potential)) return potential;
  throw new TypeError(`the term ${term.type} has no parameters to fit`);
}

/** The sum of a model's terms, in their order. */
export const buildPotential = (model: Model, device: Device): Sum =>
  new Sum(model.terms.map((term) => buildTerm(term, model.elements, device)));

/** The model with the numbers that its potential holds now, copied: what a file or another thread is given. */
export function snapshot(model: Model, potential: Sum): Model {
  const terms = model.terms.map((term, t) => {
    const part = potential.parts[t].potential;
    return isTrainable(part) ? { ...term, tensors: copies(part.tensors) } : term;
  });
  return { ...model, terms };
}

const copies = (tensors: Readonly<Record<string, Float64Array>>): Record<string, Float64Array> =>
  Object.fromEntries(Object.entries(tensors).map(([name, values]) => [name, Float64Array.from(values)]));
