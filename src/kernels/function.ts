import { invalid } from "../error.ts";
import { gradient } from "../formula/derivative.ts";
import { add, constant, mul, sqrt, square, variable, type Expr } from "../formula/expression.ts";
import { substitute } from "../formula/lower.ts";
import { validate } from "../schema.ts";
import type { Argument, KernelMethod } from "./kernel.ts";
import { derivativesBySquare } from "./powers.ts";
import { kernels } from "./table.ts";

/** A kernel as data: { name, …options }, { sum: […] } or { product: […] }. */
export type KernelOptions = Readonly<Record<string, unknown>>;

/** A number that can be optimised, by its logarithm. */
export interface Hyperparameter {
  /** "product.1.length", "rbf.length.0", … */
  readonly name: string;
  readonly value: number;
  /** Variable of the formula; null for a length, which is in the argument. */
  readonly variable: string | null;
  /** Argument whose length it is, and the dimension; null for all dimensions. */
  readonly argument: number | null;
  readonly dimension: number | null;
}

/** What one factor sees of two points: s = Σ ((x_d − x′_d)/ℓ_d)² or p = Σ x_d x′_d/ℓ_d². */
export interface Seen {
  readonly kind: "distance" | "product";
  /** Name of the variable that stands for s or p. */
  readonly variable: string;
  /** Places of its lengths among the hyper-parameters: one, or one per dimension. */
  readonly lengths: readonly number[];
}

/** Derivatives by the arguments: how often by each, [arguments]. */
export type Orders = readonly number[];

interface Node {
  /** Derivative of these orders. */
  derive(orders: Orders): Expr;
}

const zero = constant(0);
/** Derivatives by s that are used: two for forces on forces, one more for the slope by a length. */
const ORDER = 3;

/** The variable that is 1 on the diagonal of same observations. */
export const SAME = "same";

/**
 * A kernel of points with D features, as a function F of its m arguments s_a (squared scaled distances and scaled
 * products), with all derivatives as formulas: k(x, x′) = F(s_1, …, s_m).
 */
export class KernelFunction {
  /** Number of features D. */
  readonly size: number;
  readonly seen: readonly Seen[];
  readonly hyperparameters: readonly Hyperparameter[];
  readonly #root: Node;

  constructor(options: KernelOptions, size: number, place = "kernel") {
    const builder = new Builder(size);
    this.#root = builder.build(options, place, "");
    this.size = size;
    this.seen = builder.seen;
    this.hyperparameters = builder.hyperparameters;
  }

  /** Names of the variables of hyper-parameters in the formulas, in their order. */
  get variables(): readonly string[] {
    return this.hyperparameters.flatMap(({ variable: name }) => (name === null ? [] : [name]));
  }

  /** ∂^n F/∂s_a… as a formula of the arguments' variables, `SAME` and the hyper-parameters' variables. */
  derivative(orders: Orders): Expr {
    return this.#root.derive(orders);
  }

  /** The same by the named arguments: () is F, (a) is F_a, (a, b) is F_ab. */
  by(...args: readonly number[]): Expr {
    return this.derivative(this.seen.map((_, a) => args.filter((b) => b === a).length));
  }

  /** θ ∂/∂θ of a formula for hyper-parameter h that has a variable. */
  slope(formula: Expr, h: number): Expr {
    const name = this.hyperparameters[h].variable;
    if (name === null) throw new TypeError("a length is in the arguments (this is a bug)");
    const theta = variable(name);
    return mul(theta, gradient(formula, [theta])[0]);
  }
}

/** Reads the tree of options and gives every factor its argument and hyper-parameters. */
class Builder {
  readonly seen: Seen[] = [];
  readonly hyperparameters: Hyperparameter[] = [];
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  build(options: KernelOptions, place: string, path: string): Node {
    for (const kind of ["sum", "product"] as const) {
      if (!(kind in options)) continue;
      const { [kind]: parts, ...rest } = options;
      if (!Array.isArray(parts) || parts.length === 0 || Object.keys(rest).length > 0)
        throw invalid(`${place}.${kind}`, "a list of kernels and nothing beside it", options);
      const nodes = parts.map((part: KernelOptions, k) =>
        this.build(part, `${place}.${kind}[${k}]`, `${path}${kind}.${k}.`),
      );
      return kind === "sum" ? sumOf(nodes) : productOf(nodes);
    }
    return this.#factor(options, place, path);
  }

