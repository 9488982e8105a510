import { add, mul, powi, square, sum } from "../formula/expression.ts";
import { z as zod } from "../zod.ts";
import { external, x, y, z } from "./external.ts";
import type { PotentialMethod } from "./potential.ts";

const options = zod.strictObject({
  barrier: zod.number().positive().meta({ unit: "eV", help: "height of the barrier between the wells" }),
  distance: zod.number().positive().meta({ unit: "Å", help: "of a well from the barrier" }),
  stiffness: zod
    .number()
    .min(0)
    .default(0)
    .meta({ unit: "eV/Å²", help: "k of ½ k (y² + z²) across the way; 0: none" }),
});

/** V = B ((x/d)⁴ − 2 (x/d)²) + ½ k (y² + z²) of each atom: wells of depth B at x = ±d, barrier 0 at x = 0. */
export const doubleWell: PotentialMethod<zod.infer<typeof options>> = {
  name: "double-well",
  summary: "Two wells and a barrier along x: rates, tunnelling, rare events in one dimension",
  options,
  build({ barrier, distance, stiffness }, _elements, _tensors, device) {
    const along = add(
      mul(barrier / distance ** 4, powi(x, 4)),
      mul((-2 * barrier) / distance ** 2, square(x)),
    );
    const across = mul(stiffness / 2, sum([square(y), square(z)]));
    return external("double-well", add(along, across), device);
  },
};
