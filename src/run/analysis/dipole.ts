import { invalid } from "../../error.ts";
import { AMU_A2_FS2, COULOMB, kB, LIGHT_CM } from "../../structure/units.ts";
import { KM_PER_MOL } from "../infrared.ts";
import type { Spectrum } from "../infrared.ts";
import { blockAverage } from "./blocks.ts";
import type { Mean } from "./blocks.ts";
import { checked, correlate, spectralDensity, wavenumbersOf } from "./correlation.ts";

/** Dipole moments at even intervals. */
export interface DipoleSeries {
  /** fs between frames. */
  readonly interval: number;
  /** [frames][3], e Å. */
  readonly dipoles: readonly Float64Array[];
}

/** An infrared spectrum of moving molecules. */
export interface DipoleSpectrum extends Spectrum {
  /** fs, [lags]. */
  readonly times: Float64Array;
  /** ⟨δμ(t₀)·δμ(t₀ + t)⟩, e² Å², [lags]; δμ = μ − ⟨μ⟩. */
  readonly correlation: Float64Array;
}

/**
 * Infrared absorption from the autocorrelation of the dipole, A(ν) = N_A/(3 c² 4ε₀ k_B T) S_μ̇(ν), S_μ̇ = (2πcν)² S_μ, on
 * the scale of `infraredIntensities`: ∫ A dν of harmonic modes is the sum of their intensities, km/mol. Classical nuclei
 * with the harmonic quantum correction (R. Ramírez et al., J. Chem. Phys. 121, 3973 (2004), DOI 10.1063/1.1774986);
 * rotation absorbs too. T in K.
 */
export function dipoleSpectrum(
  { interval, dipoles }: DipoleSeries,
  T: number,
  { highest = 4500, points = 900 }: { readonly highest?: number; readonly points?: number } = {},
): DipoleSpectrum {
  if (!(T > 0)) throw invalid("temperature", "a positive number in K", T);
  const mean = meanOf(dipoles);
  const series = { interval, frames: dipoles.map((mu) => mu.map((x, k) => x - mean[k])) };
  checked(series, 8);
  const correlation = correlate(series, (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2], [0]);
  const wavenumbers = wavenumbersOf(series, highest, points);
  const S = spectralDensity(series, correlation, wavenumbers);
  const factor = (KM_PER_MOL * AMU_A2_FS2) / (kB * T);
  return {
    times: correlation.map((_, k) => k * interval),
    correlation,
    wavenumbers,
    // Leakage of the window may be a little below zero.
    absorption: S.map((s, k) => factor * (2 * Math.PI * LIGHT_CM * wavenumbers[k]) ** 2 * Math.max(0, s)),
  };
}

/** Σ over frames / frames, [3]. */
function meanOf(dipoles: readonly Float64Array[]): Float64Array {
  const mean = new Float64Array(3);
  for (const mu of dipoles) mu.forEach((x, k) => (mean[k] += x / dipoles.length));
  return mean;
}

/** A dielectric constant, and the dipole that it comes from. */
export interface Dielectric {
  /** ε of the moving nuclei: 1 + 4π (⟨M²⟩ − ⟨M⟩²)/(3 V k_B T 4πε₀). */
  readonly constant: Mean;
  /** ⟨M⟩, e Å: small against √⟨M²⟩ once the run is long enough. */
  readonly mean: Float64Array;
  /** √⟨M²⟩, e Å. */
  readonly size: number;
}

/**
 * Static dielectric constant from the fluctuations of the dipole M of a periodic box in a conductor ("tin foil"), as
 * Ewald sums have it (M. Neumann, Mol. Phys. 50, 841 (1983), DOI 10.1080/00268978300102721); errors by blocks. What electrons
 * that follow the field add (n² − 1 of fixed nuclei) is not in it. V in Å³, T in K.
 */
export function dielectricConstant(dipoles: readonly Float64Array[], volume: number, T: number): Dielectric {
  if (!(volume > 0)) throw invalid("volume", "a positive number in Å³: the box must be periodic", volume);
  if (!(T > 0)) throw invalid("temperature", "a positive number in K", T);
  if (dipoles.length < LEAST) throw invalid("dipoles", `${LEAST} frames or more`, dipoles.length);
  const mean = meanOf(dipoles);
  const squares = Float64Array.from(dipoles, (M) => M.reduce((sum, x, k) => sum + (x - mean[k]) ** 2, 0));
  const factor = (4 * Math.PI * COULOMB) / (3 * volume * kB * T);
  const { mean: square, error, correlation } = blockAverage(squares);
  return {
    constant: { mean: 1 + factor * square, error: factor * error, correlation },
    mean,
    size: Math.sqrt(square + mean.reduce((sum, x) => sum + x * x, 0)),
  };
}

/** Fewest frames that a fluctuation is told from. */
const LEAST = 64;
