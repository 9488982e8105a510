import { HARTREE } from "./units.ts";

/**
 * Total energy of a neutral atom with all its electrons, eV, within a few per cent: Thomas–Fermi with the corrections of
 * Scott and Schwinger, E = −0.768745 Z^(7/3) + ½ Z² − 0.2699 Z^(5/3) Hartree, and −½ Hartree for hydrogen;
 * B.-G. Englert, J. Schwinger, DOI 10.1103/PhysRevA.32.26.
 */
export function atomEnergy(Z: number): number {
  const c = Math.cbrt(Z);
  return HARTREE * (Z === 1 ? -0.5 : -0.768745 * Z * Z * c + 0.5 * Z * Z - 0.2699 * Z * c * c);
}
