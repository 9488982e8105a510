import type { Memory } from "../../device/memory.ts";

/** Bytes behind a buffer that may be read, not written. */
const SLACK = 32;

/** A buffer of numbers in device memory that grows. */
export class Room {
  readonly #memory: Memory;
  #size = 0;
  /** Byte address. */
  address = 0;
  values: Float64Array = new Float64Array(0);

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** Room for n numbers. */
  reserve(n: number): Float64Array {
    if (n > this.#size) {
      // Device memory is never freed: doubling bounds the waste by the final size.
      this.#size = Math.max(64, 2 ** Math.ceil(Math.log2(n)));
      this.address = this.#memory.alloc(8 * this.#size + SLACK);
      this.values = this.#memory.f64(this.address, this.#size);
    }
    return this.values;
  }

  /** The byte address of room for n numbers. */
  at(n: number): number {
    this.reserve(n);
    return this.address;
  }
}