  #factor({ name, ...given }: KernelOptions, place: string, path: string): Node {
    if (typeof name !== "string" || !Object.hasOwn(kernels, name))
      throw invalid(`${place}.name`, `one of ${Object.keys(kernels).join(", ")}`, name ?? "nothing");
    const method = kernels[name] as KernelMethod<{ readonly length?: number | readonly number[] }>;
    const options = validate(method.options, given, place);
    const symbols: Record<string, Expr> = {};
    for (const [own, value] of Object.entries(method.hyperparameters(options))) {
      const full = `${path}${name}.${own}`;
      this.hyperparameters.push({ name: full, value, variable: full, argument: null, dimension: null });
      symbols[own] = variable(full);
    }
    const { argument } = method;
    if (argument === "nothing" || argument === "same") {
      const k = method.formula(variable(SAME), symbols, options);
      return { derive: (orders) => (orders.some((n) => n > 0) ? zero : k) };
    }
    const a = this.#see(argument, options.length ?? 1, `${path}${name}.length`, `${place}.length`);
    const chain = chainOf(argument, this.seen[a].variable, (x) => method.formula(x, symbols, options));
    return {
      derive: (orders) => (orders.some((n, b) => b !== a && n > 0) ? zero : chain[orders[a]]),
    };
  }

  #see(
    kind: "distance" | "product",
    length: number | readonly number[],
    name: string,
    place: string,
  ): number {
    const argument = this.seen.length;
    const values = typeof length === "number" ? [length] : length;
    if (typeof length !== "number" && length.length !== this.#size)
      throw invalid(place, `one length, or one for each of ${this.#size} features`, `${length.length}`);
    const lengths = values.map((value, d) => {
      const [full, dimension] = typeof length === "number" ? [name, null] : [`${name}.${d}`, d];
      return this.hyperparameters.push({ name: full, value, variable: null, argument, dimension }) - 1;
    });
    this.seen.push({ kind, variable: `s${argument}`, lengths });
    return argument;
  }
}

/** A factor and its derivatives by its argument. */
function chainOf(
  kind: Exclude<Argument, "same" | "nothing">,
  name: string,
  formula: (x: Expr) => Expr,
): Expr[] {
  const s = variable(name);
  if (kind === "product") {
    const chain = [formula(s)];
    for (let n = 1; n <= ORDER; n++) chain.push(gradient(chain[n - 1], [s])[0]);
    return chain;
  }
  const r = sqrt(s);
  const whole = new Map([[square(r), s]]);
  return derivativesBySquare(formula(r), r, s, ORDER).map((y) => substitute(y, whole));
}

const sumOf = (nodes: readonly Node[]): Node => ({
  derive: (orders) => nodes.reduce((total, node) => add(total, node.derive(orders)), zero),
});

/** Each argument belongs to one factor, so Leibniz' rule has one term that is not 0 for each way to share the orders. */
const productOf = (nodes: readonly Node[]): Node => ({
  derive(orders) {
    const [first, ...rest] = nodes;
    if (rest.length === 0) return first.derive(orders);
    const others = productOf(rest);
    let total = zero;
    for (const [own, left, count] of shares(orders))
      total = add(total, mul(count, mul(first.derive(own), others.derive(left))));
    return total;
  },
});

/** All ways to share orders between two factors, with their multiplicities. */
function shares(orders: Orders): [Orders, Orders, number][] {
  let ways: [number[], number[], number][] = [[[], [], 1]];
  for (const n of orders) {
    ways = ways.flatMap(([a, b, count]) =>
      Array.from({ length: n + 1 }, (_, k): [number[], number[], number] => [
        [...a, k],
        [...b, n - k],
        count * binomial(n, k),
      ]),
    );
  }
  return ways;
}

const binomial = (n: number, k: number): number => (k === 0 ? 1 : (binomial(n - 1, k - 1) * n) / k);
