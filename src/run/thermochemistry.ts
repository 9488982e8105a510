import { symmetricEigen } from "../math/symmetric-eigen.ts";
import { centreOfMass } from "../structure/centre-of-mass.ts";
import { masses as massesOf } from "../structure/elements.ts";
import type { Structure } from "../structure/structure.ts";
import { AMU_A2_FS2, HBAR, kB } from "../structure/units.ts";
import { rigidMotions } from "./rigid.ts";
import { quantum } from "./vibrations.ts";

/** Conditions of an ideal gas of molecules. */
export interface GasOptions {
  /** K. */
  readonly temperature: number;
  /** Pa; 101325 by default. */
  readonly pressure?: number;
  /** Number of rotations that leave the molecule as it is; 1 by default. */
  readonly symmetry?: number;
  /** 2S + 1 of the ground state; 1 by default. */
  readonly multiplicity?: number;
  /** amu. */
  readonly masses?: Float64Array;
}

/** Thermal functions, eV and eV/K, energies relative to the electronic energy of the minimum. */
export interface Thermochemistry {
  readonly zeroPointEnergy: number;
  /** U − E_electronic. */
  readonly internalEnergy: number;
  /** H − E_electronic (ideal gas: U + k_B T). */
  readonly enthalpy: number;
  readonly entropy: number;
  /** Constant volume. */
  readonly heatCapacity: number;
  /** Gibbs energy of a gas, Helmholtz energy of a solid. */
  readonly freeEnergy: number;
}

/** eV/Å³ in Pa. */
const PASCAL = 1.602176634e11;

/** Harmonic oscillators alone: atoms bound to a solid; wavenumbers in cm⁻¹, imaginary ones left out. */
export function harmonic(wavenumbers: Iterable<number>, T: number): Thermochemistry {
  let [zero, U, S, C] = [0, 0, 0, 0];
  for (const w of wavenumbers) {
    if (!(w > 0)) continue;
    const e = quantum(w);
    zero += e / 2;
    U += e / 2;
    if (!(T > 0)) continue;
    const x = e / (kB * T);
    const n = 1 / Math.expm1(x);
    U += e * n;
    S += kB * (x * n - Math.log1p(-Math.exp(-x)));
    C += kB * x * x * n * (n + 1);
  }
  return {
    zeroPointEnergy: zero,
    internalEnergy: U,
    enthalpy: U,
    entropy: S,
    heatCapacity: C,
    freeEnergy: U - T * S,
  };
}

/**
 * Ideal gas of rigid rotors and harmonic oscillators (D. A. McQuarrie, Statistical Mechanics, chapters 5, 6 and 8):
 * translation by Sackur and Tetrode, classical rotation with moments of inertia of the structure.
 */
export function idealGas(
  structure: Structure,
  wavenumbers: Iterable<number>,
  options: GasOptions,
): Thermochemistry {
  const { temperature: T, pressure = 101325, symmetry = 1, multiplicity = 1 } = options;
  const masses = options.masses ?? massesOf(structure.numbers);
  const vibration = harmonic(wavenumbers, T);
  const mass = masses.reduce((a, b) => a + b, 0) * AMU_A2_FS2;
  // (m k_B T / 2π ħ²)^(3/2) k_B T/p, all in eV, Å, fs.
  const density = ((mass * kB * T) / (2 * Math.PI * HBAR ** 2)) ** 1.5;
  const volume = (kB * T) / (pressure / PASCAL);
  const translation = kB * (Math.log(density * volume) + 2.5);
  const moments = momentsOfInertia(structure, masses).map((I) => I * AMU_A2_FS2);
  // An atom has none; a linear molecule two, equal ones.
  const rotations = rigidMotions(structure, masses).length - 3;
  const thetas = moments.subarray(0, rotations).map((I) => (2 * I * kB * T) / HBAR ** 2);
  const rotation =
    rotations === 0
      ? 0
      : rotations === 2
        ? kB * (Math.log(thetas[0] / symmetry) + 1)
        : kB * (0.5 * Math.log(Math.PI * thetas[0] * thetas[1] * thetas[2]) - Math.log(symmetry) + 1.5);
  const classical = ((3 + rotations) / 2) * kB;
  const internalEnergy = vibration.internalEnergy + classical * T;
  const enthalpy = internalEnergy + kB * T;
  const entropy = vibration.entropy + translation + rotation + kB * Math.log(multiplicity);
  return {
    zeroPointEnergy: vibration.zeroPointEnergy,
    internalEnergy,
    enthalpy,
    entropy,
    heatCapacity: vibration.heatCapacity + classical,
    freeEnergy: enthalpy - T * entropy,
  };
}

/** Principal moments of inertia, [3], descending, amu Å². */
function momentsOfInertia(structure: Structure, masses: Float64Array): Float64Array {
  const { positions } = structure;
  const centre = centreOfMass(structure, masses);
  const I = new Float64Array(9);
  masses.forEach((m, i) => {
    const r = [0, 1, 2].map((k) => positions[3 * i + k] - centre[k]);
    const square = r[0] ** 2 + r[1] ** 2 + r[2] ** 2;
    for (let a = 0; a < 3; a++)
      for (let b = 0; b < 3; b++) I[3 * a + b] += m * ((a === b ? square : 0) - r[a] * r[b]);
  });
  return symmetricEigen(I, 3).values;
}
