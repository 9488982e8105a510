import { add, exp, mul, square, sub, sum } from "../formula/expression.ts";
import { z as zod } from "../zod.ts";
import { external, x, y, z } from "./external.ts";
import type { PotentialMethod } from "./potential.ts";

const options = zod.strictObject({
  scale: zod.number().positive().default(1).meta({ unit: "eV", help: "what an energy of 1 stands for" }),
  stiffness: zod
    .number()
    .min(0)
    .default(0)
    .meta({ unit: "eV/Å²", help: "k of ½ k z², which keeps atoms in the plane" }),
});

/** A, a, b, c, x⁰, y⁰ of the four Gaussians. */
const GAUSSIANS = [
  [-200, -1, 0, -10, 1, 0],
  [-100, -1, 0, -10, 0, 0.5],
  [-170, -6.5, 11, -6.5, -0.5, 1.5],
  [15, 0.7, 0.6, 0.7, -1, 1],
] as const;

/**
 * V(x, y) = Σ_k A_k exp(a_k (x − x⁰_k)² + b_k (x − x⁰_k)(y − y⁰_k) + c_k (y − y⁰_k)²) of each atom, lengths in Å.
 * K. Müller, L. D. Brown, Theor. Chim. Acta 53, 75 (1979), DOI 10.1007/BF00547608: three minima, two saddle points.
 */
export const muellerBrown: PotentialMethod<zod.infer<typeof options>> = {
  name: "mueller-brown",
  summary: "The surface on which paths and saddle points are taught: three minima, two saddles in a plane",
  options,
  build({ scale, stiffness }, _elements, _tensors, device) {
    const terms = GAUSSIANS.map(([A, a, b, c, x0, y0]) => {
      const [u, v] = [sub(x, x0), sub(y, y0)];
      return mul(A * scale, exp(sum([mul(a, square(u)), mul(b, mul(u, v)), mul(c, square(v))])));
    });
    return external("mueller-brown", add(sum(terms), mul(stiffness / 2, square(z))), device);
  },
};
