import type { Memory } from "../../device/memory.ts";
import { placeTensors, type Placement as TensorPlacement } from "../placement.ts";
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
export interface Placement extends TensorPlacement {
  readonly decays: Uint8Array;
}

const named = (pairs: readonly [name: string, length: number][]) =>
  pairs.map(([name, length]) => ({ name, length }));

/** Places the tensors of all networks, see `placeTensors`; weights decay. */
export function place(
  networks: readonly (readonly number[])[],
  tensors: Readonly<Record<string, Float64Array>>,
  memory: Memory,
): Placement {
  const shapes = networks.map((widths, e) => tensorShapes(e, widths));
  const trainable = named(shapes.flatMap((s) => s.trainable));
  const placed = placeTensors(trainable, named(shapes.flatMap((s) => s.fixed)), tensors, memory);
  const decays = new Uint8Array(placed.parameters.length);
  let at = 0;
  for (const { name, length } of trainable) {
    if (name.includes(".weights.")) decays.fill(1, at, at + length);
    at += length;
  }
  return { ...placed, decays };
}
