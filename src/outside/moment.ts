import { centreOfMass } from "../structure/centre-of-mass.ts";
import type { Structure } from "../structure/structure.ts";
import { BOHR } from "../structure/units.ts";

/** Whether this is a dipole moment: three numbers. */
export const isMoment = (x: unknown): x is readonly number[] =>
  Array.isArray(x) && x.length === 3 && x.every(Number.isFinite);

/** ADDS a dipole moment about the origin of the coordinates (e bohr), as programs give it, to one about the centre of mass (e Å). */
export function addMoment(
  moment: readonly number[],
  charge: number,
  structure: Structure,
  dipole: Float64Array,
): void {
  const centre = centreOfMass(structure);
  for (let a = 0; a < 3; a++) dipole[a] += moment[a] * BOHR - charge * centre[a];
}
