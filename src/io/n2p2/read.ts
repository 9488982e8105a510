import type { SymmetryFunctionsOptions } from "../../descriptors/symmetry-functions/options.ts";
import { invalid } from "../../error.ts";
import { recordTensors } from "../../potentials/extrapolation/record.ts";
import type { ElementRecord, TrainingRecord } from "../../potentials/extrapolation/record.ts";
import type { Model, Term } from "../../potentials/potential.ts";
import { findNumber, symbolOf } from "../../structure/elements.ts";
import { numberFrom } from "../number.ts";
import { compareFunctions, CUTOFF_TYPES, parseFunction, toFunction } from "./functions.ts";
import type { CommonCutoff, FunctionLine } from "./functions.ts";
import { expandGlobal } from "./global.ts";
import { ACTIVATIONS, FAR, readScaling, readWeights } from "./network.ts";
import type { Layer, Statistics } from "./network.ts";
import { Settings } from "./settings.ts";
import type { Setting } from "./settings.ts";

/** Texts of the files of a potential by name: input.nn, scaling.data, weights.ZZZ.data. */
export type Files = Readonly<Record<string, string>>;

/** What one unit of the files is in internal units: eV, Å. */
export interface FileUnits {
  readonly energy: number;
  readonly length: number;
}

/** Keywords of potentials that are more than one network per element over symmetry functions. */
const BEYOND = [
  "use_electrostatics",
  "use_vdw",
  "use_vdW",
  "element_nodes_short",
  "element_hidden_layers_short",
  "element_activation_short",
  "pairsymfunction_short",
  "element_pairsymfunction_short",
  "global_pairsymfunction_short",
];

/** Name of the file with the weights of an element: weights.008.data. */
export const weightsFile = (z: number): string => `weights.${String(z).padStart(3, "0")}.data`;

/** The model in the files of an n2p2 or RuNNer potential. */
export function readN2p2(files: Files, units: FileUnits): Model {
  const settings = new Settings(fileOf(files, "input.nn"), "input.nn");
  const { elements, lists, network, descriptor } = architectureOf(settings, units);
  const sizes = lists.map((list) => list.length);
  const tables = tablesOf(files, settings, sizes);
  const tensors: Record<string, Float64Array> = {};
  for (const [e, z] of elements.entries()) {
    const widths = [sizes[e], ...network.layers, 1];
    const layers = readWeights(fileOf(files, weightsFile(z)), widths, weightsFile(z));
    if (settings.has("normalize_nodes")) layers.forEach((layer, l) => divide(layer, widths[l]));
    for (const [l, { weights, biases }] of layers.entries()) {
      tensors[`${e}.weights.${l + 1}`] = weights;
      tensors[`${e}.biases.${l + 1}`] = biases;
    }
    Object.assign(tensors, scalingOf(settings, tables?.[e], sizes[e], e));
    tensors[`${e}.output`] = outputOf(settings, units);
  }
  const learned: Term = {
    type: "composed",
    options: { descriptor, regressor: { name: "neural-network", ...network } },
    tensors: { ...tensors, ...(tables && knowsRanges(tables) && recordTensors(recordOf(tables))) },
  };
  const provenance = { from: "n2p2", units };
  return { elements, terms: [...atomEnergies(settings, elements, units), learned], provenance };
}

/** What input.nn says of elements, symmetry functions (descriptor "symmetry-functions") and network. */
export function architectureOf(settings: Settings, units: FileUnits) {
  refuseBeyond(settings);
  const elements = elementsOf(settings);
  const lists = listFunctions(settings, elements);
  const common = cutoffOf(settings);
  const functions = Object.fromEntries(
    elements.map((z, e) => [symbolOf(z), lists[e].map((line) => toFunction(line, common, units.length))]),
  );
  const radius = Math.max(...lists.flat().map(({ values }) => values.rc)) * units.length;
  const descriptor: SymmetryFunctionsOptions & { name: string } = {
    name: "symmetry-functions",
    cutoff: { ...common, radius },
    functions,
  };
  return { elements, lists, network: networkOf(settings), descriptor };
}

