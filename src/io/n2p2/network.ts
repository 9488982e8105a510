import { invalid } from "../../error.ts";
import { numberFrom } from "../number.ts";

/** surfit's names of n2p2's letters for activation functions. */
export const ACTIVATIONS: Readonly<Record<string, string>> = {
  l: "linear",
  t: "tanh",
  s: "logistic",
  p: "softplus",
  r: "relu",
  g: "gaussian",
  c: "cosine",
  S: "reverse-logistic",
  e: "exponential",
  h: "harmonic",
};

/** The lines of a data file that are not comments, split into words, with their places. */
function dataLines(text: string, file: string): { words: string[]; place: string }[] {
  return text.split("\n").flatMap((line, k) => {
    const plain = line.replace(/#.*/, "").trim();
    return plain === "" ? [] : [{ words: plain.split(/\s+/), place: `${file}:${k + 1}` }];
  });
}

/** Weights [in, out] and biases of each layer. */
export interface Layer {
  readonly weights: Float64Array;
  readonly biases: Float64Array;
}

/**
 * A weights.ZZZ.data file: for each layer the weights, one starting neuron after another, then the biases. Where the
 * columns that say so are there, they are checked.
 */
export function readWeights(text: string, widths: readonly number[], file: string): Layer[] {
  const lines = dataLines(text, file);
  const expected = widths.slice(1).reduce((sum, width, l) => sum + (widths[l] + 1) * width, 0);
  if (lines.length !== expected)
    throw invalid(file, `${expected} weights of a network ${widths.join(" × ")}`, String(lines.length));
  let at = 0;
  const next = (...columns: readonly (string | number)[]): number => {
    const { words, place } = lines[at++];
    const value = numberFrom(words[0]);
    if (value === undefined || !Number.isFinite(value)) throw invalid(place, "a number", words[0]);
    const [type, , ...rest] = words.slice(1);
    if (type !== undefined && columns.some((c, k) => String(c) !== [type, ...rest][k]))
      throw invalid(place, `the columns ${columns.join(" ")} behind the index`, words.slice(1).join(" "));
    return value;
  };
  return widths.slice(1).map((outputs, l) => {
    const inputs = widths[l];
    const weights = Float64Array.from({ length: inputs * outputs }, (_, k) =>
      next("a", l, Math.floor(k / outputs) + 1, l + 1, (k % outputs) + 1),
    );
    const biases = Float64Array.from({ length: outputs }, (_, j) => next("b", l + 1, j + 1));
    return { weights, biases };
  });
}

/** Text of a weights.ZZZ.data file; numbers are the shortest that read back to the same bits. */
export function writeWeights(layers: readonly Layer[]): string {
  const lines = [
    "# Neural network connection values (weights and biases).",
    "# value, type (a weight, b bias), index, start layer and neuron (biases: end), end layer and neuron",
  ];
  let index = 0;
  for (const [l, { weights, biases }] of layers.entries()) {
    const outputs = biases.length;
    for (const [k, w] of weights.entries())
      lines.push(`${w} a ${++index} ${l} ${Math.floor(k / outputs) + 1} ${l + 1} ${(k % outputs) + 1}`);
    for (const [j, b] of biases.entries()) lines.push(`${b} b ${++index} ${l + 1} ${j + 1}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Smallest, largest, mean and standard deviation of a feature over the training data. */
export interface Statistics {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** NaN where the file has no such column, as old ones. */
  readonly sigma: number;
}

/** Bound of a feature whose range the model does not know: n2p2 then never warns of extrapolation. */
export const FAR = 1e99;

/** A scaling.data file: statistics of the features of each element (in n2p2's order), `sizes[e]` of them. */
export function readScaling(text: string, sizes: readonly number[], file: string): Statistics[][] {
  const tables = sizes.map((): Statistics[] => []);
  for (const { words, place } of dataLines(text, file)) {
    const [e, index, min, max, mean, sigma = NaN] = words.map((word) => numberFrom(word) ?? NaN);
    // The last line of RuNNer's files holds the range of the energies.
    if (words.length === 2) continue;
    const table = tables[e - 1];
    if (!table || index !== table.length + 1 || ![min, max, mean].every(Number.isFinite))
      throw invalid(place, "element and function in order, min, max, mean, sigma", words.join(" "));
    table.push({ min, max, mean, sigma });
  }
  for (const [e, table] of tables.entries())
    if (table.length !== sizes[e])
      throw invalid(file, `${sizes[e]} functions of element ${e + 1}`, String(table.length));
  return tables;
}

/** Text of a scaling.data file. */
export function writeScaling(tables: readonly (readonly Statistics[])[]): string {
  const rows = tables.flatMap((table, e) =>
    table.map(({ min, max, mean, sigma }, t) => `${e + 1} ${t + 1} ${min} ${max} ${mean} ${sigma}`),
  );
  return `${["# Symmetry function scaling data: element, function, min, max, mean, sigma", ...rows].join("\n")}\n`;
}
