import type { Device, Kernel } from "../../device/device.ts";
import type { Expr } from "../../formula/expression.ts";
import { SAME, type KernelFunction } from "../../kernels/function.ts";

/** A set of derivatives of a kernel function, compiled into one loop over points. */
export class Forms {
  readonly kernel: KernelFunction;
  /** Number of arguments m. */
  readonly arguments: number;
  readonly #places = new Map<string, number>();
  readonly #compiled: Kernel;
  readonly #device: Device;
  readonly #uniform: Float64Array;
  readonly #theta: number;
  readonly #formulas: Expr[] = [];
  #capacity = 0;
  #buffer = 0;

  /** Derivatives up to `order`; with `slopes`, those up to order − 1 also along every hyper-parameter that is a variable. */
  constructor(device: Device, kernel: KernelFunction, order: number, slopes: boolean) {
    this.kernel = kernel;
    this.arguments = kernel.seen.length;
    this.#device = device;
    const { variables } = kernel;
    for (const args of choices(this.arguments, order)) this.#add(keyOf(args), kernel.by(...args));
    if (slopes)
      for (const [h, { variable }] of kernel.hyperparameters.entries())
        if (variable !== null)
          for (const args of choices(this.arguments, order - 1))
            this.#add(`${h}/${keyOf(args)}`, kernel.slope(kernel.by(...args), h));
    this.#compiled = device.compile({
      name: "covariance",
      varying: [...kernel.seen.map((s) => s.variable), SAME],
      uniform: variables,
      elementwise: this.#formulas,
    });
    this.#theta = device.memory.alloc(8 * Math.max(1, variables.length));
    this.#uniform = device.memory.f64(this.#theta, variables.length);
  }

  #add(key: string, formula: Expr): void {
    this.#places.set(key, this.#formulas.length);
    this.#formulas.push(formula);
  }

  /** Values of all hyper-parameters. */
  set(theta: Float64Array): void {
    let k = 0;
    for (const [h, { variable }] of this.kernel.hyperparameters.entries())
      if (variable !== null) this.#uniform[k++] = theta[h];
  }

  /** Room for n points: the arguments s_a [m][n] and `same` [n], to be filled before `run`. */
  inputs(n: number): { readonly arguments: Float64Array[]; readonly same: Float64Array } {
    const even = n + (n & 1);
    if (this.#capacity < even) {
      this.#capacity = 2 * Math.ceil(0.6 * even);
      this.#buffer = this.#device.memory.alloc(
        8 * this.#capacity * (this.arguments + 1 + this.#formulas.length),
      );
    }
    const row = (k: number) => this.#device.memory.f64(this.#buffer + 8 * k * this.#capacity, even);
    const args = Array.from({ length: this.arguments }, (_, a) => row(a));
    // The lane beside an odd last one computes something finite.
    for (const s of args) s[even - 1] = 0;
    return { arguments: args, same: row(this.arguments) };
  }

  /** Computes all derivatives for n points. */
  run(n: number): void {
    const out = this.#buffer + 8 * (this.arguments + 1) * this.#capacity;
    this.#compiled.run(n + (n & 1), this.#buffer, 8 * this.#capacity, this.#theta, out, 0);
  }

  /** Values of F_{args} of the last run, [n]. */
  by(...args: readonly number[]): Float64Array {
    return this.#output(keyOf(args));
  }

  /** θ_h ∂F_{args}/∂θ_h of the last run, [n]. */
  slope(h: number, ...args: readonly number[]): Float64Array {
    return this.#output(`${h}/${keyOf(args)}`);
  }

  #output(key: string): Float64Array {
    const k = this.arguments + 1 + this.#places.get(key)!;
    return this.#device.memory.f64(this.#buffer + 8 * k * this.#capacity, this.#capacity);
  }
}

const keyOf = (args: readonly number[]): string => args.toSorted((a, b) => a - b).join();

/** All ascending choices of at most `order` of m arguments. */
function choices(m: number, order: number): number[][] {
  let last: number[][] = [[]];
  const all = [...last];
  for (let n = 1; n <= order; n++) {
    last = last.flatMap((args) =>
      Array.from({ length: m - (args.at(-1) ?? 0) }, (_, k) => [...args, (args.at(-1) ?? 0) + k]),
    );
    all.push(...last);
  }
  return all;
}
