import { r } from "../descriptors/loops/radial.ts";
import { exp, mul, square, sub } from "../formula/expression.ts";
import { z } from "../zod.ts";
import { pairOptions, pairPotential } from "./pair-terms.ts";
import type { PotentialMethod } from "./potential.ts";

const parameters = {
  depth: z.number().positive().meta({ unit: "eV", help: "D, energy to pull the pair apart" }),
  alpha: z.number().positive().meta({ unit: "1/Å", help: "narrowness of the well" }),
  distance: z.number().positive().meta({ unit: "Å", help: "r₀, of least energy" }),
};

const options = pairOptions(parameters, "depth (eV), alpha (1/Å) and distance (Å)");

/** V(r) = D ((1 − e^{−α (r − r₀)})² − 1). P. M. Morse, Phys. Rev. 34, 57 (1929), DOI 10.1103/PhysRev.34.57. */
export const morse: PotentialMethod<z.infer<typeof options>> = {
  name: "morse",
  summary: "Pairs with a bond that breaks: diatomic molecules",
  options,
  build: (given, elements, _, device) =>
    pairPotential(
      "morse",
      given,
      ({ depth, alpha, distance }) => mul(depth, sub(square(sub(1, exp(mul(-alpha, sub(r, distance))))), 1)),
      elements,
      device,
    ),
};
