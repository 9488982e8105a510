import type { SymmetryFunctionsOptions } from "../../descriptors/symmetry-functions/options.ts";
import { invalid } from "../../error.ts";
import { listedNetwork } from "../../potentials/listed.ts";
import type { ListedNetwork } from "../../potentials/listed.ts";
import { readRecord } from "../../potentials/extrapolation/record.ts";
import type { TrainingRecord } from "../../potentials/extrapolation/record.ts";
import type { Model } from "../../potentials/potential.ts";
import { symbolOf } from "../../structure/elements.ts";
import { compareFunctions, CUTOFF_TYPES, formatFunction, fromFunction } from "./functions.ts";
import type { CommonCutoff, FunctionLine } from "./functions.ts";
import { ACTIVATIONS, FAR, writeScaling, writeWeights } from "./network.ts";
import type { Layer, Statistics } from "./network.ts";
import { weightsFile } from "./read.ts";
import type { Files, FileUnits } from "./read.ts";

/** What of a model is said in n2p2's files. */
interface Parts extends ListedNetwork {
  /** Letters of the hidden layers and the output. */
  readonly letters: readonly string[];
  /** What the model remembers of its training data. */
  readonly record: TrainingRecord | null;
}

/** A function, its place in the model's order, and the weights and scaling that belong to it. */
interface Feature {
  readonly line: FunctionLine;
  readonly index: number;
}

/** The texts of a folder that n2p2 and LAMMPS (pair_style hdnnp) read; a model they cannot express is an error. */
export function writeN2p2(model: Model, units: FileUnits): Files {
  const parts = partsOf(model);
  const common = commonCutoff(parts.functions);
  const lists = parts.elements.map((z) => featuresOf(parts.functions, symbolOf(z), units));
  const conv = convOf(parts);
  const files: Record<string, string> = {};
  const tables: Statistics[][] = [];
  for (const [e, z] of parts.elements.entries()) {
    const { layers, table } = networkOf(parts, e, lists[e], conv === null ? units.energy : null);
    files[weightsFile(z)] = writeWeights(layers);
    tables.push(table);
  }
  files["scaling.data"] = writeScaling(tables);
  files["input.nn"] = settingsOf(parts, lists, common, conv, units);
  return files;
}

function partsOf(model: Model): Parts {
  const listed = listedNetwork(model);
  if (listed.layers.length === 0)
    throw invalid("regressor.layers", "at least one hidden layer for n2p2", "none");
  const letters = listed.activations.map((name) => {
    const found = Object.entries(ACTIVATIONS).find(([, known]) => known === name);
    if (found) return found[0];
    throw invalid("regressor.activation", `one of ${Object.values(ACTIVATIONS).join(", ")} for n2p2`, name);
  });
  const sizes = listed.elements.map((z) => listed.functions.functions?.[symbolOf(z)]?.length ?? 0);
  return { ...listed, letters, record: readRecord(listed.tensors, listed.places, sizes) };
}

/** n2p2 has one cutoff function for all functions that are not compact. */
function commonCutoff({ cutoff, functions = {} }: SymmetryFunctionsOptions): CommonCutoff {
  const used = Object.values(functions)
    .flat()
    .flatMap((f) => (f.type === "C2" || f.type === "C4" || f.type === "C5" ? [] : [f.cutoff ?? cutoff]));
  const [first = cutoff] = used;
  const other = used.find(({ type, inner = 0 }) => type !== first.type || inner !== (first.inner ?? 0));
  if (!other) return first;
  throw invalid("descriptor.cutoff", `one cutoff function for all, as n2p2 has (${first.type})`, other.type);
}

/** The functions of an element in n2p2's order. */
function featuresOf(
  { cutoff, functions }: SymmetryFunctionsOptions,
  symbol: string,
  units: FileUnits,
): Feature[] {
  const radius = cutoff.radius === "auto" ? NaN : cutoff.radius;
  const list = functions?.[symbol] ?? [];
  if (list.length === 0)
    throw invalid(`descriptor.functions.${symbol}`, "functions, which n2p2 needs", "none");
  return list
    .map((f, index) => {
      const place = `descriptor.functions.${symbol}[${index}]`;
      return { index, line: fromFunction(f, { ...cutoff, radius }, units.length, place) };
    })
    .toSorted((a, b) => compareFunctions(a.line, b.line));
}

