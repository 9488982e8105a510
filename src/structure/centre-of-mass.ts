import { masses as massesOf } from "./elements.ts";
import type { Structure } from "./structure.ts";

/** Σ m r / Σ m, [3], Å; masses [n] in amu, standard atomic weights by default. */
export function centreOfMass(
  { numbers, positions }: Structure,
  masses: Float64Array = massesOf(numbers),
): Float64Array {
  const centre = new Float64Array(3);
  const total = masses.reduce((sum, m) => sum + m, 0);
  for (let i = 0; i < positions.length; i++)
    centre[i % 3] += (masses[Math.floor(i / 3)] * positions[i]) / total;
  return centre;
}
