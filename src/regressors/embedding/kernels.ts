import type { Device, Kernel } from "../../device/device.ts";
import { gradient, tangent } from "../../formula/derivative.ts";
import { variable } from "../../formula/expression.ts";
import { embeddingEnergy, type CoreSwitch, type EmbeddingName, type Share } from "./functions.ts";

/** Rows that pass through the kernels together. */
export const BLOCK = 256;

/** E(y) of one element over y = (ρ_1 … ρ_D[, c]), on columns of up to BLOCK rows in device memory. */
export interface EmbeddingKernels {
  /** Number of y. */
  readonly width: number;
  /** y → E */
  readonly value: Kernel;
  /** y → E, ∂E/∂y */
  readonly slope: Kernel;
  /** y, dy → ∂E/∂y, d(∂E/∂y) */
  readonly bend: Kernel;
}

/** The kernels of one element; first and second derivative are generated from its energy. */
export function embeddingKernels(
  device: Device,
  name: EmbeddingName,
  shares: readonly Share[],
  core: CoreSwitch | null,
): EmbeddingKernels {
  const names = [...shares.map((_, p) => `rho${p}`), ...(core ? ["core"] : [])];
  const y = names.map(variable);
  const E = embeddingEnergy(name, shares, y, core && { c: y[shares.length], switch: core });
  const slopes = gradient(E, y);
  const seeds = new Map(y.map((x, p) => [x, variable(`d_${names[p]}`)]));
  const compile = (pass: string, varying: readonly string[], elementwise: typeof y) =>
    device.compile({ name: `embedding ${pass}`, varying, uniform: [], elementwise });
  return {
    width: y.length,
    value: compile("value", names, [E]),
    slope: compile("slope", names, [E, ...slopes]),
    bend: compile(
      "bend",
      [...names, ...names.map((n) => `d_${n}`)],
      [...slopes, ...slopes.map((s) => tangent(s, seeds))],
    ),
  };
}
