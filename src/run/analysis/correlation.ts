import { invalid } from "../../error.ts";
import { AMU_A2_FS2, kB, LIGHT_CM } from "../../structure/units.ts";
import { regress } from "../observe.ts";

/** A trajectory at even intervals: what correlations in time are made of. */
export interface Series {
  /** fs between frames. */
  readonly interval: number;
  /** [frames][n, 3]. */
  readonly frames: readonly Float64Array[];
}

/** Starts of time that are averaged over, at most. */
const ORIGINS = 400;

/** Mean over origins and atoms of f(frame at t₀, frame at t₀ + lag); [lags], the longest half of the trajectory. */
export function correlate(
  { frames }: Series,
  f: (a: Float64Array, b: Float64Array, i: number) => number,
  atoms: readonly number[],
): Float64Array {
  const lags = Math.floor(frames.length / 2) + 1;
  const every = Math.max(1, Math.floor((frames.length - lags) / ORIGINS));
  const out = new Float64Array(lags);
  let origins = 0;
  for (let t = 0; t + lags <= frames.length; t += every) {
    origins++;
    for (let lag = 0; lag < lags; lag++)
      for (const i of atoms) out[lag] += f(frames[t], frames[t + lag], 3 * i);
  }
  return out.map((x) => x / (origins * atoms.length));
}

/** An InputError where a trajectory has no interval or fewer frames than are needed. */
export function checked(series: Series, least: number): void {
  if (!(series.interval > 0)) throw invalid("interval", "a positive time in fs", series.interval);
  if (series.frames.length < least)
    throw invalid("trajectory", `${least} frames or more`, series.frames.length);
}

/** Mean squared displacement and what follows from it. */
export interface Displacement {
  /** fs, [lags]. */
  readonly times: Float64Array;
  /** Å², [lags]. */
  readonly msd: Float64Array;
  /** Self-diffusion coefficient and its error from parts of the trajectory, Å²/fs; 1 Å²/fs = 0.1 cm²/s. */
  readonly diffusion: number;
  readonly error: number;
}

/** Parts of a trajectory whose diffusion coefficients are compared for the error. */
const PARTS = 4;

/** ⟨|r(t₀ + t) − r(t₀)|²⟩ of the atoms, and D from its slope 6 D between a tenth and a half of the longest time; positions must not be wrapped into the cell. */
export function displacement(series: Series, atoms: readonly number[]): Displacement {
  checked(series, 4 * PARTS);
  const msd = squares(series, atoms);
  const size = Math.floor(series.frames.length / PARTS);
  const parts = Array.from({ length: PARTS }, (_, k) =>
    slopeOf(
      squares({ ...series, frames: series.frames.slice(k * size, (k + 1) * size) }, atoms),
      series.interval,
    ),
  );
  const mean = parts.reduce((a, b) => a + b, 0) / PARTS;
  const variance = parts.reduce((sum, d) => sum + (d - mean) ** 2, 0) / (PARTS - 1);
  return {
    times: msd.map((_, k) => k * series.interval),
    msd,
    diffusion: slopeOf(msd, series.interval),
    error: Math.sqrt(variance / PARTS),
  };
}

const squares = (series: Series, atoms: readonly number[]): Float64Array =>
  correlate(
    series,
    (a, b, i) => (b[i] - a[i]) ** 2 + (b[i + 1] - a[i + 1]) ** 2 + (b[i + 2] - a[i + 2]) ** 2,
    atoms,
  );

/** D of a mean squared displacement. */
function slopeOf(msd: Float64Array, interval: number): number {
  const [first, last] = [Math.max(1, Math.floor(0.2 * msd.length)), msd.length];
  const times = Float64Array.from({ length: last - first }, (_, k) => (first + k) * interval);
  return regress(times, msd.subarray(first, last)).slope / 6;
}

/** Wavenumbers from 0 to the highest wanted, or that of half a turn per interval, beyond which nothing can be told, cm⁻¹. */
export function wavenumbersOf({ interval }: Series, highest: number, points: number): Float64Array {
  const limit = Math.min(highest, 1 / (2 * interval * LIGHT_CM));
  return Float64Array.from({ length: points }, (_, k) => (k * limit) / (points - 1));
}

/**
 * S(ν) = 4c ∫₀^∞ C(t) cos(2πcνt) dt of a correlation C [lags] with a Hann window: ∫ S dν over the positive wavenumbers is
 * C(0). Wavenumbers in cm⁻¹, S in the unit of C times cm.
 */
export function spectralDensity(
  { interval }: Series,
  correlation: Float64Array,
  wavenumbers: Float64Array,
): Float64Array {
  return wavenumbers.map((w) => {
    const omega = 2 * Math.PI * LIGHT_CM * w * interval;
    let sum = 0.5 * correlation[0];
    for (let k = 1; k < correlation.length; k++) {
      const hann = 0.5 * (1 + Math.cos((Math.PI * k) / correlation.length));
      sum += hann * correlation[k] * Math.cos(omega * k);
    }
    return 4 * LIGHT_CM * interval * sum;
  });
}

/** Velocity autocorrelation and its spectrum. */
export interface VelocitySpectrum {
  /** fs, [lags]. */
  readonly times: Float64Array;
  /** ⟨v(t₀)·v(t₀ + t)⟩/⟨v²⟩, mass-weighted, [lags]. */
  readonly correlation: Float64Array;
  /** cm⁻¹. */
  readonly wavenumbers: Float64Array;
  /** Vibrational density of states, area 1 over the positive wavenumbers. */
  readonly density: Float64Array;
  /** ⟨m v²⟩/(3 k_B), K. */
  readonly temperature: number;
}

/**
 * Mass-weighted velocity autocorrelation and its cosine transform with a Hann window: peaks where the atoms vibrate.
 * Velocities in Å/fs, masses [n] in amu.
 */
export function velocitySpectrum(
  series: Series,
  masses: Float64Array,
  atoms: readonly number[],
  { highest = 4500, points = 900 }: { readonly highest?: number; readonly points?: number } = {},
): VelocitySpectrum {
  checked(series, 8);
  const raw = correlate(
    series,
    (a, b, i) => masses[i / 3] * (a[i] * b[i] + a[i + 1] * b[i + 1] + a[i + 2] * b[i + 2]),
    atoms,
  );
  const correlation = raw.map((c) => c / raw[0]);
  const wavenumbers = wavenumbersOf(series, highest, points);
  const density = spectralDensity(series, correlation, wavenumbers);
  const area = density.reduce((a, b) => a + b, 0) * (wavenumbers[1] - wavenumbers[0]);
  return {
    times: correlation.map((_, k) => k * series.interval),
    correlation,
    wavenumbers,
    density: density.map((d) => d / area),
    temperature: (raw[0] * AMU_A2_FS2) / (3 * kB),
  };
}