function fileOf(files: Files, name: string): string {
  const text = files[name];
  if (text === undefined) throw invalid(name, "a file of the potential", "none");
  return text;
}

function refuseBeyond(settings: Settings): void {
  for (const key of BEYOND) {
    const [line] = settings.all(key);
    if (line) throw invalid(line.place, "a potential of one network per element, all alike", key);
  }
  for (const key of ["nnp_type", "nnp_gen"]) {
    const line = settings.find(key);
    if (line && !/^(1|2|2G.*)$/.test(line.words[0]))
      throw invalid(line.place, "a short-range potential (second generation)", line.words.join(" "));
    if (line?.words[0] === "2" && key === "nnp_type" && settings.all("symfunction_short").length === 0)
      throw invalid(line.place, "symfunction_short lines", "none");
  }
}

function elementsOf(settings: Settings): number[] {
  const line = settings.find("elements");
  if (!line) throw invalid("input.nn", "the keyword elements", "none");
  const [count] = settings.numbers("number_of_elements", 1, [line.words.length]);
  const elements = line.words.slice(0, count).map((s) => elementOf(s, line));
  if (elements.length === count && new Set(elements).size === count)
    return elements.toSorted((a, b) => a - b);
  throw invalid(line.place, `${count} different elements`, line.words.join(" "));
}

function elementOf(symbol: string, { place }: Setting): number {
  const z = findNumber(symbol);
  if (z === undefined) throw invalid(place, "a chemical symbol", symbol);
  return z;
}

/** Functions of each centre element, in n2p2's order. */
function listFunctions(settings: Settings, elements: readonly number[]): FunctionLine[][] {
  const lists = elements.map((): FunctionLine[] => []);
  for (const line of settings.all("symfunction_short")) {
    const e = elements.indexOf(elementOf(line.words[0] ?? "", line));
    const f = parseFunction(line.words.slice(1), line);
    const strange = f.neighbours.find((z) => !elements.includes(z));
    if (e < 0 || strange !== undefined)
      throw invalid(line.place, `elements ${elements.map(symbolOf).join(", ")}`, line.words.join(" "));
    lists[e].push(f);
  }
  for (const [e, f] of expandGlobal(settings, elements)) lists[e].push(f);
  for (const [e, list] of lists.entries()) {
    if (list.length === 0)
      throw invalid("input.nn", `symmetry functions of ${symbolOf(elements[e])}`, "none");
    list.sort(compareFunctions);
  }
  return lists;
}

function cutoffOf(settings: Settings): CommonCutoff {
  const line = settings.find("cutoff_type");
  const [number, alpha = 0] = settings.numbers("cutoff_type", 1, [1]);
  const type = CUTOFF_TYPES[number];
  if (type === undefined) throw invalid(line?.place ?? "input.nn", "cutoff_type 0 … 8", String(number));
  return { type, ...(alpha !== 0 && { inner: alpha }) };
}

function networkOf(settings: Settings): { layers: number[]; activation: string[]; output: string } {
  const [hidden] = settings.numbers("global_hidden_layers_short", 1);
  const layers = [...settings.numbers("global_nodes_short", hidden)].slice(0, hidden);
  const line = settings.find("global_activation_short");
  const letters = line?.words ?? [];
  const names = letters.map((letter) => ACTIVATIONS[letter]);
  if (!line || names.length < hidden + 1 || names.includes(undefined!))
    throw invalid(
      line?.place ?? "input.nn",
      `global_activation_short and ${hidden + 1} of ${Object.keys(ACTIVATIONS).join(" ")}`,
      letters.join(" ") || "none",
    );
  return { layers, activation: names.slice(0, hidden), output: names[hidden] };
}

function divide({ weights, biases }: Layer, inputs: number): void {
  for (let k = 0; k < weights.length; k++) weights[k] /= inputs;
  for (let k = 0; k < biases.length; k++) biases[k] /= inputs;
}

