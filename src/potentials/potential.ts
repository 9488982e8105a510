import type { ZodType } from "zod";
import type { Range } from "../descriptors/environments.ts";
import type { Device } from "../device/device.ts";
import type { Neighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";

/** What a potential adds to. */
export interface Evaluation {
  /** eV. */
  energy: number;
  /** Atomic energies, [n], eV, where asked for. */
  readonly energies?: Float64Array;
  /** Extrapolation grades of the atoms, [n], where asked for: raised, never lowered, by terms that know their training data. */
  readonly grades?: Float64Array;
  /** [n, 3], eV/Å. */
  readonly forces: Float64Array;
  /** Virial −V σ = −dE/dε, [3, 3], eV. */
  readonly virial: Float64Array;
  /**
   * Dipole moment, [3], e Å, where asked for: terms that know one add theirs. About the centre of mass (standard atomic
   * weights), which matters only where there is a net charge.
   */
  readonly dipole?: Float64Array;
}

/** Structure → energy, forces, virial. ADDS to out, so potentials sum. */
export interface Potential {
  /** Å; 0 when it needs no neighbours. */
  readonly cutoff: number;
  /** Atomic numbers it knows; null for all. */
  readonly elements: readonly number[] | null;
  /** How many derivatives of the energy are continuous where an atom crosses a cutoff; Infinity where it has none. */
  readonly smoothness?: number;
  /** The energy depends on where the atoms are, not only on where they are to each other: the whole is not free to move. */
  readonly external?: boolean;
  /**
   * It fills `Evaluation.dipole` where that is asked for; what it would cost otherwise is not paid. "perhaps": an outside
   * program will tell with its first answer, after which it is true or false.
   */
  readonly dipole?: boolean | "perhaps";
  /**
   * ADDS the force constants ∂²E/∂x∂x to H [3n, 3n], eV/Å², where the second derivatives of its formulas are to be had; all
   * images of an atom move with it. neighbours.cutoff ≥ cutoff.
   */
  curvature?(structure: Structure, neighbours: Neighbours, H: Float64Array): void;
  /** Only the energies of the atoms in `range` and their derivatives, when given; neighbours.cutoff ≥ cutoff. */
  evaluate(structure: Structure, neighbours: Neighbours, out: Evaluation, range?: Range): void;
}

/** A potential that can fill `Evaluation.grades` once it is told by which grade. */
export interface Gradable extends Potential {
  /** A name of the table of graders; false where it does not remember its training data. */
  gradeBy(grade: string): boolean;
}

/** A potential that knows how certain its parameters are. */
export interface Uncertain extends Potential {
  /** Standard deviation of the energy, eV; null where the covariance of the parameters is not known. */
  deviation(structure: Structure): number | null;
  /** Those of the energy and of the forces, where the potential knows both. */
  deviations?(structure: Structure): Deviations | null;
}

/** Standard deviations of what is predicted. */
export interface Deviations {
  /** eV. */
  readonly energy: number;
  /** [n, 3], eV/Å. */
  readonly forces: Float64Array;
}

/** Labels of several structures one after another. */
export interface Labels {
  /** [structures], eV. */
  readonly energies: Float64Array;
  /** [atoms, 3], eV/Å. */
  readonly forces: Float64Array;
  /** [structures, 9], eV: −dE/dε. */
  readonly virials: Float64Array;
}

/** Structures made ready for repeated evaluation while only the parameters change. */
export interface Batch {
  readonly structures: number;
  readonly atoms: number;
  /** Bytes it holds. */
  readonly bytes: number;
}

/** Derivatives by the parameters of a potential that is linear in them: what fits in closed form are made of. */
export interface Design {
  /**
   * Overwrites 1 + 3n + 6 rows of P numbers each with ∂/∂θ of the energy (eV), the forces (eV/Å; x, y, z of atom after
   * atom) and the virial (eV; xx, yy, zz, yz, xz, xy); `stride` numbers lie from row to row.
   */
  fill(structure: Structure, rows: Float64Array, stride: number): void;
  /** Overwrites row [P] with ∂E/∂θ. */
  energy(structure: Structure, row: Float64Array): void;
}

/** A potential with parameters to fit. `fit` knows only this. */
export interface Trainable extends Potential {
  /** Null where the energy is not linear in the parameters. */
  readonly design?: Design | null;
  /** Upper triangular R [P, P]: a fit in closed form adds |R θ|² to its squares; null where it adds nothing. */
  readonly prior?: (() => Float64Array) | null;
  /** [P], shared by all threads. */
  readonly parameters: Float64Array;
  readonly decays: Uint8Array;
  /** Where each element's own parameters start, ascending, P last; absent where elements share them. */
  readonly starts?: readonly number[];
  /** Fixed and trainable numbers by name, views of the live ones: what the model file holds. */
  readonly tensors: Readonly<Record<string, Float64Array>>;
  batch(structures: readonly Structure[], options?: { cacheFeatures?: boolean }): Batch;
  /** Overwrites out. `forces: false` leaves forces and virials untouched and is cheaper. */
  forward(batch: Batch, out: Labels, options?: { forces?: boolean }): void;
  /** After `forward` on the same batch and parameters: ADDS Σ seeds·∂(energies, forces, virials)/∂θ to gradient [P]. */
  parameterGradient(
    batch: Batch,
    seeds: Labels,
    gradient: Float64Array,
    options?: { forces?: boolean },
  ): void;
}

/** What the table of potentials holds: "isolated-atoms", "zbl", "composed", … */
export interface PotentialMethod<Options = unknown> {
  readonly name: string;
  readonly summary: string;
  readonly options: ZodType<Options>;
  build(
    options: Options,
    elements: readonly number[],
    tensors: Readonly<Record<string, Float64Array>>,
    device: Device,
  ): Potential;
}

/** One term of a model: plain data, stored in the model file. */
export interface Term {
  readonly type: string;
  readonly options: unknown;
  readonly tensors: Readonly<Record<string, Float64Array>>;
}

/** A fitted model as plain data: what the model file holds, what a thread is sent. */
export interface Model {
  readonly elements: readonly number[];
  readonly terms: readonly Term[];
  /** Data hash, command, seed, version, metrics: whatever made it; JSON. */
  readonly provenance: Readonly<Record<string, unknown>>;
}
