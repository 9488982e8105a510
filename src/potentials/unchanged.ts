import type { Device, Kernel } from "../device/device.ts";
import { abs, sub, variable } from "../formula/expression.ts";

/** Tells whether parameters are still those that something was made of, at the speed of memory. */
export class Unchanged {
  readonly #parameters: Float64Array;
  readonly #known: Float64Array;
  readonly #kernel: Kernel;
  readonly #sum: Float64Array;

  /** For live parameters in the device's memory, of which nothing is made yet. */
  constructor(device: Device, parameters: Float64Array) {
    const { memory } = device;
    const address = memory.alloc(8 * parameters.length);
    this.#parameters = parameters;
    this.#known = memory.f64(address, parameters.length).fill(NaN);
    this.#sum = memory.f64(memory.alloc(8), 1);
    this.#kernel = device.compile({
      name: "unchanged",
      varying: ["x", "y"],
      uniform: [],
      reduced: [abs(sub(variable("x"), variable("y")))],
    });
  }

  /** False once after each change, which it then takes note of. */
  check(): boolean {
    const [live, known] = [this.#parameters, this.#known];
    const pairs = live.length - (live.length & 1);
    this.#sum[0] = live.length > pairs ? Math.abs(live[pairs] - known[pairs]) : 0;
    const at = live.byteOffset;
    this.#kernel.run(pairs, at, known.byteOffset - at, 0, 0, this.#sum.byteOffset);
    if (this.#sum[0] === 0) return true;
    known.set(live);
    return false;
  }
}
