import { AMU_A2_FS2, EV_A3_IN_GPA, kB } from "../structure/units.ts";

/** Kinetic energy Σ ½ m v², eV; masses [n] in amu, velocities [n, 3] in Å/fs. */
export function kineticEnergy(masses: Float64Array, velocities: Float64Array): number {
  let twice = 0;
  for (let i = 0; i < masses.length; i++) {
    const [x, y, z] = [velocities[3 * i], velocities[3 * i + 1], velocities[3 * i + 2]];
    twice += masses[i] * (x * x + y * y + z * z);
  }
  return 0.5 * twice * AMU_A2_FS2;
}

/** 2 E_kin / (f k_B), K, for f degrees of freedom. */
export const temperature = (kinetic: number, freedom: number): number =>
  freedom > 0 ? (2 * kinetic) / (freedom * kB) : 0;

/** (2 E_kin + tr W) / 3V, GPa, with the virial W = −dE/dε [3, 3] in eV and the volume in Å³. */
export const pressure = (kinetic: number, virial: Float64Array, volume: number): number =>
  ((2 * kinetic + virial[0] + virial[4] + virial[8]) / (3 * volume)) * EV_A3_IN_GPA;

/** A straight line through points: slope and its standard error. */
export interface Line {
  readonly slope: number;
  readonly error: number;
  readonly intercept: number;
}

/** Least squares y = intercept + slope·x. */
export function regress(x: ArrayLike<number>, y: ArrayLike<number>): Line {
  const n = x.length;
  let [mx, my, sxx, sxy, rest] = [0, 0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    mx += x[i] / n;
    my += y[i] / n;
  }
  for (let i = 0; i < n; i++) {
    sxx += (x[i] - mx) ** 2;
    sxy += (x[i] - mx) * (y[i] - my);
  }
  const slope = sxx > 0 ? sxy / sxx : 0;
  for (let i = 0; i < n; i++) rest += (y[i] - my - slope * (x[i] - mx)) ** 2;
  const error = n > 2 && sxx > 0 ? Math.sqrt(rest / (n - 2) / sxx) : 0;
  return { slope, error, intercept: my - slope * mx };
}

/** Drift of the invariant, meV/atom/ps, by linear regression; times in fs, invariants in eV. */
export function drift(times: ArrayLike<number>, invariants: ArrayLike<number>, atoms: number): Line {
  const { slope, error, intercept } = regress(times, invariants);
  const scale = 1e6 / atoms;
  return { slope: slope * scale, error: error * scale, intercept };
}
