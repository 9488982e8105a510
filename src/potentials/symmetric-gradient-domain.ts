import type { output } from "zod";
import type { Range } from "../descriptors/environments.ts";
import type { Device } from "../device/device.ts";
import { invalid } from "../error.ts";
import { checkGroup } from "../regressors/symmetric-gradient-domain/group.ts";
import { GradientDomain } from "../regressors/symmetric-gradient-domain/molecule.ts";
import { formulaOf, symbolOf } from "../structure/elements.ts";
import { z } from "../zod.ts";
import type { Potential, PotentialMethod } from "./potential.ts";

const options = z.strictObject({
  atoms: z.array(z.int().min(1)).min(2).meta({ help: "Atomic numbers of the molecule, in their order" }),
  length: z.number().positive().meta({ unit: "1/Å", help: "Length scale σ of the kernel" }),
  permutations: z
    .array(z.array(z.int().min(0)))
    .min(1)
    .meta({ help: "Orders of the atoms that are one and the same molecule: a group, with the identity" }),
  constant: z.number().meta({ unit: "eV", help: "Constant of integration" }),
});

export type SymmetricGradientDomainOptions = output<typeof options>;

const NAME = "symmetric-gradient-domain";

/**
 * E(R) = c + Σ_j Σ_P ∂k(P x(R), x_j)/∂x_j·β_j, with x the inverse distances of all pairs of atoms of one molecule and k of
 * Matérn 5/2: a field of forces learned from forces, integrated (S. Chmiela et al., DOI 10.1038/s41467-018-06169-2).
 */
export const symmetricGradientDomain: PotentialMethod<SymmetricGradientDomainOptions> = {
  name: NAME,
  summary: "One molecule from few geometries with forces (sGDML), its symmetries learned",
  options,
  build,
};

function build(
  { atoms, length, permutations, constant }: SymmetricGradientDomainOptions,
  _elements: unknown,
  { features, weights }: Readonly<Record<string, Float64Array>>,
  device: Device,
): Potential {
  const numbers = Uint8Array.from(atoms);
  const n = numbers.length;
  checkGroup(permutations, numbers, `${NAME}.permutations`);
  const D = (n * (n - 1)) / 2;
  for (const [name, values] of Object.entries({ features, weights }))
    if (!values || values.length === 0 || values.length % D !== 0 || values.length !== features.length)
      throw invalid(
        `${NAME} ${name}`,
        `a tensor [geometries, ${D}]`,
        values ? `${values.length} numbers` : "none",
      );
  const model = new GradientDomain({ numbers, length, permutations, features, weights, constant }, device);
  const gradient = new Float64Array(3 * n);
  return {
    cutoff: 0,
    elements: [...new Set(numbers)].sort((a, b) => a - b),
    smoothness: Infinity,
    evaluate(structure, _, out, [first, last]: Range = [0, n]) {
      const { positions, pbc } = structure;
      if (structure.numbers.length !== n || structure.numbers.some((z, i) => z !== numbers[i]))
        throw invalid(
          NAME,
          `the molecule that it was fitted to, ${atoms.map(symbolOf).join(" ")} in this order`,
          formulaOf(structure.numbers),
        );
      if (pbc.some(Boolean)) throw invalid(NAME, "a structure without periodic images", "a periodic one");
      // The energy is nobody's own; it is counted with the first atom.
      if (first > 0 || last < 1) return;
      const energy = model.energy(positions, gradient.fill(0));
      out.energy += energy;
      if (out.energies) out.energies[0] += energy;
      for (let k = 0; k < 3 * n; k++) out.forces[k] -= gradient[k];
      for (let i = 0; i < n; i++)
        for (let a = 0; a < 3; a++)
          for (let b = 0; b < 3; b++) out.virial[3 * a + b] -= gradient[3 * i + a] * positions[3 * i + b];
    },
  };
}
