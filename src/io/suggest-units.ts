import { HARTREE, unit, unitsOf } from "../structure/units.ts";

/**
 * Total energy of a neutral atom with all its electrons, eV, to a few per cent: Thomas–Fermi with the corrections of
 * Scott and Schwinger, E = −0.768745 Z^(7/3) + Z²/2 − 0.269900 Z^(5/3) Hartree (DOI 10.1103/PhysRevA.22.1827).
 */
export function atomEnergy(z: number): number {
  return (-0.768745 * z ** (7 / 3) + z ** 2 / 2 - 0.2699 * z ** (5 / 3)) * HARTREE;
}

/**
 * The energy unit in which `energy` is near the sum of the atoms' all-electron energies, within 6 %; undefined when none
 * is (relative energies, pseudopotentials).
 */
export function suggestEnergyUnit(energy: number, numbers: Iterable<number>): string | undefined {
  let sum = 0;
  for (const z of numbers) sum += atomEnergy(z);
  return unitsOf("energy").find((name) => Math.abs((energy * unit("energy", name)) / sum - 1) < 0.06);
}
