import { HBAR, kB } from "../structure/units.ts";
import type { Thermochemistry } from "./thermochemistry.ts";
import { quantum } from "./vibrations.ts";

/** A minimum or a saddle point with its harmonic thermochemistry. */
export interface Stationary {
  /** Of the surface, eV. */
  readonly energy: number;
  readonly thermochemistry: Thermochemistry;
}

/** What a saddle point costs over a minimum, at a temperature. */
export interface Activation {
  /** Of the surface, eV. */
  readonly energy: number;
  /** With zero-point energies, eV. */
  readonly groundState: number;
  /** ΔH‡, eV. */
  readonly enthalpy: number;
  /** ΔS‡, eV/K. */
  readonly entropy: number;
  /** ΔG‡ of a gas, ΔF‡ of atoms bound to a solid, eV. */
  readonly freeEnergy: number;
  /** (k_B T/h) e^{−ΔG‡/k_B T}, 1/s, of a reaction of one molecule. */
  readonly rate: number;
}

/**
 * Transition state theory (H. Eyring, J. Chem. Phys. 3, 107 (1935), DOI 10.1063/1.1749604): the motion along the imaginary mode
 * is left out of the saddle point's thermochemistry, all others are harmonic.
 */
export function activation(saddle: Stationary, minimum: Stationary, T: number): Activation {
  const [a, b] = [saddle.thermochemistry, minimum.thermochemistry];
  const energy = saddle.energy - minimum.energy;
  const freeEnergy = energy + a.freeEnergy - b.freeEnergy;
  // k_B T/h, 1/s: ħ is in eV fs.
  const often = (1e15 * kB * T) / (2 * Math.PI * HBAR);
  return {
    energy,
    groundState: energy + a.zeroPointEnergy - b.zeroPointEnergy,
    enthalpy: energy + a.enthalpy - b.enthalpy,
    entropy: a.entropy - b.entropy,
    freeEnergy,
    rate: often * Math.exp(-freeEnergy / (kB * T)),
  };
}

/**
 * By how much tunnelling through the top of the barrier makes a reaction faster, to second order: 1 + (ħω‡/k_B T)²/24 for an
 * imaginary mode of ω‡ (cm⁻¹, either sign). E. Wigner, Z. Phys. Chem. B 19, 203 (1932), DOI 10.1515/zpch-1932-1920.
 */
export const wigner = (wavenumber: number, T: number): number =>
  1 + (quantum(Math.abs(wavenumber)) / (kB * T)) ** 2 / 24;
