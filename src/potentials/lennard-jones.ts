import { r } from "../descriptors/loops/radial.ts";
import { div, mul, powi, square, sub } from "../formula/expression.ts";
import { z } from "../zod.ts";
import { pairOptions, pairPotential } from "./pair-terms.ts";
import type { PotentialMethod } from "./potential.ts";

const parameters = {
  epsilon: z.number().positive().meta({ unit: "eV", help: "depth of the well" }),
  sigma: z.number().positive().meta({ unit: "Å", help: "distance of zero energy" }),
};

const options = pairOptions(parameters, "epsilon (eV) and sigma (Å)");

/** V(r) = 4 ε ((σ/r)¹² − (σ/r)⁶). J. E. Jones, Proc. R. Soc. A 106, 463 (1924), DOI 10.1098/rspa.1924.0082. */
export const lennardJones: PotentialMethod<z.infer<typeof options>> = {
  name: "lennard-jones",
  summary: "Pairs that attract weakly and repel: noble gases, model liquids",
  options,
  build: (given, elements, _, device) =>
    pairPotential(
      "lennard-jones",
      given,
      ({ epsilon, sigma }) => {
        const s6 = powi(div(sigma, r), 6);
        return mul(4 * epsilon, sub(square(s6), s6));
      },
      elements,
      device,
    ),
};
