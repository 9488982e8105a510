import type { Memory } from "../../device/memory.ts";
import { invalid } from "../../error.ts";
import type { NeuralNetworkOptions } from "./options.ts";

/** Widths of one element's network: features, hidden layers, 1. */
export const widthsOf = (options: NeuralNetworkOptions, size: number): readonly number[] => [
  size,
  ...options.layers,
  1,
];

/** Tensor names and lengths of element index e, trainable ones in the order in which they lie in `parameters`. */
export function tensorShapes(e: number, widths: readonly number[]) {
  const trainable: [name: string, length: number][] = [];
  for (let l = 1; l < widths.length; l++) {
    trainable.push([`${e}.weights.${l}`, widths[l - 1] * widths[l]], [`${e}.biases.${l}`, widths[l]]);
  }
  const size = widths[0];
  const fixed: [name: string, length: number][] = [
    [`${e}.mean`, size],
    [`${e}.scale`, size],
    [`${e}.output`, 2],
  ];
  return { trainable, fixed };
}

/** Where the numbers of all networks lie in the device's memory. */
export interface Placement {
  readonly parameters: Float64Array;
  readonly decays: Uint8Array;
  /** Views of the live numbers. */
  readonly tensors: Readonly<Record<string, Float64Array>>;
}

function tensor(tensors: Readonly<Record<string, Float64Array>>, name: string, length: number): Float64Array {
  const found = tensors[name];
  if (found?.length === length) return found;
  throw invalid(`tensor ${name}`, `${length} numbers`, found ? `${found.length} numbers` : "none");
}

/** True when the arrays already lie one behind the other in this memory: then they are used where they are. */
function consecutive(arrays: readonly Float64Array[], memory: Memory): boolean {
  let next = arrays[0].byteOffset;
  return arrays.every((array) => {
    const fits = array.buffer === memory.memory.buffer && array.byteOffset === next;
    next += array.byteLength;
    return fits;
  });
}

/**
 * Takes the tensors in place where they already lie in the device's memory (threads then share the parameters),
 * and copies them into it where they do not.
 */
export function place(
  networks: readonly (readonly number[])[],
  tensors: Readonly<Record<string, Float64Array>>,
  memory: Memory,
): Placement {
  const shapes = networks.map((widths, e) => tensorShapes(e, widths));
  const trainable = shapes.flatMap((s) => s.trainable);
  const sources = trainable.map(([name, length]) => tensor(tensors, name, length));
  const count = sources.reduce((sum, s) => sum + s.length, 0);
  const inPlace = consecutive(sources, memory);
  const address = inPlace ? sources[0].byteOffset : memory.alloc(8 * count);
  const live: Record<string, Float64Array> = {};
  const decays = new Uint8Array(count);
  let at = 0;
  trainable.forEach(([name, length], i) => {
    const view = memory.f64(address + 8 * at, length);
    if (!inPlace) view.set(sources[i]);
    if (name.includes(".weights.")) decays.fill(1, at, at + length);
    live[name] = view;
    at += length;
  });
  for (const [name, length] of shapes.flatMap((s) => s.fixed)) {
    live[name] = memory.f64(memory.alloc(8 * length), length);
    live[name].set(tensor(tensors, name, length));
  }
  return { parameters: memory.f64(address, count), decays, tensors: live };
}
