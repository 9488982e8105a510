import { invalid } from "../error.ts";
import { AMU_A2_FS2, AVOGADRO, COULOMB, LIGHT } from "../structure/units.ts";
import type { Vibrations } from "./vibrations.ts";

/** Integrated absorption of a mode with |∂μ/∂Q|² = 1 e²/amu, km/mol: N_A π e²/(4πε₀ 3 c²); 1 Å = 1e-13 km. */
export const KM_PER_MOL = (AVOGADRO * 1e-13 * Math.PI * COULOMB) / (3 * AMU_A2_FS2 * LIGHT ** 2);

/**
 * Infrared intensities of normal modes in the double harmonic approximation, A_k = N_A π/(3 c² 4πε₀) |∂μ/∂Q_k|², km/mol,
 * with ∂μ/∂Q_k = Σ_i ∂μ/∂x_i ∂x_i/∂Q_k; `slopes` are ∂μ/∂x_i, [3n, 3], e (E. B. Wilson, J. C. Decius, P. C. Cross,
 * Molecular Vibrations, 1955, §7-9).
 */
export function infraredIntensities({ modes }: Vibrations, slopes: Float64Array): Float64Array {
  return Float64Array.from(modes, (mode) => {
    const slope = [0, 0, 0];
    mode.forEach((x, i) => {
      for (let a = 0; a < 3; a++) slope[a] += slopes[3 * i + a] * x;
    });
    return KM_PER_MOL * slope.reduce((sum, s) => sum + s * s, 0);
  });
}

/** An absorption spectrum. */
export interface Spectrum {
  /** cm⁻¹. */
  readonly wavenumbers: Float64Array;
  /** Molar absorption, km/mol cm: its integral over a band is the intensity. */
  readonly absorption: Float64Array;
}

/** Options of `broadened`. */
export interface BroadeningOptions {
  /** Full width at half maximum, cm⁻¹; 20 by default. */
  readonly width?: number;
  /** cm⁻¹; from 0 to 4000, or beyond the highest mode, by default. */
  readonly range?: readonly [number, number];
  /** cm⁻¹ between points; a fifth of the width by default. */
  readonly spacing?: number;
}

/** Sticks as Lorentzian bands A/π γ/((ν − ν_k)² + γ²), whose areas are the intensities; imaginary modes are left out. */
export function broadened(
  wavenumbers: ArrayLike<number>,
  intensities: ArrayLike<number>,
  { width = 20, range, spacing = width / 5 }: BroadeningOptions = {},
): Spectrum {
  if (!(width > 0)) throw invalid("width", "a positive number in cm⁻¹", width);
  const highest = Array.from(wavenumbers).reduce((a, b) => Math.max(a, b), 0);
  const [low, high] = range ?? [0, Math.max(4000, highest + 20 * width)];
  const count = Math.floor((high - low) / spacing) + 1;
  const gamma = width / 2;
  const at = Float64Array.from({ length: count }, (_, k) => low + k * spacing);
  const absorption = at.map((nu) => {
    let sum = 0;
    for (let k = 0; k < wavenumbers.length; k++)
      if (wavenumbers[k] > 0)
        sum += ((intensities[k] / Math.PI) * gamma) / ((nu - wavenumbers[k]) ** 2 + gamma * gamma);
    return sum;
  });
  return { wavenumbers: at, absorption };
}
