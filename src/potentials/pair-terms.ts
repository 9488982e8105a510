import type { CentreTerms } from "../descriptors/loops/sum.ts";
import { r } from "../descriptors/loops/radial.ts";
import type { Device } from "../device/device.ts";
import { invalid } from "../error.ts";
import { gradient } from "../formula/derivative.ts";
import { add, less, mul, select, sub } from "../formula/expression.ts";
import type { Expr } from "../formula/expression.ts";
import { evaluate } from "../formula/javascript.ts";
import { cutoffs } from "../descriptors/cutoffs.ts";
import { symbolOf } from "../structure/elements.ts";
import { z } from "../zod.ts";
import type { Potential } from "./potential.ts";
import { sumOfTerms } from "./sum-of-terms.ts";

/** How a pair potential ends at its cutoff. */
export const ending = z.enum(["cut", "shifted", "force-shifted", "switched"]).meta({
  help: "cut: the energy jumps; shifted: the force jumps; force-shifted: neither; switched: smooth from 0.8 cutoff on",
});

export type Ending = z.infer<typeof ending>;

/** Options of a pair potential with the parameters `shape` for each pair of elements, such as "Cu-Zr". */
export const pairOptions = <Shape extends z.ZodRawShape>(shape: Shape, help: string) =>
  z.strictObject({
    cutoff: z.number().positive().meta({ unit: "Å", help: "no pair beyond it counts" }),
    ending: ending.default("cut"),
    pairs: z
      .record(z.string().regex(/^[A-Z][a-z]?-[A-Z][a-z]?$/), z.strictObject(shape))
      .meta({ help: `${help} of each pair of elements, as in Cu-Zr` }),
  });

/** Where switching begins, as a part of the cutoff. */
const SWITCH = 0.8;

const SMOOTHNESS: Readonly<Record<Ending, number>> = {
  cut: -1,
  shifted: 0,
  "force-shifted": 1,
  switched: 2,
};

/** V(r) with its ending, exactly 0 from the cutoff on. */
export function ended(V: Expr, cutoff: number, how: Ending): Expr {
  const [at, slope] = evaluate([V, gradient(V, [r])[0]], { r: cutoff });
  const inside = {
    cut: () => V,
    shifted: () => sub(V, at),
    "force-shifted": () => sub(V, add(at, mul(slope, sub(r, cutoff)))),
    switched: () => {
      const start = SWITCH * cutoff;
      const S = cutoffs.poly2.shape(mul(1 / (cutoff - start), sub(r, start)));
      return mul(V, select(less(r, start), 1, S));
    },
  }[how]();
  return select(less(r, cutoff), inside, 0);
}

/** The potential Σ_{i<j} V_ij(r_ij) of the elements; `V` makes the formula of a pair from its parameters. */
export function pairPotential<P>(
  name: string,
  { cutoff, ending, pairs }: { cutoff: number; ending: Ending; pairs: Readonly<Record<string, P>> },
  V: (parameters: P) => Expr,
  elements: readonly number[],
  device: Device,
): Potential {
  const centres = elements.map((Zi): CentreTerms => {
    const radial = elements.map((Zj, neighbour) => {
      // The smaller number first, so that both orders of a pair are the same formula.
      const [a, b] = [Math.min(Zi, Zj), Math.max(Zi, Zj)].map(symbolOf);
      const parameters = pairs[`${a}-${b}`] ?? pairs[`${b}-${a}`];
      if (!parameters) throw invalid(`${name}.pairs`, `parameters of ${a}-${b}`, "none");
      const half = mul(0.5, ended(V(parameters), cutoff, ending));
      const term = { factors: [half], cutoff, smoothness: SMOOTHNESS[ending], label: `${name} ${a}-${b}` };
      return { neighbour, terms: [term] };
    });
    return { radial, angular: [] };
  });
  return sumOfTerms(elements, centres, device);
}
