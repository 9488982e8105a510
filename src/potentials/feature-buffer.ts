import type { Features } from "../descriptors/descriptor.ts";
import type { Memory } from "../device/memory.ts";

/** Room for features in the device's memory; grows when needed and is used again, because that memory is never freed. */
export class FeatureBuffer {
  readonly #memory: Memory;
  readonly #sizes: readonly number[];
  #address = 0;
  #capacity = 0;
  #length = 0;
  #features: Features | null = null;

  /** `sizes`: features per centre of each element. */
  constructor(memory: Memory, sizes: readonly number[]) {
    this.#memory = memory;
    this.#sizes = sizes;
  }

  /** Matrices for the centres of an Environments' `starts`, each on its own cache line; contents stay as they are. */
  reserve(starts: Int32Array): Features {
    const counts = this.#sizes.map((_, e) => starts[e + 1] - starts[e]);
    if (this.#features?.counts.every((count, e) => count === counts[e])) return this.#features;
    const offsets = [0];
    counts.forEach((count, e) => offsets.push(offsets[e] + 8 * Math.ceil((count * this.#sizes[e]) / 8)));
    this.#grow(offsets[counts.length]);
    const pointers = counts.map((_, e) => this.#address + 8 * offsets[e]);
    const matrices = counts.map((count, e) => this.#memory.f64(pointers[e], count * this.#sizes[e]));
    this.#features = { matrices, pointers, counts };
    this.#length = offsets[counts.length];
    return this.#features;
  }

  /** Everything of the last `reserve` as one array, gaps included. */
  flat(): Float64Array {
    return this.#memory.f64(this.#address, this.#length);
  }

  #grow(length: number): void {
    if (length <= this.#capacity) return;
    this.#capacity = Math.max(length, Math.ceil(1.5 * this.#capacity));
    this.#address = this.#memory.alloc(8 * this.#capacity);
  }
}
