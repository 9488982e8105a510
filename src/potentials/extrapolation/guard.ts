import { EnvironmentsBuilder } from "../../descriptors/environments.ts";
import type { Descriptor, Features } from "../../descriptors/descriptor.ts";
import type { Device } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { findNeighbours } from "../../structure/neighbours.ts";
import type { Neighbours } from "../../structure/neighbours.ts";
import type { LinearBasis } from "../../regressors/regressor.ts";
import type { Structure } from "../../structure/structure.ts";
import { buildComposed, composed } from "../composed.ts";
import { FeatureBuffer } from "../feature-buffer.ts";
import { pick } from "../pick.ts";
import type { Model } from "../potential.ts";
import { EnvironmentSet, unitOf } from "./environment-set.ts";
import type { Extrapolation, Grader, Guard } from "./grader.ts";
import { excess, widths } from "./range.ts";
import type { TrainingRecord } from "./record.ts";
import { graders } from "./table.ts";

/** Atoms whose features are in memory at a time. */
const BLOCK = 256;

/**
 * Grades every atom of a structure by all that its model remembers of the training data. Computes the features on its
 * own; `GradedPotential` has the grades of one kind at hardly any cost while it evaluates.
 */
export class ExtrapolationGuard implements Guard {
  readonly cutoff: number;
  readonly costly = false;
  /** Names of the grades that the model knows. */
  readonly names: readonly string[];
  /** What the model remembers. */
  readonly record: TrainingRecord;
  readonly #descriptor: Descriptor;
  readonly #builder: EnvironmentsBuilder;
  readonly #buffer: FeatureBuffer;
  readonly #graders: readonly (readonly [name: string, grader: Grader])[];
  readonly #sets: readonly EnvironmentSet[];
  readonly #widths: readonly Float64Array[];

  /** Null where no term of the model remembers its training data. */
  static of(model: Model, device: Device): ExtrapolationGuard | null {
    for (const term of model.terms) {
      if (term.type !== composed.name) continue;
      const options = composed.options.parse(term.options);
      const { record, descriptor, regressor } = buildComposed(options, model.elements, term.tensors, device);
      if (record) return new ExtrapolationGuard(descriptor, record, device, regressor.basis);
    }
    return null;
  }

  /** The same; a model without memory is an InputError. */
  static demand(model: Model, device: Device, place = "model"): ExtrapolationGuard {
    const guard = ExtrapolationGuard.of(model, device);
    if (guard) return guard;
    throw invalid(place, "a model that remembers its training data (fit it again)", "one that does not");
  }

  private constructor(descriptor: Descriptor, record: TrainingRecord, device: Device, basis?: LinearBasis) {
    this.cutoff = descriptor.cutoff;
    this.record = record;
    this.#descriptor = descriptor;
    this.#builder = new EnvironmentsBuilder(descriptor.elements, descriptor.cutoff);
    const sizes = descriptor.elements.map((_, e) => descriptor.size(e));
    this.#buffer = new FeatureBuffer(device.memory, sizes);
    this.#graders = Object.entries(graders).flatMap(([name, method]) => {
      const grader = method.build(record, basis);
      return grader ? [[name, grader] as const] : [];
    });
    this.names = this.#graders.map(([name]) => name);
    this.#sets = record.elements.map((element) => EnvironmentSet.of(element));
    this.#widths = record.elements.map(widths);
  }

  /** Grades [n] of all atoms, by name. */
  grade(
    structure: Structure,
    neighbours: Neighbours = findNeighbours(structure, this.cutoff),
  ): Record<string, Float64Array> {
    const n = structure.numbers.length;
    const out = Object.fromEntries(this.names.map((name) => [name, new Float64Array(n)]));
    const block = new Float64Array(BLOCK);
    for (let first = 0; first < n; first += BLOCK) {
      const { G, centre } = this.#features(structure, neighbours, first, Math.min(first + BLOCK, n));
      for (const [name, grader] of this.#graders) {
        grader.grade(G, block);
        for (let c = 0; c < centre.length; c++) out[name][centre[c]] = block[c];
      }
    }
    return out;
  }

  /**
   * Index of an atom's element, its features, valid until the next call, and its distance to the nearest training
   * environment in scaled features, 0 where the model remembers none.
   */
  featuresOf(
    structure: Structure,
    atom: number,
    neighbours: Neighbours = findNeighbours(structure, this.cutoff),
  ): { readonly e: number; readonly G: Float64Array; readonly known: number } {
    const { matrices, counts } = this.#features(structure, neighbours, atom, atom + 1).G;
    const e = counts.indexOf(1);
    const { index, distance } = this.#sets[e].nearest(matrices[e]);
    return { e, G: matrices[e], known: index < 0 ? 0 : distance };
  }

  /** Why an atom has its grades. */
  explain(
    structure: Structure,
    atom: number,
    neighbours: Neighbours = findNeighbours(structure, this.cutoff),
  ): Extrapolation {
    const features = this.#features(structure, neighbours, atom, atom + 1).G;
    const e = features.counts.indexOf(1);
    const G = features.matrices[e];
    const { min, max, frames } = this.record.elements[e];
    const out = G.map((x, u) => excess(x, min[u], max[u]) / this.#widths[e][u]);
    const { index } = this.#sets[e].nearest(G);
    const inside = index >= 0 && out.every((x) => x <= 0);
    const blame = inside ? this.#sets[e].differences(G, index) : out;
    const t = blame.reduce((most, x, u) => (x > blame[most] ? u : most), 0);
    const grade = new Float64Array(1);
    const grades = this.#graders.map(([name, grader]): [string, number] => {
      grader.grade(features, grade);
      return [name, grade[0]];
    });
    return {
      atom,
      element: structure.numbers[atom],
      grades: Object.fromEntries(grades),
      feature: this.#descriptor.labels(e)[t],
      value: G[t],
      min: min[t],
      max: max[t],
      nearest: index < 0 ? null : this.record.places[frames[index]],
    };
  }

  /** The atom with the largest grade of this name, explained. */
  worst(
    structure: Structure,
    name = this.names[0],
    neighbours: Neighbours = findNeighbours(structure, this.cutoff),
  ): Extrapolation {
    const grades = pick(this.grade(structure, neighbours), name, "grade");
    const atom = grades.reduce((most, g, i) => (g > grades[most] ? i : most), 0);
    return this.explain(structure, atom, neighbours);
  }

  /** Elements of the model. */
  get kinds(): number {
    return this.record.elements.length;
  }

  /** An empty set of environments of element index e, and the distance that makes two of them different. */
  emptySet(e: number): { readonly set: EnvironmentSet; readonly unit: number } {
    const record = this.record.elements[e];
    return { set: new EnvironmentSet(record), unit: unitOf(record) };
  }

  #features(
    structure: Structure,
    neighbours: Neighbours,
    first: number,
    last: number,
  ): { G: Features; centre: Int32Array } {
    const env = this.#builder.build([{ structure, neighbours }], [first, last]);
    const G = this.#buffer.reserve(env.starts);
    this.#descriptor.forward(env, G);
    return { G, centre: env.centre };
  }
}
