import { acsf } from "../descriptors/acsf/acsf.ts";
import { fromAcsf } from "../descriptors/symmetry-functions/from-acsf.ts";
import type { SymmetryFunctionsOptions } from "../descriptors/symmetry-functions/options.ts";
import { symmetryFunctions } from "../descriptors/symmetry-functions/symmetry-functions.ts";
import { invalid } from "../error.ts";
import { neuralNetwork } from "../regressors/neural-network/neural-network.ts";
import { activationsOf } from "../regressors/neural-network/options.ts";
import { symbolOf } from "../structure/elements.ts";
import { composed } from "./composed.ts";
import { isolatedAtoms } from "./isolated-atoms.ts";
import type { Model } from "./potential.ts";

/** A model that is energies of isolated atoms and one network for each element over listed symmetry functions. */
export interface ListedNetwork {
  readonly elements: readonly number[];
  /** eV, in the order of the elements. */
  readonly atomEnergies: readonly number[];
  /** Functions by element, in the order of the features. */
  readonly functions: SymmetryFunctionsOptions;
  /** Widths of the hidden layers. */
  readonly layers: readonly number[];
  /** Names of the functions of the hidden layers and of the output. */
  readonly activations: readonly string[];
  readonly tensors: Readonly<Record<string, Float64Array>>;
  /** Places of the frames in its training record. */
  readonly places: readonly string[];
}

/** The parts of such a model, as other programs have them; what is more than that is an error. */
export function listedNetwork({ elements, terms }: Model): ListedNetwork {
  const atomEnergies = elements.map(() => 0);
  let found: Omit<ListedNetwork, "elements" | "atomEnergies"> | undefined;
  for (const [k, { type, options, tensors }] of terms.entries()) {
    if (type === isolatedAtoms.name) {
      const { energies } = isolatedAtoms.options.parse(options);
      for (const [e, z] of elements.entries()) atomEnergies[e] += energies[symbolOf(z)];
    } else if (type === composed.name && !found) {
      const { descriptor, regressor, training } = composed.options.parse(options);
      const functions = listFunctions(descriptor, elements);
      found = { functions, ...networkOf(regressor), tensors, places: training?.places ?? [] };
    } else
      throw invalid(
        `terms[${k}]`,
        "isolated atoms and one network over symmetry functions (a fit adds no zbl with --set model.zbl=false)",
        type,
      );
  }
  if (found) return { elements, atomEnergies, ...found };
  throw invalid("terms", "a network over symmetry functions", "none");
}

function listFunctions(
  { name, ...options }: Readonly<Record<string, unknown>>,
  elements: readonly number[],
): SymmetryFunctionsOptions {
  if (name === symmetryFunctions.name) return symmetryFunctions.options.parse(options);
  if (name === acsf.name) return fromAcsf(acsf.options.parse(options), elements);
  throw invalid("descriptor", `${symmetryFunctions.name} or ${acsf.name}`, name);
}

function networkOf({
  name,
  ...given
}: Readonly<Record<string, unknown>>): Pick<ListedNetwork, "layers" | "activations"> {
  if (name !== neuralNetwork.name) throw invalid("regressor", neuralNetwork.name, name);
  const options = neuralNetwork.options.parse(given);
  if (options.residual)
    throw invalid("regressor.residual", "false: layers that only follow each other", true);
  return { layers: options.layers, activations: activationsOf(options) };
}
