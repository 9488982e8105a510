import type { Device } from "../../device/device.ts";
import { gradient } from "../../formula/derivative.ts";
import { add, mul, variable, type Expr } from "../../formula/expression.ts";
import type { Kernel } from "../../formula/kernel.ts";
import type { Activation } from "./activations.ts";

/**
 * Elementwise work of a layer, on slots of equal length one after another (one slot: [rows, width]).
 *
 * | pass      | 0 | 1 | 2   | 3  | 4 | 5 | 6 | 7 |
 * |-----------|---|---|-----|----|---|---|---|---|
 * | values    | z | h |     |    |   |   |   |   |
 * | pullback  | z | h | f′  | a  |   |   |   |   |
 * | tangents  | z | ż | f″ż | f′ | h | ḣ | a | t |
 *
 * z is what enters the layer's function, h = f(z); a and t are the adjoints of h and ḣ, which the backward
 * kernels overwrite by those of z and ż.
 */
export interface ActivationKernels {
  /** z → h */
  readonly value: Kernel;
  /** z → h, f′ */
  readonly slope: Kernel;
  /** z, ż → f″ż, f′, h, ḣ = f′ż */
  readonly tangent: Kernel;
  /** f′, a → a f′ */
  readonly backward: Kernel;
  /** f″ż, f′, h, ḣ, a, t → a f′ + t f″ż, t f′ */
  readonly backwardTangent: Kernel;
}

/** Compiles the kernels of one activation; first and second derivative are generated from its expression. */
export function compileActivation(device: Device, name: string, activation: Activation): ActivationKernels {
  const [z, dz] = [variable("z"), variable("dz")];
  const h = activation.f(z);
  const d1 = gradient(h, [z])[0];
  const d2 = gradient(d1, [z])[0];
  const compile = (pass: string, varying: readonly string[], elementwise: readonly Expr[]) =>
    device.compile({ name: `${name}-${pass}`, varying, uniform: [], elementwise });
  return {
    value: compile("value", ["z"], [h]),
    slope: compile("slope", ["z"], [h, d1]),
    tangent: compile("tangent", ["z", "dz"], [mul(d2, dz), d1, h, mul(d1, dz)]),
    backward: compileBackward(device),
    backwardTangent: compileBackwardTangent(device),
  };
}

function compileBackward(device: Device): Kernel {
  const [d1, a] = [variable("d1"), variable("a")];
  return device.compile({ name: "backward", varying: ["d1", "a"], uniform: [], elementwise: [mul(a, d1)] });
}

function compileBackwardTangent(device: Device): Kernel {
  const [bend, d1, a, t] = [variable("bend"), variable("d1"), variable("a"), variable("t")];
  return device.compile({
    name: "backward-tangent",
    varying: ["bend", "d1", "h", "dh", "a", "t"],
    uniform: [],
    elementwise: [add(mul(a, d1), mul(t, bend)), mul(t, d1)],
  });
}

/** x + y or x·y of two arrays. */
export function compilePair(device: Device, name: "sum" | "product"): Kernel {
  const [x, y] = [variable("x"), variable("y")];
  const value = name === "sum" ? add(x, y) : mul(x, y);
  return device.compile({ name, varying: ["x", "y"], uniform: [], elementwise: [value] });
}
