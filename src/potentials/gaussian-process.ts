import type { Range } from "../descriptors/environments.ts";
import { pullback, type MolecularDescriptor } from "../descriptors/molecular/descriptor.ts";
import { molecularDescriptors } from "../descriptors/molecular/table.ts";
import type { Device } from "../device/device.ts";
import { invalid } from "../error.ts";
import { KernelFunction } from "../kernels/function.ts";
import { packedNumbers } from "../math/triangle.ts";
import { Deviation } from "../regressors/gaussian-process/deviation.ts";
import { denseSlopes, moleculePoints } from "../regressors/gaussian-process/molecules.ts";
import { meanFeatures, type RawPoints } from "../regressors/gaussian-process/points.ts";
import { Prediction } from "../regressors/gaussian-process/prediction.ts";
import { placeFactor, readObserved } from "../regressors/gaussian-process/tensors.ts";
import { WeightSlopes } from "../regressors/gaussian-process/weight-slopes.ts";
import { placeTensors } from "../regressors/placement.ts";
import { formulaOf } from "../structure/elements.ts";
import type { Neighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";
import { z } from "../zod.ts";
import { MoleculeGuard } from "./extrapolation/molecule-guard.ts";
import type { Guarded } from "./extrapolation/grader.ts";
import { pick } from "./pick.ts";
import type {
  Batch,
  Deviations,
  Evaluation,
  Gradable,
  Labels,
  PotentialMethod,
  Trainable,
  Uncertain,
} from "./potential.ts";
import { Molecules } from "./molecules.ts";

const options = z.strictObject({
  descriptor: z
    .looseObject({ name: z.string() })
    .meta({ help: "Descriptor of the whole molecule, nothing left to choose" }),
  kernel: z.looseObject({}).meta({ help: "Kernel: { name, … }, { sum: […] } or { product: […] }" }),
  atoms: z.array(z.int().min(1)).min(1).meta({ help: "Atomic numbers of the molecule, in their order" }),
  scale: z
    .strictObject({ energy: z.number().positive(), forces: z.number().positive() })
    .default({ energy: 1, forces: 1 })
    .meta({ help: "What standard deviations are multiplied with: told from frames not fitted to" }),
  training: z
    .strictObject({ places: z.array(z.string()) })
    .optional()
    .meta({ help: "Where the observed molecules came from" }),
});

export type GaussianProcessOptions = z.infer<typeof options>;

/**
 * E(R) = Σ_i α_i k(x, x_i) + Σ_j β_j · ∂k(x, x_j)/∂R_j of a molecule with features x(R), given energies at some
 * structures and gradients at some (R. Meyer, A. W. Hauser, DOI 10.1063/1.5141718). The parameters are the
 * hyper-parameters, then the weights α, β [n]; only the weights have slopes here.
 */
export class GaussianProcessPotential implements Trainable, Gradable, Guarded, Uncertain {
  readonly cutoff = 0;
  readonly elements: readonly number[];
  readonly smoothness = Infinity;
  readonly external: boolean;
  readonly parameters: Float64Array;
  readonly decays: Uint8Array;
  readonly tensors: Readonly<Record<string, Float64Array>>;
  readonly descriptor: MolecularDescriptor;
  readonly raw: RawPoints;
  readonly kernel: KernelFunction;
  readonly #device: Device;
  readonly #scale: GaussianProcessOptions["scale"];
  readonly #places: readonly string[];
  readonly #mean: Float64Array;
  readonly #prediction: Prediction;
  #deviation: { readonly of: Deviation; current: boolean } | null = null;
  #slopes: WeightSlopes | null = null;
  /** The parameters that everything made of them is of. */
  readonly #known: Float64Array;
  readonly #dEdx: Float64Array;
  /** Name of the grade that evaluations fill. */
  #graded: string | null = null;
  #guard: MoleculeGuard | null = null;

  constructor(
    given: GaussianProcessOptions,
    elements: readonly number[],
    tensors: Readonly<Record<string, Float64Array>>,
    device: Device,
  ) {
    const { name, ...own } = given.descriptor;
    const method = pick(molecularDescriptors, name, "descriptor.name");
    const numbers = Uint8Array.from(given.atoms);
    this.descriptor = method.build(method.options.parse(own), numbers, device);
    this.kernel = new KernelFunction(given.kernel, this.descriptor.size);
    const { active } = this.descriptor;
    const { positions, energies, gradients, coordinates } = readObserved(tensors, 3 * numbers.length, active);
    this.raw = moleculePoints(
      this.descriptor,
      positions,
      Int32Array.from(energies),
      Int32Array.from(gradients),
      coordinates && Int32Array.from(coordinates),
    );
    const n = energies.length + gradients.length * this.raw.coordinates;
    const { parameters, tensors: live } = placeTensors(
      [
        { name: "hyperparameters", length: this.kernel.hyperparameters.length },
        { name: "weights", length: n },
      ],
      [],
      tensors,
      device.memory,
    );
    const factor = tensors["factor"] && placeFactor(tensors["factor"], n, device);
    this.elements = elements;
    this.external = seesPlace(this.descriptor, positions);
    this.parameters = parameters;
    this.decays = new Uint8Array(parameters.length);
    this.tensors = {
      ...live,
      positions,
      energies,
      gradients,
      ...(coordinates && { coordinates }),
      ...(factor && { factor: device.memory.f64(factor.address, packedNumbers(n)) }),
    };
    this.#device = device;
    this.#scale = given.scale;
    this.#places = given.training?.places ?? [];
    this.#mean = meanFeatures(this.raw);
    this.#prediction = new Prediction(device, this.kernel, this.raw, this.#mean);
    if (factor)
      this.#deviation = {
        of: new Deviation(device, this.kernel, this.raw, this.#mean, factor, active.length),
        current: false,
      };
    this.#known = new Float64Array(parameters.length).fill(NaN);
    this.#dEdx = new Float64Array(this.descriptor.size);
  }

  evaluate(structure: Structure, _: Neighbours, out: Evaluation, range?: Range): void {
    // The molecule is one whole: it counts with its first atom.
    if (range && range[0] > 0) return;
    out.energy += this.#add(structure, out.forces, out.virial, out.energies);
    if (!out.grades || !this.#graded) return;
    const grade = this.guard.by(this.#graded, structure);
    for (let i = 0; i < structure.numbers.length; i++) out.grades[i] = Math.max(out.grades[i], grade);
  }

  /** Energy; forces and virial are added to. */
  #add(
    structure: Structure,
    forces: Float64Array | null,
    virial: Float64Array | null,
    energies?: Float64Array,
  ): number {
    this.#refresh();
    this.#check(structure);
    const { positions } = structure;
    const n = structure.numbers.length;
    if (!forces) return this.#prediction.evaluate(this.descriptor.forward(positions), null);
    const gradient = new Float64Array(3 * n);
    const energy = this.#withGradient(positions, gradient);
    for (let k = 0; k < 3 * n; k++) {
      forces[k] -= gradient[k];
      if (virial)
        for (let b = 0; b < 3; b++) virial[3 * (k % 3) + b] -= gradient[k] * positions[k - (k % 3) + b];
    }
    if (energies) for (let i = 0; i < n; i++) energies[i] += energy / n;
    return energy;
  }

  /** The energy; ADDS its derivatives to gradient [n, 3]. */
  #withGradient(positions: Float64Array, gradient: Float64Array): number {
    const { descriptor } = this;
    if (descriptor.pullback) {
      const energy = this.#prediction.evaluate(descriptor.forward(positions), this.#dEdx);
      descriptor.pullback(this.#dEdx, gradient);
      return energy;
    }
    const { features, rows } = descriptor.jacobian(positions);
    const energy = this.#prediction.evaluate(features, this.#dEdx);
    pullback(rows, this.#dEdx, gradient);
    return energy;
  }

  #check({ numbers, pbc }: Structure): void {
    const own = this.descriptor.numbers;
    if (numbers.length !== own.length || numbers.some((z, i) => z !== own[i]))
      throw invalid("structure", `the molecule ${formulaOf(own)} in its order of atoms`, formulaOf(numbers));
    if (pbc.some(Boolean)) throw invalid("structure", "a molecule without periodic images", "periodicity");
  }

  #refresh(): void {
    const { parameters } = this;
    let same = true;
    for (let k = 0; same && k < parameters.length; k++) same = parameters[k] === this.#known[k];
    if (same) return;
    this.#known.set(parameters);
    this.#prediction.set(this.#theta, this.#weights);
    if (this.#deviation) this.#deviation.current = false;
    this.#slopes?.forget();
  }

  get #theta(): Float64Array {
    return this.parameters.subarray(0, this.kernel.hyperparameters.length);
  }

  get #weights(): Float64Array {
    return this.parameters.subarray(this.kernel.hyperparameters.length);
  }

  /** The molecule as a whole, on every atom: standard deviation of the energy, range or distance of its features. */
  gradeBy(grade: string): boolean {
    this.#graded = this.guard.names.includes(grade) ? grade : null;
    return this.#graded !== null;
  }

  get guard(): MoleculeGuard {
    return (this.#guard ??= new MoleculeGuard({
      descriptor: this.descriptor,
      x: this.raw.x,
      places: this.#places,
      certain: this.#deviation !== null,
      deviation: (structure) => this.deviation(structure),
    }));
  }

  deviation(structure: Structure): number | null {
    const known = this.#uncertain(structure);
    return known && this.#scale.energy * Math.sqrt(known.value(this.descriptor.forward(structure.positions)));
  }

  deviations(structure: Structure): Deviations | null {
    const known = this.#uncertain(structure);
    if (!known) return null;
    const { active, size } = this.descriptor;
    const slopes = new Float64Array(active.length * size);
    const { features } = denseSlopes(this.descriptor, structure.positions, slopes);
    const [energy, ...forces] = known.all(features, slopes).map(Math.sqrt);
    const out = new Float64Array(structure.positions.length);
    active.forEach((c, k) => (out[c] = this.#scale.forces * forces[k]));
    return { energy: this.#scale.energy * energy, forces: out };
  }

  #uncertain(structure: Structure): Deviation | null {
    if (!this.#deviation) return null;
    this.#refresh();
    this.#check(structure);
    if (!this.#deviation.current) this.#deviation.of.set(this.#theta);
    this.#deviation.current = true;
    return this.#deviation.of;
  }

  batch(structures: readonly Structure[]): Batch {
    return new Molecules(structures);
  }

  forward(batch: Batch, out: Labels, { forces = true }: { forces?: boolean } = {}): void {
    if (forces) {
      out.forces.fill(0);
      out.virials.fill(0);
    }
    let atom = 0;
    for (const [k, structure] of (batch as Molecules).list.entries()) {
      const n = structure.numbers.length;
      const F = forces ? out.forces.subarray(3 * atom, 3 * (atom + n)) : null;
      const W = forces ? out.virials.subarray(9 * k, 9 * k + 9) : null;
      out.energies[k] = this.#add(structure, F, W);
      atom += n;
    }
  }

  parameterGradient(
    batch: Batch,
    seeds: Labels,
    gradient: Float64Array,
    { forces = true }: { forces?: boolean } = {},
  ): void {
    this.#refresh();
    this.#slopes ??= new WeightSlopes(this.#device, this.kernel, this.raw, this.#mean, this.descriptor);
    this.#slopes.set(this.#theta);
    const own = gradient.subarray(this.#theta.length);
    let atom = 0;
    for (const [k, { numbers, positions }] of (batch as Molecules).list.entries()) {
      const n = numbers.length;
      const F = forces ? seeds.forces.subarray(3 * atom, 3 * (atom + n)) : null;
      const W = seeds.virials.subarray(9 * k, 9 * k + 9);
      this.#slopes.add(positions, { energy: seeds.energies[k], forces: F, virial: W }, own);
      atom += n;
    }
  }
}

/** Whether features change when the molecule is moved as a whole. */
function seesPlace(descriptor: MolecularDescriptor, positions: Float64Array): boolean {
  const first = positions.subarray(0, 3 * descriptor.numbers.length);
  const here = descriptor.forward(first).slice();
  const there = descriptor.forward(first.map((x) => x + 0.5));
  return here.some((x, t) => Math.abs(x - there[t]) > 1e-6 * (1 + Math.abs(x)));
}

/** A Gaussian process over a descriptor of whole molecules, as a term of a model. */
export const gaussianProcess: PotentialMethod<GaussianProcessOptions> = {
  name: "gaussian-process",
  summary: "A surface through energies and forces of one molecule, with a standard deviation everywhere",
  options,
  build: (given, elements, tensors, device) => new GaussianProcessPotential(given, elements, tensors, device),
};
