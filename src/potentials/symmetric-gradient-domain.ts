import type { output } from "zod";
import type { Range } from "../descriptors/environments.ts";
import type { Device } from "../device/device.ts";
import { invalid } from "../error.ts";
import { placeTensors } from "../regressors/placement.ts";
import { checkGroup } from "../regressors/symmetric-gradient-domain/group.ts";
import { GradientDomain } from "../regressors/symmetric-gradient-domain/molecule.ts";
import { formulaOf, symbolOf } from "../structure/elements.ts";
import type { Neighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";
import { z } from "../zod.ts";
import type { Batch, Evaluation, Labels, PotentialMethod, Trainable } from "./potential.ts";
import { Unchanged } from "./unchanged.ts";
import { Molecules } from "./molecules.ts";

const options = z.strictObject({
  atoms: z.array(z.int().min(1)).min(2).meta({ help: "Atomic numbers of the molecule, in their order" }),
  permutations: z
    .array(z.array(z.int().min(0)))
    .min(1)
    .meta({ help: "Orders of the atoms that are one and the same molecule: a group, with the identity" }),
});

export type SymmetricGradientDomainOptions = output<typeof options>;

const NAME = "symmetric-gradient-domain";

/**
 * E(R) = c + Σ_j Σ_P ∂k(P x(R), x_j)/∂x_j·β_j, with x the inverse distances of all pairs of atoms of one molecule and k of
 * Matérn 5/2: a field of forces learned from forces, integrated (S. Chmiela et al., DOI 10.1038/s41467-018-06169-2). The
 * parameters are σ, c and the weights β, of which c and β have slopes.
 */
export class SymmetricGradientDomain implements Trainable {
  readonly cutoff = 0;
  readonly elements: readonly number[];
  readonly smoothness = Infinity;
  readonly parameters: Float64Array;
  readonly decays: Uint8Array;
  readonly tensors: Readonly<Record<string, Float64Array>>;
  readonly #numbers: Uint8Array;
  readonly #model: GradientDomain;
  /** Since the model was made of them. */
  readonly #unchanged: Unchanged;
  readonly #gradient: Float64Array;

  constructor(
    { atoms, permutations }: SymmetricGradientDomainOptions,
    tensors: Readonly<Record<string, Float64Array>>,
    device: Device,
  ) {
    const numbers = Uint8Array.from(atoms);
    checkGroup(permutations, numbers, `${NAME}.permutations`);
    const { features } = tensors;
    const D = (atoms.length * (atoms.length - 1)) / 2;
    if (!features || features.length === 0 || features.length % D !== 0)
      throw invalid(
        `tensor features`,
        `rows of ${D} inverse distances`,
        features ? `${features.length} numbers` : "none",
      );
    const { parameters, tensors: live } = placeTensors(
      [
        { name: "length", length: 1 },
        { name: "constant", length: 1 },
        { name: "weights", length: features.length },
      ],
      [],
      tensors,
      device.memory,
    );
    if (!(live["length"][0] > 0)) throw invalid("tensor length", "a positive length", live["length"][0]);
    this.elements = [...new Set(numbers)].sort((a, b) => a - b);
    this.parameters = parameters;
    this.decays = new Uint8Array(parameters.length);
    this.tensors = { ...live, features };
    this.#numbers = numbers;
    this.#model = new GradientDomain(numbers, permutations, features, device);
    this.#unchanged = new Unchanged(device, parameters);
    this.#gradient = new Float64Array(3 * numbers.length);
  }

  evaluate(structure: Structure, _: Neighbours, out: Evaluation, [first, last]: Range = [0, Infinity]): void {
    // The energy is nobody's own; it is counted with the first atom.
    if (first > 0 || last < 1) return;
    const energy = this.#add(structure, out.forces, out.virial);
    out.energy += energy;
    if (out.energies) out.energies[0] += energy;
  }

  batch(structures: readonly Structure[]): Batch {
    return new Molecules(structures);
  }

  forward(batch: Batch, out: Labels): void {
    out.forces.fill(0);
    out.virials.fill(0);
    const n = this.#numbers.length;
    for (const [k, structure] of own(batch).entries())
      out.energies[k] = this.#add(
        structure,
        out.forces.subarray(3 * n * k, 3 * n * (k + 1)),
        out.virials.subarray(9 * k, 9 * k + 9),
      );
  }

  parameterGradient(
    batch: Batch,
    seeds: Labels,
    gradient: Float64Array,
    { forces = true }: { forces?: boolean } = {},
  ): void {
    this.#refresh();
    const w = 3 * this.#numbers.length;
    const weights = gradient.subarray(2);
    for (const [k, structure] of own(batch).entries()) {
      this.#check(structure);
      const { positions } = structure;
      gradient[1] += seeds.energies[k];
      // F = −∂E/∂R and W = −∂E/∂R ⊗ R.
      const tangent = positions.map((_, c) => {
        let seed = -seeds.forces[w * k + c];
        for (let v = 0; v < 3; v++)
          seed -= seeds.virials[9 * k + 3 * (c % 3) + v] * positions[c - (c % 3) + v];
        return seed;
      });
      this.#model.addWeightSlopes(positions, seeds.energies[k], forces ? tangent : null, weights);
    }
  }

  /** Energy; forces and virial are added to. */
  #add(structure: Structure, forces: Float64Array, virial: Float64Array): number {
    this.#refresh();
    this.#check(structure);
    const { positions } = structure;
    const gradient = this.#gradient.fill(0);
    const energy = this.#model.energy(positions, gradient);
    for (let c = 0; c < gradient.length; c++) {
      forces[c] -= gradient[c];
      for (let v = 0; v < 3; v++) virial[3 * (c % 3) + v] -= gradient[c] * positions[c - (c % 3) + v];
    }
    return energy;
  }

  #check({ numbers, pbc }: Structure): void {
    const known = this.#numbers;
    if (numbers.length !== known.length || numbers.some((z, i) => z !== known[i]))
      throw invalid(
        "structure",
        `the molecule that the model is of, ${Array.from(known, symbolOf).join(" ")} in this order`,
        formulaOf(numbers),
      );
    if (pbc.some(Boolean)) throw invalid("structure", "a molecule without periodic images", "periodicity");
  }

  #refresh(): void {
    if (this.#unchanged.check()) return;
    const { parameters } = this;
    this.#model.set(parameters[0], parameters[1], parameters.subarray(2));
  }
}

const own = (batch: Batch): readonly Structure[] => {
  if (batch instanceof Molecules) return batch.list;
  throw new TypeError("a batch of another potential was passed (this is a bug, please report it)");
};

export const symmetricGradientDomain: PotentialMethod<SymmetricGradientDomainOptions> = {
  name: NAME,
  summary: "One molecule from few geometries with forces (sGDML), its symmetries learned",
  options,
  build: (given, _elements, tensors, device) => new SymmetricGradientDomain(given, tensors, device),
};
