import { invalid } from "../../error.ts";
import { EV_A3_IN_GPA, kB } from "../../structure/units.ts";
import { blockAverage, blockVariance } from "./blocks.ts";
import type { Mean } from "./blocks.ts";

/** What was recorded of a run at constant temperature, and at constant pressure where it has volumes. */
export interface Recorded {
  /** Potential energies, eV. */
  readonly energies: ArrayLike<number>;
  /** K. */
  readonly temperature: number;
  /** Velocities that carry temperature. */
  readonly freedom: number;
  /** Of a run at constant pressure: volumes (Å³) and the pressure that was asked for (GPa). */
  readonly volumes?: ArrayLike<number>;
  readonly pressure?: number;
}

/** Second derivatives of the free energy from fluctuations, with errors by blocks. */
export interface Fluctuations {
  /** C_V, or C_p at constant pressure, of the whole, eV/K. */
  readonly heatCapacity: Mean;
  /** Isothermal compressibility, 1/GPa. */
  readonly compressibility?: Mean;
  /** (∂V/∂T)_p/V, 1/K. */
  readonly expansion?: Mean;
}

/**
 * C_V = f k_B/2 + (⟨U²⟩ − ⟨U⟩²)/(k_B T²), the kinetic energy's part being known; at constant pressure with U + pV for U,
 * and then κ_T = (⟨V²⟩ − ⟨V⟩²)/(k_B T ⟨V⟩) and α = (⟨V(U + pV)⟩ − ⟨V⟩⟨U + pV⟩)/(k_B T² ⟨V⟩). M. P. Allen, D. J.
 * Tildesley, Computer Simulation of Liquids, 2017, §2.5.
 */
export function fluctuations(recorded: Recorded): Fluctuations {
  const { energies, temperature: T, freedom, volumes, pressure = 0 } = recorded;
  if (!(T > 0)) throw invalid("temperature", "a positive number in K", T);
  if (energies.length < LEAST) throw invalid("energies", `${LEAST} or more, for a variance`, energies.length);
  const p = pressure / EV_A3_IN_GPA;
  const enthalpies = Float64Array.from(energies, (U, k) => U + (volumes ? p * volumes[k] : 0));
  const kT = kB * T;
  const heatCapacity = scaled(blockVariance(enthalpies), 1 / (kT * T), (freedom * kB) / 2);
  if (!volumes) return { heatCapacity };
  const V = blockAverage(volumes).mean;
  return {
    heatCapacity,
    compressibility: scaled(blockVariance(volumes), 1 / (kT * V * EV_A3_IN_GPA)),
    expansion: scaled(blockCovariance(volumes, enthalpies), 1 / (kT * T * V)),
  };
}

/** Fewest records that a variance is told from. */
const LEAST = 64;

/** ⟨xy⟩ − ⟨x⟩⟨y⟩ with its error. */
function blockCovariance(x: ArrayLike<number>, y: ArrayLike<number>): Mean {
  const [mx, my] = [blockAverage(x).mean, blockAverage(y).mean];
  return blockAverage(Float64Array.from(x, (value, k) => (value - mx) * (y[k] - my)));
}

const scaled = ({ mean, error, correlation }: Mean, factor: number, shift = 0): Mean => ({
  mean: factor * mean + shift,
  error: Math.abs(factor) * error,
  correlation,
});
