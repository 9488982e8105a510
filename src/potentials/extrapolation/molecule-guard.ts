import type { MolecularDescriptor } from "../../descriptors/molecular/descriptor.ts";
import type { Features } from "../../descriptors/descriptor.ts";
import { featureScale } from "../../regressors/neural-network/scaling.ts";
import type { FeatureStatistics } from "../../regressors/regressor.ts";
import type { Structure } from "../../structure/structure.ts";
import { deviation } from "./deviation.ts";
import { EnvironmentSet, unitOf } from "./environment-set.ts";
import type { Extrapolation, Grader, Guard } from "./grader.ts";
import { excess, widths } from "./range.ts";
import type { ElementRecord } from "./record.ts";
import { graders } from "./table.ts";

/** Molecules that stand for all, at most. */
const MOST = 256;

/** A model of one molecule with its training points. */
export interface Observed {
  readonly descriptor: MolecularDescriptor;
  /** Features of the observed molecules, [N, D]. */
  readonly x: Float64Array;
  /** Where they came from, [N]; empty where it is not known. */
  readonly places: readonly string[];
  /** Whether it tells standard deviations. */
  readonly certain: boolean;
  /** Standard deviation of the energy, eV. */
  deviation(structure: Structure): number | null;
}

function statisticsOf(x: Float64Array, D: number): FeatureStatistics {
  const count = x.length / D;
  const [mean, square] = [new Float64Array(D), new Float64Array(D)];
  const [min, max] = [new Float64Array(D).fill(Infinity), new Float64Array(D).fill(-Infinity)];
  for (let k = 0; k < x.length; k++) {
    const d = k % D;
    mean[d] += x[k] / count;
    min[d] = Math.min(min[d], x[k]);
    max[d] = Math.max(max[d], x[k]);
  }
  for (let k = 0; k < x.length; k++) square[k % D] += (x[k] - mean[k % D]) ** 2 / count;
  return { count, mean, deviation: square.map(Math.sqrt), min, max };
}

/** The whole molecule as the only kind of surroundings: evenly spread molecules stand for all. */
function recordOf(x: Float64Array, D: number): ElementRecord {
  const statistics = statisticsOf(x, D);
  const N = x.length / D;
  const kept = Array.from({ length: Math.min(N, MOST) }, (_, k) =>
    Math.floor(((k + 0.5) * N) / Math.min(N, MOST)),
  );
  const environments = Float64Array.from(kept.flatMap((i) => [...x.subarray(i * D, (i + 1) * D)]));
  const scale = featureScale(statistics);
  const apart = kept.map((i) => {
    const squares = kept.flatMap((j) => {
      if (i === j) return [];
      let sum = 0;
      for (let d = 0; d < D; d++) sum += ((x[i * D + d] - x[j * D + d]) * scale[d]) ** 2;
      return [sum];
    });
    return Math.sqrt(Math.min(...squares));
  });
  const spacing = apart.toSorted((a, b) => a - b)[Math.floor(apart.length / 2)];
  return {
    ...statistics,
    environments,
    frames: Float64Array.from(kept),
    spacing: Number.isFinite(spacing) ? spacing : 0,
    more: {},
  };
}

/** Grades molecules as wholes: every atom has the grade of its molecule. */
export class MoleculeGuard implements Guard {
  readonly cutoff = 0;
  readonly kinds = 1;
  readonly costly: boolean;
  readonly names: readonly string[];
  readonly #observed: Observed;
  readonly #record: ElementRecord;
  readonly #graders: Readonly<Record<string, Grader>>;
  readonly #set: EnvironmentSet;

  constructor(observed: Observed) {
    const record = recordOf(observed.x, observed.descriptor.size);
    const known = Object.entries(graders).flatMap(([name, method]) => {
      const grader = method.build({ places: [], elements: [record] });
      return grader ? [[name, grader] as const] : [];
    });
    this.costly = observed.certain;
    this.#observed = observed;
    this.#record = record;
    this.#graders = Object.fromEntries(known);
    this.#set = EnvironmentSet.of(record);
    this.names = [...known.map(([name]) => name), ...(observed.certain ? [deviation.name] : [])];
  }

  /** The grade of a molecule by one name. */
  by(name: string, structure: Structure): number {
    if (name === deviation.name) return this.#observed.deviation(structure) ?? 0;
    const grade = new Float64Array(1);
    this.#graders[name].grade(this.#features(structure), grade);
    return grade[0];
  }

  grade(structure: Structure): Record<string, Float64Array> {
    const n = structure.numbers.length;
    return Object.fromEntries(
      this.names.map((name) => [name, new Float64Array(n).fill(this.by(name, structure))]),
    );
  }

  explain(structure: Structure, atom: number): Extrapolation {
    const [G] = this.#features(structure).matrices;
    const { min, max, frames } = this.#record;
    const wide = widths(this.#record);
    const out = G.map((x, t) => excess(x, min[t], max[t]) / wide[t]);
    const { index } = this.#set.nearest(G);
    const blame = out.every((x) => x <= 0) ? this.#set.differences(G, index) : out;
    const t = blame.reduce((most, x, k) => (x > blame[most] ? k : most), 0);
    return {
      atom,
      element: structure.numbers[atom],
      grades: Object.fromEntries(this.names.map((name) => [name, this.by(name, structure)])),
      feature: this.#observed.descriptor.labels[t],
      value: G[t],
      min: min[t],
      max: max[t],
      nearest: this.#observed.places[frames[index]] ?? null,
    };
  }

  featuresOf(structure: Structure) {
    const [G] = this.#features(structure).matrices;
    return { e: 0, G, known: this.#set.nearest(G).distance };
  }

  emptySet() {
    return { set: new EnvironmentSet(this.#record), unit: unitOf(this.#record) };
  }

  #features({ positions }: Structure): Features {
    return { matrices: [this.#observed.descriptor.forward(positions)], pointers: [0], counts: [1] };
  }
}
