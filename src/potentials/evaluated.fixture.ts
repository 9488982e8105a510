import { findNeighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";
import type { Potential } from "./potential.ts";

/** For tests: what a potential says of one structure. */
export function evaluated(potential: Potential, structure: Structure) {
  const n = structure.numbers.length;
  const out = {
    energy: 0,
    energies: new Float64Array(n),
    forces: new Float64Array(3 * n),
    virial: new Float64Array(9),
  };
  potential.evaluate(structure, findNeighbours(structure, potential.cutoff), out);
  return out;
}
