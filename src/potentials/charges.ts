import type { Range } from "../descriptors/environments.ts";
import { invalid } from "../error.ts";
import { centreOfMass } from "../structure/centre-of-mass.ts";
import { findNumber, symbolOf } from "../structure/elements.ts";
import type { Structure } from "../structure/structure.ts";
import { z } from "../zod.ts";
import type { Evaluation, Potential, PotentialMethod } from "./potential.ts";

const options = z.strictObject({
  charges: z
    .union([
      z.record(
        z.string().refine((s) => findNumber(s) !== undefined, { error: "expected a chemical symbol" }),
        z.number(),
      ),
      z.array(z.number()).min(1),
    ])
    .meta({ unit: "e", help: "of each element by symbol, or of the atoms one after another" }),
});

type Options = z.infer<typeof options>;

const NAME = "charges";

/**
 * μ = Σ_i q_i (r_i − R), e Å, with fixed charges and the centre of mass R: a dipole, and no energy. In a periodic box the
 * positions must not be wrapped, so that molecules stay whole.
 */
export const charges: PotentialMethod<Options> = {
  name: NAME,
  summary: "Fixed point charges that give a dipole moment, and no energy",
  options,
  build({ charges: given }, elements): Potential {
    const listed = Array.isArray(given);
    const missing = listed ? [] : elements.filter((e) => given[symbolOf(e)] === undefined);
    if (missing.length > 0)
      throw invalid(`${NAME}.charges`, `a charge of ${missing.map(symbolOf).join(", ")}`, "none");
    const chargesOf = listed
      ? (structure: Structure) => demandCount(given, structure)
      : ({ numbers }: Structure) => Array.from(numbers, (e) => given[symbolOf(e)]);
    return {
      cutoff: 0,
      elements: listed ? null : elements,
      smoothness: Infinity,
      dipole: true,
      // No energy, no force constants.
      curvature() {},
      evaluate(structure, _, out, range) {
        if (out.dipole) addDipole(structure, chargesOf(structure), out, range);
      },
    };
  },
};

function demandCount(given: readonly number[], { numbers }: Structure): readonly number[] {
  if (given.length === numbers.length) return given;
  throw invalid(`${NAME}.charges`, `${given.length} atoms, as many as there are charges`, numbers.length);
}

function addDipole(
  structure: Structure,
  q: readonly number[],
  { dipole }: Evaluation,
  [first, last]: Range = [0, q.length],
): void {
  const centre = centreOfMass(structure);
  for (let i = first; i < last; i++)
    for (let a = 0; a < 3; a++) dipole![a] += q[i] * (structure.positions[3 * i + a] - centre[a]);
}
