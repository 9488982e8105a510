import type { Device, Kernel } from "../../device/device.ts";
import { gradient, tangent } from "../../formula/derivative.ts";
import { add, constant, mul, sqrt, square, variable } from "../../formula/expression.ts";
import type { Expr } from "../../formula/expression.ts";
import { weightedSum } from "../loops/term.ts";

/** The components of r_ij (Å) in a function of a density. */
export const [x, y, z] = ["x", "y", "z"].map(variable);
/** |r_ij| */
export const r = sqrt(add(add(square(x), square(y)), square(z)));

/**
 * The real functions φ_v(x, y, z) of a neighbour that a density sums. Blocks that hold the same object share their
 * kernels. Each must be exactly 0 at and beyond the cutoff of its block, with finite derivatives there.
 */
export interface DensityFunctions {
  /** φ_v is the product of these; factors that many functions share come first. */
  readonly functions: readonly (readonly Expr[])[];
  /** Names of variables that differ from block to block: a cutoff, a weight. */
  readonly parameters: readonly string[];
}

const one = constant(1);
const names = ["x", "y", "z"];
const components = [x, y, z];

/** The kernels of some functions, each compiled at its first use. Uniform inputs: the parameters, then weights w_v. */
export class DensityKernels {
  readonly count: number;
  readonly #device: Device;
  readonly #functions: readonly (readonly Expr[])[];
  readonly #parameters: readonly string[];
  #forward: Kernel | null = null;
  #pullback: Kernel | null = null;
  #pushforward: Kernel | null = null;
  #jacobian: Kernel | null = null;
  #curvature: Kernel | null = null;

  constructor({ functions, parameters }: DensityFunctions, device: Device) {
    this.#functions = functions;
    this.#parameters = parameters;
    this.#device = device;
    this.count = functions.length;
  }

  /** reduced: Σ_j φ_v. */
  get forward(): Kernel {
    return (this.#forward ??= this.#device.compile({
      name: "density forward",
      varying: names,
      uniform: this.#parameters,
      reduced: this.#values(),
    }));
  }

  /** elementwise: ∂(Σ_v w_v φ_v)/∂(x, y, z). */
  get pullback(): Kernel {
    return (this.#pullback ??= this.#device.compile({
      name: "density pullback",
      varying: names,
      uniform: [...this.#parameters, ...this.#functions.map((_, v) => `w${v}`)],
      elementwise: gradient(this.#weighted(), components),
    }));
  }

  /** reduced: Σ_j ∂φ_v/∂r_ij · t_ij; varying x, y, z, d_x, d_y, d_z. */
  get pushforward(): Kernel {
    const seeds = new Map(components.map((c, k) => [c, variable(`d_${names[k]}`)]));
    return (this.#pushforward ??= this.#device.compile({
      name: "density pushforward",
      varying: [...names, ...names.map((n) => `d_${n}`)],
      uniform: this.#parameters,
      reduced: this.#values().map((f) => tangent(f, seeds)),
    }));
  }

  /** elementwise: ∂φ_v/∂(x, y, z) at 3v, 3v + 1, 3v + 2. */
  get jacobian(): Kernel {
    return (this.#jacobian ??= this.#device.compile({
      name: "density jacobian",
      varying: names,
      uniform: this.#parameters,
      elementwise: this.#values().flatMap((f) => components.map((c) => tangent(f, new Map([[c, one]])))),
    }));
  }

  /** elementwise: ∂²(Σ_v w_v φ_v)/∂r∂r: xx, xy, xz, yy, yz, zz. */
  get curvature(): Kernel {
    return (this.#curvature ??= this.#device.compile({
      name: "density curvature",
      varying: names,
      uniform: [...this.#parameters, ...this.#functions.map((_, v) => `w${v}`)],
      elementwise: gradient(this.#weighted(), components).flatMap((slope, k) =>
        components.slice(k).map((c) => tangent(slope, new Map([[c, one]]))),
      ),
    }));
  }

  #values(): Expr[] {
    return this.#functions.map((factors) => factors.reduce((a, b) => mul(a, b)));
  }

  #weighted(): Expr {
    return weightedSum(this.#functions.map((factors, v) => ({ weight: variable(`w${v}`), factors })));
  }
}
