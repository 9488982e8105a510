import type { Device, Kernel } from "../../device/device.ts";
import { add, constant, max, mul, sub, sum, variable, type Expr } from "../../formula/expression.ts";
import { substitute } from "../../formula/lower.ts";
import { SAME, type KernelFunction, type Seen } from "../../kernels/function.ts";

/** What a row of products gives: Σ_j α_j k_j, and Σ_j α_j ∂k_j/∂(½ x·x). */
export interface RowSums {
  energy: number;
  own: number;
}

/** Σ_j α_j k(x, x_j) and its derivatives by x·x_j and x·x of one x, all points in one loop. */
export class Contraction {
  readonly #kernel: Kernel;
  readonly #address: number;
  readonly #stride: number;
  readonly #uniform: number;
  readonly #sums: number;
  readonly #c: Float64Array;
  readonly #alpha: Float64Array;
  readonly #own: Float64Array;
  readonly #totals: Float64Array;

  /** `squares` are x_j·x_j; values are `scale` times the kernel. */
  constructor(kernel: KernelFunction, squares: Float64Array, scale: number, device: Device) {
    const { memory } = device;
    const count = squares.length;
    this.#kernel = device.compile(contractionOf(kernel, scale));
    this.#stride = 16 * Math.ceil(count / 2);
    this.#address = memory.alloc(3 * this.#stride);
    [this.#uniform, this.#sums] = [memory.alloc(16), memory.alloc(16)];
    const row = (k: number) => memory.f64(this.#address + k * this.#stride, count);
    [this.#c, this.#alpha] = [row(0), row(1)];
    row(2).set(squares);
    this.#own = memory.f64(this.#uniform, 1);
    this.#totals = memory.f64(this.#sums, 2);
  }

  set(alpha: Float64Array): void {
    this.#alpha.set(alpha);
  }

  /** Takes x·x_j [count] and x·x; leaves Σ_j's slopes α_j ∂k_j/∂(x·x_j) in the place of the products. */
  run(products: Float64Array, own: number, out: RowSums): void {
    this.#c.set(products);
    this.#own[0] = own;
    this.#totals.fill(0);
    const { length } = products;
    this.#kernel.run(
      length + (length & 1),
      this.#address,
      this.#stride,
      this.#uniform,
      this.#address,
      this.#sums,
    );
    products.set(this.#c);
    [out.energy, out.own] = this.#totals;
  }
}

const [c, alpha, square, own] = ["c", "alpha", "square", "own"].map(variable);

function contractionOf(kernel: KernelFunction, scale: number) {
  const { seen, hyperparameters } = kernel;
  const weight = ({ lengths }: Seen) => 1 / hyperparameters[lengths[0]].value ** 2;
  const squared = max(0, sub(add(own, square), mul(2, c)));
  const known = new Map<Expr, Expr>([
    [variable(SAME), constant(0)],
    ...hyperparameters.flatMap(({ variable: name, value }): [Expr, Expr][] =>
      name === null ? [] : [[variable(name), constant(value)]],
    ),
    ...seen.map((s): [Expr, Expr] => [
      variable(s.variable),
      mul(weight(s), s.kind === "product" ? c : squared),
    ]),
  ]);
  const times = (F: Expr, factor: number) => mul(mul(scale * factor, alpha), substitute(F, known));
  const slopes = seen.map((s, a) => ({ s, F: kernel.by(a) }));
  const distances = slopes.filter(({ s }) => s.kind === "distance");
  return {
    name: "contraction",
    varying: [c, alpha, square].map(({ name }) => name),
    uniform: [own.name],
    elementwise: [sum(slopes.map(({ s, F }) => times(F, (s.kind === "product" ? 1 : -2) * weight(s))))],
    reduced: [times(kernel.by(), 1), sum(distances.map(({ s, F }) => times(F, 2 * weight(s))))],
  };
}
