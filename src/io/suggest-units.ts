import { atomEnergy } from "../structure/atom-energy.ts";
import { unit, unitsOf } from "../structure/units.ts";

/**
 * The energy unit in which `energy` is near the sum of the atoms' all-electron energies, within 6 %; undefined when none
 * is (relative energies, pseudopotentials).
 */
export function suggestEnergyUnit(energy: number, numbers: Iterable<number>): string | undefined {
  let sum = 0;
  for (const z of numbers) sum += atomEnergy(z);
  return unitsOf("energy").find((name) => Math.abs((energy * unit("energy", name)) / sum - 1) < 0.06);
}