/** Which scaling is asked for; as in n2p2, σ counts only where neither of the others is there. */
function scales(settings: Settings): { range: boolean; centre: boolean; sigma: boolean } {
  const range = settings.has("scale_symmetry_functions");
  const centre = settings.has("center_symmetry_functions");
  return { range, centre, sigma: settings.has("scale_symmetry_functions_sigma") && !range && !centre };
}

function tablesOf(files: Files, settings: Settings, sizes: readonly number[]): Statistics[][] | undefined {
  const { range, sigma, centre } = scales(settings);
  if (!range && !sigma && !centre && files["scaling.data"] === undefined) return undefined;
  return readScaling(fileOf(files, "scaling.data"), sizes, "scaling.data");
}

/** Scaling (G − mean)·scale of element index e: S_min + (S_max − S_min)(G − G_min or mean)/(G_max − G_min or σ). */
function scalingOf(
  settings: Settings,
  table: readonly Statistics[] | undefined,
  size: number,
  e: number,
): Record<string, Float64Array> {
  const { range, sigma, centre } = scales(settings);
  const [low] = settings.numbers("scale_min_short", 1, [0]);
  const [high] = settings.numbers("scale_max_short", 1, [1]);
  const mean = new Float64Array(size);
  const scale = new Float64Array(size).fill(1);
  table?.forEach((s, t) => {
    const from = centre || sigma ? s.mean : s.min;
    if (sigma || range) {
      const width = sigma ? s.sigma : s.max - s.min;
      scale[t] = (high - low) / width;
      if (!(width > 0) || !Number.isFinite(scale[t]))
        throw invalid(`scaling.data element ${e + 1} function ${t + 1}`, "values that vary", String(width));
      mean[t] = low === 0 ? from : from - low / scale[t];
    } else if (centre) mean[t] = s.mean;
  });
  return { [`${e}.mean`]: mean, [`${e}.scale`]: scale };
}

/** Scale and shift from the network's output to eV: E/conv_energy + mean_energy. */
function outputOf(settings: Settings, { energy }: FileUnits): Float64Array {
  const [mean] = settings.numbers("mean_energy", 1, [0]);
  const [conv] = settings.numbers("conv_energy", 1, [1]);
  return Float64Array.of(energy / conv, energy * mean);
}

function atomEnergies(settings: Settings, elements: readonly number[], units: FileUnits): Term[] {
  const energies = atomEnergiesOf(settings, elements, units);
  return energies ? [{ type: "isolated-atoms", options: { energies }, tensors: {} }] : [];
}

/** Energies of isolated atoms by symbol, eV; undefined where all are 0. */
export function atomEnergiesOf(
  settings: Settings,
  elements: readonly number[],
  { energy }: FileUnits,
): Record<string, number> | undefined {
  const energies = Object.fromEntries(elements.map((z) => [symbolOf(z), 0]));
  for (const line of settings.all("atom_energy")) {
    const symbol = symbolOf(elementOf(line.words[0] ?? "", line));
    const value = numberFrom(line.words[1] ?? "");
    if (energies[symbol] === undefined || value === undefined)
      throw invalid(line.place, "an element of the potential and its energy", line.words.join(" "));
    energies[symbol] = value * energy;
  }
  return Object.values(energies).some((x) => x !== 0) ? energies : undefined;
}

/** Whether any range is one that somebody looked up: a model that knows none is written with ±1e99. */
const knowsRanges = (tables: readonly (readonly Statistics[])[]): boolean =>
  tables.some((table) => table.some(({ min, max }) => min > -FAR || max < FAR));

/** What scaling.data tells of the training data: no environments; σ is NaN where the file has no such column. */
const recordOf = (tables: readonly (readonly Statistics[])[]): TrainingRecord => ({
  places: [],
  elements: tables.map((table): ElementRecord => {
    const column = (of: (s: Statistics) => number) => Float64Array.from(table, of);
    const [min, max, mean] = [column((s) => s.min), column((s) => s.max), column((s) => s.mean)];
    const deviation = column(({ sigma, max: high, min: low }) => (sigma >= 0 ? sigma : (high - low) / 2));
    const none = new Float64Array(0);
    return { count: 1, min, max, mean, deviation, environments: none, frames: none, spacing: 0, more: {} };
  }),
});
