import type { Range } from "../descriptors/environments.ts";
import type { Neighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";
import type { Deviations, Evaluation, Gradable, Potential, Uncertain } from "./potential.ts";

/** A potential and the factor by which it counts. */
export interface Weighted {
  readonly potential: Potential;
  readonly weight?: number;
}

const isUncertain = (potential: Potential): potential is Uncertain => "deviation" in potential;
const isGradable = (potential: Potential): potential is Gradable => "gradeBy" in potential;

const hasCurvature = ({ curvature }: { readonly curvature?: unknown }): boolean => curvature !== undefined;

/** E = Σ_t w_t E_t, evaluated in the order given; weights are 1 unless stated. */
export class Sum implements Gradable, Uncertain {
  readonly cutoff: number;
  readonly elements: readonly number[] | null;
  readonly parts: readonly Required<Weighted>[];
  readonly external: boolean;
  /** Where every part has it. */
  readonly curvature?: Potential["curvature"];
  #forces = new Float64Array(0);
  #energies = new Float64Array(0);

  constructor(parts: readonly (Potential | Weighted)[]) {
    this.parts = parts.map((p) => ("potential" in p ? { weight: 1, ...p } : { potential: p, weight: 1 }));
    this.external = this.parts.some(({ potential }) => potential.external);
    this.cutoff = Math.max(0, ...this.parts.map(({ potential }) => potential.cutoff));
    this.elements = common(this.parts.map(({ potential }) => potential.elements));
    if (this.parts.every(({ potential }) => hasCurvature(potential))) this.curvature = this.#curve;
  }

  readonly #curve = (structure: Structure, neighbours: Neighbours, H: Float64Array): void => {
    for (const { potential, weight } of this.parts) {
      const own = weight === 1 ? H : new Float64Array(H.length);
      potential.curvature!(structure, neighbours, own);
      if (own !== H) for (let k = 0; k < H.length; k++) H[k] += weight * own[k];
    }
  };

  /** True where any part knows a dipole; asked anew, because an outside program may tell only with its first answer. */
  get dipole(): boolean | "perhaps" {
    const known = this.parts.map(({ potential }) => potential.dipole);
    return known.includes(true) || (known.includes("perhaps") && "perhaps");
  }

  /** True where any part remembers its training data; the largest grade of an atom counts. */
  gradeBy(grade: string): boolean {
    const known = this.parts.map(({ potential }) => isGradable(potential) && potential.gradeBy(grade));
    return known.some(Boolean);
  }

  /** Of the parts that know theirs, taken as independent. */
  deviation(structure: Structure): number | null {
    const known = this.parts.flatMap(({ potential, weight }) => {
      const sigma = isUncertain(potential) ? potential.deviation(structure) : null;
      return sigma === null ? [] : [weight * sigma];
    });
    return known.length > 0 ? Math.sqrt(known.reduce((sum, s) => sum + s * s, 0)) : null;
  }

  /** Likewise; null where no part knows those of its forces. */
  deviations(structure: Structure): Deviations | null {
    const known = this.parts.flatMap(({ potential, weight }) => {
      const sigma = isUncertain(potential) ? potential.deviations?.(structure) : undefined;
      return sigma ? [{ sigma, weight }] : [];
    });
    if (known.length === 0) return null;
    const root = (of: (sigma: Deviations) => number) =>
      Math.sqrt(known.reduce((sum, { sigma, weight }) => sum + (weight * of(sigma)) ** 2, 0));
    return {
      energy: root((s) => s.energy),
      forces: structure.positions.map((_, k) => root((s) => s.forces[k])),
    };
  }

  evaluate(structure: Structure, neighbours: Neighbours, out: Evaluation, range?: Range): void {
    for (const { potential, weight } of this.parts)
      if (weight === 1) potential.evaluate(structure, neighbours, out, range);
      else this.#weigh(potential, weight, structure, neighbours, out, range);
  }

  #weigh(
    potential: Potential,
    weight: number,
    structure: Structure,
    neighbours: Neighbours,
    out: Evaluation,
    range?: Range,
  ): void {
    const own = this.#reserve(structure.numbers.length, out);
    potential.evaluate(structure, neighbours, own, range);
    out.energy += weight * own.energy;
    for (let k = 0; k < 9; k++) out.virial[k] += weight * own.virial[k];
    for (let k = 0; k < own.forces.length; k++) out.forces[k] += weight * own.forces[k];
    own.dipole?.forEach((x, k) => (out.dipole![k] += weight * x));
    if (own.energies && out.energies)
      for (let i = 0; i < own.energies.length; i++) out.energies[i] += weight * own.energies[i];
  }

  #reserve(n: number, { energies, grades, dipole }: Evaluation): Evaluation {
    if (this.#energies.length < n)
      [this.#energies, this.#forces] = [new Float64Array(n), new Float64Array(3 * n)];
    return {
      energy: 0,
      forces: this.#forces.subarray(0, 3 * n).fill(0),
      virial: new Float64Array(9),
      ...(energies ? { energies: this.#energies.subarray(0, n).fill(0) } : {}),
      // A grade is of the surroundings, whatever the term counts.
      ...(grades ? { grades } : {}),
      ...(dipole ? { dipole: new Float64Array(3) } : {}),
    };
  }
}

/** Elements that every part knows; null when no part minds. */
function common(lists: readonly (readonly number[] | null)[]): readonly number[] | null {
  const finite = lists.filter((l) => l !== null);
  if (finite.length === 0) return null;
  return finite.reduce((a, b) => a.filter((z) => b.includes(z)));
}

/** The sum of potentials, each with weight 1 unless given as { potential, weight }. */
export const sum = (...parts: readonly (Potential | Weighted)[]): Sum => new Sum(parts);
