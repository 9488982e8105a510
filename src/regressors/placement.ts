import type { Memory } from "../device/memory.ts";
import { invalid } from "../error.ts";

/** A named array of a regressor. */
export interface TensorShape {
  readonly name: string;
  readonly length: number;
}

/** Where the numbers of a regressor lie in the device's memory. */
export interface Placement {
  /** The trainable ones, one behind the other. */
  readonly parameters: Float64Array;
  /** Views of the live numbers. */
  readonly tensors: Readonly<Record<string, Float64Array>>;
}

function tensor(
  tensors: Readonly<Record<string, Float64Array>>,
  { name, length }: TensorShape,
): Float64Array {
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
 * Takes the trainable tensors in place where they already lie in the device's memory (threads then share the
 * parameters), and copies them into it where they do not; fixed ones are copied.
 */
export function placeTensors(
  trainable: readonly TensorShape[],
  fixed: readonly TensorShape[],
  tensors: Readonly<Record<string, Float64Array>>,
  memory: Memory,
): Placement {
  const sources = trainable.map((shape) => tensor(tensors, shape));
  const count = sources.reduce((sum, s) => sum + s.length, 0);
  const inPlace = consecutive(sources, memory);
  const address = inPlace ? sources[0].byteOffset : memory.alloc(8 * count);
  const live: Record<string, Float64Array> = {};
  let at = 0;
  trainable.forEach(({ name, length }, i) => {
    live[name] = memory.f64(address + 8 * at, length);
    if (!inPlace) live[name].set(sources[i]);
    at += length;
  });
  for (const shape of fixed) {
    live[shape.name] = memory.f64(memory.alloc(8 * shape.length), shape.length);
    live[shape.name].set(tensor(tensors, shape));
  }
  return { parameters: memory.f64(address, count), tensors: live };
}
