import type { Potential } from "../../potentials/potential.ts";
import { findNeighbours } from "../../structure/neighbours.ts";
import type { Structure } from "../../structure/structure.ts";

/** What a check works on. */
export interface Subject {
  readonly potential: Potential;
  /** A relaxed structure of the kind that the potential is for. */
  readonly structure: Structure;
  /** Its energy, eV. */
  readonly energy: number;
  readonly seed: number;
  /** Length of each run of dynamics, fs. */
  readonly time: number;
  /** fs. */
  readonly timestep: number;
  /** Largest extrapolation grade of a structure's atoms; absent where the model remembers no training data. */
  readonly grade?: (structure: Structure) => number;
}

/** One row of the battery. */
export interface Verdict {
  readonly check: string;
  /** Null: for information, passes anyway. */
  readonly passed: boolean | null;
  readonly value: string;
  readonly limit: string;
  /** What it means, where it failed or matters. */
  readonly remark: string;
}

/** A part of the battery: yields its rows as they are known. */
export interface Check {
  readonly name: string;
  readonly summary: string;
  run(subject: Subject): Iterable<Verdict>;
}

/** Energy and forces of one structure. */
export function evaluated(potential: Potential, structure: Structure) {
  const out = {
    energy: 0,
    forces: new Float64Array(structure.positions.length),
    virial: new Float64Array(9),
  };
  potential.evaluate(structure, findNeighbours(structure, Math.max(potential.cutoff, 0.1)), out);
  return out;
}

/** Three significant digits. */
export const show = (x: number): string =>
  Number.isFinite(x) ? String(Number(x.toPrecision(3))) : String(x);
