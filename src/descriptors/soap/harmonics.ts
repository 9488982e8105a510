import type { Device, Kernel } from "../../device/device.ts";
import { gradient, tangent } from "../../formula/derivative.ts";
import { add, constant, div, mul, sum, variable, type Expr } from "../../formula/expression.ts";
import { r, x, y, z } from "../density/functions.ts";

const components = [x, y, z];
const names = ["x", "y", "z"];
const along = names.map((name) => variable(`d_${name}`));
const one = constant(1);

/** Rows of the neighbours that the kernels read: those of ElementNeighbours. */
const near = [...names, ...along.map(({ name }) => name), "g_x", "g_y", "g_z"];

/**
 * Kernels of F_lm = w f_c(r) Y_lm(r̂) for neighbours side by side; w is a uniform input. Multiplied by radial functions
 * R(r) outside, whose slopes R′ come with them.
 */
export class Harmonics {
  readonly count: number;
  readonly #F: readonly Expr[];
  readonly #device: Device;
  #values: Kernel | null = null;
  #pullback: Kernel | null = null;
  #pushforward: Kernel | null = null;
  #jacobian: Kernel | null = null;

  /** F without w, of x, y, z. */
  constructor(F: readonly Expr[], device: Device) {
    this.#F = F.map((f) => mul(variable("w"), f));
    this.count = F.length;
    this.#device = device;
  }

  /** F_lm. */
  get values(): Kernel {
    return (this.#values ??= this.#compile("soap values", near, this.#F));
  }

  /** Σ_lm V_lm ∂F_lm/∂(x, y, z) + S_lm F_lm r̂; V and S [lm] stand behind the rows of neighbours. */
  get pullback(): Kernel {
    return (this.#pullback ??= this.#compilePullback());
  }

  /** F_lm r̂·t, then ∂F_lm·t. */
  get pushforward(): Kernel {
    return (this.#pushforward ??= this.#compilePushforward());
  }

  /** F_lm r̂, [3, lm], then ∂F_lm, [3, lm]. */
  get jacobian(): Kernel {
    return (this.#jacobian ??= this.#compileJacobian());
  }

  #compilePullback(): Kernel {
    const [V, S] = ["V", "S"].map((name) => this.#F.map((_, k) => variable(`${name}${k}`)));
    const dot = (a: readonly Expr[]) => sum(this.#F.map((f, k) => mul(a[k], f)));
    const slope = dot(S);
    const out = gradient(dot(V), components).map((g, k) => add(g, mul(slope, div(components[k], r))));
    return this.#compile("soap pullback", [...near, ...[...V, ...S].map(({ name }) => name)], out);
  }

  #compilePushforward(): Kernel {
    const seeds = new Map(components.map((c, k) => [c, along[k]]));
    const q = sum(components.map((c, k) => mul(div(c, r), along[k])));
    const out = [...this.#F.map((f) => mul(f, q)), ...this.#F.map((f) => tangent(f, seeds))];
    return this.#compile("soap pushforward", near, out);
  }

  #compileJacobian(): Kernel {
    const out = [
      ...components.flatMap((c) => this.#F.map((f) => mul(f, div(c, r)))),
      ...components.flatMap((c) => this.#F.map((f) => tangent(f, new Map([[c, one]])))),
    ];
    return this.#compile("soap jacobian", near, out);
  }

  #compile(name: string, varying: readonly string[], elementwise: readonly Expr[]): Kernel {
    return this.#device.compile({ name, varying, uniform: ["w"], elementwise });
  }
}