/**
 * A linear output takes its scale and shift into the last layer's weights: null. For another the scale becomes
 * conv_energy, in 1/eV, which n2p2 has once for all elements.
 */
function convOf({ elements, tensors, letters }: Parts): number | null {
  if (letters.at(-1) === "l") return null;
  const scales = elements.map((_, e) => tensors[`${e}.output`][0]);
  if (new Set(scales).size === 1) return 1 / scales[0];
  throw invalid("regressor.output", "linear, or one scale for all elements, as n2p2 has", scales);
}

/** Layers and scaling of element index e; `energy`: the unit that a linear output is written in, null for another. */
function networkOf(
  { tensors, layers, record }: Parts,
  e: number,
  features: readonly Feature[],
  energy: number | null,
): { layers: Layer[]; table: Statistics[] } {
  const own = (name: string): Float64Array => tensors[`${e}.${name}`];
  const [mean, scale, output] = [own("mean"), own("scale"), own("output")];
  const written = [...layers, 1].map((_, l) => ({
    weights: own(`weights.${l + 1}`).slice(),
    biases: own(`biases.${l + 1}`).slice(),
  }));
  const width = layers[0];
  const first = own("weights.1");
  const known = record?.elements[e];
  const table = features.map(({ index }, t): Statistics => {
    const row = first.subarray(index * width, (index + 1) * width);
    // A feature of scale 0 has no influence: σ = 1 and no weights say the same.
    const dead = scale[index] === 0;
    written[0].weights.set(dead ? new Float64Array(width) : row, t * width);
    const range = { min: known?.min[index] ?? -FAR, max: known?.max[index] ?? FAR };
    return { ...range, mean: mean[index], sigma: dead ? 1 : 1 / scale[index] };
  });
  if (energy !== null) {
    const { weights, biases } = written.at(-1)!;
    for (let k = 0; k < weights.length; k++) weights[k] *= output[0] / energy;
    biases[0] = (biases[0] * output[0] + output[1]) / energy;
  }
  return { layers: written, table };
}

function settingsOf(
  { elements, tensors, atomEnergies, layers, letters }: Parts,
  lists: readonly (readonly Feature[])[],
  { type, inner = 0 }: CommonCutoff,
  conv: number | null,
  units: FileUnits,
): string {
  const symbols = elements.map(symbolOf);
  // The shift of an output that is not linear goes to the atoms.
  const shifts = elements.map((_, e) => (conv === null ? 0 : tensors[`${e}.output`][1]));
  const energies = symbols.map((s, e) => `atom_energy ${s} ${(atomEnergies[e] + shifts[e]) / units.energy}`);
  const normal =
    conv === null ? [] : ["mean_energy 0", `conv_energy ${conv * units.energy}`, "conv_length 1"];
  const lines = [
    "# Written by surfit.",
    `# Units: 1 length = ${units.length} Angstrom, 1 energy = ${units.energy} eV.`,
    ...normal,
    `number_of_elements ${elements.length}`,
    `elements ${symbols.join(" ")}`,
    ...energies,
    `cutoff_type ${CUTOFF_TYPES.indexOf(type)} ${inner}`,
    "scale_symmetry_functions_sigma",
    "scale_min_short 0",
    "scale_max_short 1",
    `global_hidden_layers_short ${layers.length}`,
    `global_nodes_short ${layers.join(" ")}`,
    `global_activation_short ${letters.join(" ")}`,
    ...lists.flatMap((list, e) =>
      list.map(({ line }) => `symfunction_short ${symbols[e]} ${formatFunction(line)}`),
    ),
  ];
  return `${lines.join("\n")}\n`;
}
