import type { Descriptor, Features } from "../descriptors/descriptor.ts";
import {
  environments,
  EnvironmentsBuilder,
  type Environments,
  type Range,
} from "../descriptors/environments.ts";
import { addForces, pairTangents } from "../descriptors/pairs.ts";
import type { Device } from "../device/device.ts";
import type { Regressor } from "../regressors/regressor.ts";
import { findNeighbours, type Neighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";
import { ChunkedEvaluation } from "./chunks.ts";
import { ComposedCurvature, isCurved } from "./composed-curvature.ts";
import { ComposedDesign } from "./composed-design.ts";
import type { Grader } from "./extrapolation/grader.ts";
import { recordTensors, type TrainingRecord } from "./extrapolation/record.ts";
import { graders } from "./extrapolation/table.ts";
import { FeatureBuffer } from "./feature-buffer.ts";
import { pick } from "./pick.ts";
import { Posterior } from "./posterior.ts";
import type {
  Batch,
  Design,
  Evaluation,
  Gradable,
  Labels,
  Potential,
  Trainable,
  Uncertain,
} from "./potential.ts";

/**
 * E = Σ_i regressor(descriptor(surroundings of i)), the one place where this is written:
 * structures → environments → G → atomic energies, dE/dG → dE/dr_ij → forces and virial;
 * and for training, with seeds e, f, w on energies, forces and virials and t_ij = f_i − f_j − w r_ij,
 *
 *     ∂/∂θ (Σ e E + Σ f·F + Σ w:W) = ∂/∂θ (Σ_c e_c E_c + Σ_c dG_c·∂E_c/∂G_c),   dG = Σ_ij ∂G/∂r_ij t_ij.
 */
export function compose(
  descriptor: Descriptor,
  regressor: Regressor,
  device: Device,
  record: TrainingRecord | null = null,
): Composed {
  return new Composed(descriptor, regressor, device, record);
}

/** A batch of `compose`: environments of all structures, and their features once they are known and to be kept. */
class ComposedBatch implements Batch {
  readonly structures: number;
  readonly env: Environments;
  readonly bytes: number;
  /** Whether features are kept; they lie outside the device's memory, so a batch that is dropped is freed. */
  readonly keep: boolean;
  features: Float64Array | null = null;

  constructor(structures: number, env: Environments, keep: boolean, size: (e: number) => number) {
    this.structures = structures;
    this.env = env;
    this.keep = keep;
    const features = env.elements.reduce(
      (sum, _, e) => sum + (env.starts[e + 1] - env.starts[e]) * size(e),
      0,
    );
    const { starts, centre, structure, offsets, neighbour, vectors, distances } = env;
    const arrays = [starts, centre, structure, offsets, neighbour, vectors, distances];
    this.bytes = arrays.reduce((sum, a) => sum + a.byteLength, keep ? 8 * features : 0);
  }

  get atoms(): number {
    return this.env.atoms;
  }
}

/** Exact copies, because a builder's buffers are larger than what they hold. */
const compact = (env: Environments): Environments => ({
  ...env,
  starts: env.starts.slice(),
  centre: env.centre.slice(),
  structure: env.structure.slice(),
  offsets: env.offsets.slice(),
  neighbour: env.neighbour.slice(),
  vectors: env.vectors.slice(),
  distances: env.distances.slice(),
});

/** Calls `done` with the name of each stage of an evaluation as it ends: for timing. */
export type Watch = (stage: "environments" | "descriptor" | "regressor" | "pullback" | "forces") => void;

/** From environments to energies, with room for G and dE/dG. */
interface Pipeline {
  readonly descriptor: Descriptor;
  readonly regressor: Pick<Regressor, "pullback" | "combination">;
  readonly G: FeatureBuffer;
  readonly dG: FeatureBuffer;
}

/** The pipeline over combinations of features, where both sides can do with them. */
function fold({ descriptor, regressor }: Pipeline, device: Device): Pipeline | null {
  const { combination } = regressor;
  if (!combination || !descriptor.fold) return null;
  const { size, weights, rest } = combination;
  const sizes = weights.map(() => size);
  return {
    descriptor: descriptor.fold(weights, size),
    regressor: rest,
    G: new FeatureBuffer(device.memory, sizes),
    dG: new FeatureBuffer(device.memory, sizes),
  };
}

class Composed implements Trainable, Gradable, Uncertain {
  readonly cutoff: number;
  readonly elements: readonly number[];
  readonly smoothness: number;
  readonly parameters: Float64Array;
  readonly decays: Uint8Array;
  readonly starts?: readonly number[];
  readonly tensors: Readonly<Record<string, Float64Array>>;
  /** Where descriptor and regressor both have theirs. */
  readonly curvature?: Potential["curvature"];
  readonly descriptor: Descriptor;
  readonly regressor: Regressor;
  /** What the training data were like, where that is known. */
  readonly record: TrainingRecord | null;
  /** Set to watch the stages of `evaluate`. */
  watch: Watch | null = null;
  readonly #builder: EnvironmentsBuilder;
  readonly #chunks: ChunkedEvaluation;
  readonly #G: FeatureBuffer;
  /** dE/dG in the forward direction, the tangents of G in training. */
  readonly #dG: FeatureBuffer;
  readonly #device: Device;
  readonly #whole: Pipeline;
  #folded: Pipeline | null = null;
  #design: Design | null = null;
  #posterior: Posterior | null = null;
  #grader: Grader | null = null;
  #energies = new Float64Array(0);
  #grades = new Float64Array(0);
  #pairs = new Float64Array(0);
  /** The batch whose features lie in #G. */
  #current: Batch | null = null;

  constructor(descriptor: Descriptor, regressor: Regressor, device: Device, record: TrainingRecord | null) {
    this.#device = device;
    this.record = record;
    this.descriptor = descriptor;
    this.regressor = regressor;
    this.cutoff = descriptor.cutoff;
    this.elements = descriptor.elements;
    this.smoothness = descriptor.smoothness;
    this.#chunks = new ChunkedEvaluation(descriptor.elements);
    this.parameters = regressor.parameters;
    this.decays = regressor.decays;
    this.starts = regressor.starts;
    this.tensors = record ? { ...regressor.tensors, ...recordTensors(record) } : regressor.tensors;
    const sizes = descriptor.elements.map((_, e) => descriptor.size(e));
    this.#builder = new EnvironmentsBuilder(descriptor.elements, descriptor.cutoff);
    this.#G = new FeatureBuffer(device.memory, sizes);
    this.#dG = new FeatureBuffer(device.memory, sizes);
    this.#whole = { descriptor, regressor, G: this.#G, dG: this.#dG };
    if (isCurved(descriptor) && isCurved(regressor)) {
      let made: ComposedCurvature | undefined;
      this.curvature = (structure, neighbours, H) =>
        (made ??= new ComposedCurvature(descriptor, regressor, device)).add(structure, neighbours, H);
    }
  }

  /** What predicts: the model itself, or, where energies depend on few combinations of the features, those. */
  get #quick(): Pipeline {
    return (this.#folded ??= fold(this.#whole, this.#device) ?? this.#whole);
  }

  get prior(): (() => Float64Array) | null {
    const { regressor } = this;
    return regressor.prior ? () => regressor.prior!() : null;
  }

  /** Made when first asked for: only fits in closed form do. */
  get design(): Design | null {
    const { basis } = this.regressor;
    if (basis) this.#design ??= new ComposedDesign(this.descriptor, basis, this.#device);
    return this.#design;
  }

  deviation(structure: Structure): number | null {
    const { design, record } = this;
    if (!design || !record?.posterior) return null;
    this.#current = null;
    this.#posterior ??= new Posterior(record.posterior);
    const row = new Float64Array(this.#posterior.parameters);
    design.energy(structure, row);
    return this.#posterior.deviation(row);
  }

  gradeBy(grade: string): boolean {
    const method = pick(graders, grade, "grade");
    this.#grader = this.record && method.build(this.record, this.regressor.basis);
    return this.#grader !== null;
  }

  /** Raises the grades of the centres' atoms to what their features say. */
  #grade(env: Environments, G: Features, grades: Float64Array): void {
    if (!this.#grader) return;
    if (this.#grades.length < env.count) this.#grades = new Float64Array(Math.ceil(1.25 * env.count));
    this.#grader.grade(G, this.#grades);
    for (let c = 0; c < env.count; c++)
      grades[env.centre[c]] = Math.max(grades[env.centre[c]], this.#grades[c]);
  }

  /** All features, where a prediction does with combinations of them: grades change no bit of its energies. */
  #wholeFeatures(env: Environments): Features {
    const G = this.#G.reserve(env.starts);
    this.descriptor.forward(env, G);
    return G;
  }

  evaluate(structure: Structure, neighbours: Neighbours, out: Evaluation, range?: Range): void {
    this.#current = null;
    this.#chunks.run(structure, neighbours, out, range, this.#part);
  }

  readonly #part = (structure: Structure, neighbours: Neighbours, out: Evaluation, range?: Range): void => {
    const env = this.#builder.build([{ structure, neighbours }], range);
    this.watch?.("environments");
    const { descriptor, regressor, G: features, dG } = this.#quick;
    this.regressor.combination?.refresh?.();
    const G = features.reserve(env.starts);
    descriptor.forward(env, G);
    this.watch?.("descriptor");
    if (out.grades) this.#grade(env, features === this.#G ? G : this.#wholeFeatures(env), out.grades);
    const dEdG = dG.reserve(env.starts);
    const energies = this.#reserveEnergies(env.count);
    regressor.pullback(G, energies, dEdG);
    this.watch?.("regressor");
    const gradient = this.#reservePairs(env.neighbour.length).fill(0);
    descriptor.pullback(env, dEdG, gradient);
    this.watch?.("pullback");
    addForces(env, gradient, out.forces, out.virial);
    for (let c = 0; c < env.count; c++) {
      out.energy += energies[c];
      if (out.energies) out.energies[env.centre[c]] += energies[c];
    }
    this.watch?.("forces");
  };

  batch(structures: readonly Structure[], options: { cacheFeatures?: boolean } = {}): Batch {
    const listed = structures.map((structure) => ({
      structure,
      neighbours: findNeighbours(structure, this.cutoff),
    }));
    const env = compact(environments(listed, this.elements, this.cutoff));
    return new ComposedBatch(structures.length, env, options.cacheFeatures ?? false, (e) =>
      this.descriptor.size(e),
    );
  }

  forward(batch: Batch, out: Labels, options: { forces?: boolean } = {}): void {
    const { env } = own(batch);
    const G = this.#features(own(batch));
    const energies = this.#reserveEnergies(env.count);
    if (options.forces === false) this.regressor.forward(G, energies);
    else this.#forces(env, G, energies, out);
    out.energies.fill(0);
    for (let c = 0; c < env.count; c++) out.energies[env.structure[c]] += energies[c];
  }

  #forces(env: Environments, G: Features, energies: Float64Array, out: Labels): void {
    const dEdG = this.#dG.reserve(env.starts);
    this.regressor.pullback(G, energies, dEdG);
    const gradient = this.#reservePairs(env.neighbour.length).fill(0);
    this.descriptor.pullback(env, dEdG, gradient);
    out.forces.fill(0);
    out.virials.fill(0);
    addForces(env, gradient, out.forces, out.virials);
  }

  parameterGradient(
    batch: Batch,
    seeds: Labels,
    gradient: Float64Array,
    options: { forces?: boolean } = {},
  ): void {
    const { env } = own(batch);
    const G = this.#features(own(batch));
    const atomic = this.#reserveEnergies(env.count);
    for (let c = 0; c < env.count; c++) atomic[c] = seeds.energies[env.structure[c]];
    const dG = options.forces === false ? null : this.#tangents(env, seeds);
    this.regressor.parameterGradient(G, atomic, dG, gradient);
  }

  /** dG of t_ij = f_i − f_j − w r_ij, the opposite of displacing by f and straining by w. */
  #tangents(env: Environments, seeds: Labels): Features {
    const tangents = this.#reservePairs(env.neighbour.length);
    pairTangents(env, seeds.forces, seeds.virials, tangents);
    for (let p = 0; p < tangents.length; p++) tangents[p] = -tangents[p];
    const dG = this.#dG.reserve(env.starts);
    this.descriptor.pushforward(env, tangents, dG);
    return dG;
  }

  /** Features of a batch: still there, kept, or computed. */
  #features(batch: ComposedBatch): Features {
    const G = this.#G.reserve(batch.env.starts);
    if (this.#current === batch) return G;
    this.#current = null;
    if (batch.features) this.#G.flat().set(batch.features);
    else this.descriptor.forward(batch.env, G);
    if (batch.keep && !batch.features) batch.features = this.#G.flat().slice();
    this.#current = batch;
    return G;
  }

  #reserveEnergies(count: number): Float64Array {
    if (this.#energies.length < count) this.#energies = new Float64Array(Math.ceil(1.25 * count));
    return this.#energies.subarray(0, count);
  }

  #reservePairs(pairs: number): Float64Array {
    if (this.#pairs.length < 3 * pairs) this.#pairs = new Float64Array(3 * Math.ceil(1.25 * pairs));
    return this.#pairs.subarray(0, 3 * pairs);
  }
}

export type { Composed };

/** The batch, when `compose` made it. */
function own(batch: Batch): ComposedBatch {
  if (batch instanceof ComposedBatch) return batch;
  throw new TypeError("a batch of another potential was passed (this is a bug, please report it)");
}
