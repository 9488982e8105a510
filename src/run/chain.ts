import { expOf } from "../formula/scalar.ts";
import { kB } from "../structure/units.ts";

/** Thermostats of a chain. */
const LENGTH = 3;
/** Numbers of a chain in the bath: η and dη/dt of every thermostat. */
export const CHAIN = 2 * LENGTH;

/** Weights of a fourth-order splitting (M. Suzuki, H. Yoshida). */
const W = 1 / (2 - Math.cbrt(2));
const WEIGHTS = [W, 1 - 2 * W, W];

/**
 * A Nosé–Hoover chain on `freedom` degrees of freedom with time constant τ (fs): masses Q₁ = f k_B T τ², Q_k = k_B T τ²
 * (G. J. Martyna, M. L. Klein, M. Tuckerman, J. Chem. Phys. 97, 2635 (1992), DOI 10.1063/1.463940; integrator of G. J.
 * Martyna et al., Mol. Phys. 87, 1117 (1996), DOI 10.1080/00268979600100761).
 */
export class Chain {
  readonly #freedom: number;
  readonly #tau: number;

  constructor(freedom: number, tau: number) {
    this.#freedom = freedom;
    this.#tau = tau;
  }

  /**
   * Half a step of the chain: advances its numbers `bath` [CHAIN] by dt, fs, and returns the factor of the velocities
   * that it holds; `kinetic` is their energy, eV.
   */
  advance(bath: Float64Array, kinetic: number, T: number, dt: number): number {
    const { eta, v } = parts(bath);
    const Q = this.#masses(T);
    const kT = kB * T;
    let factor = 1;
    let twice = 2 * kinetic;
    const force = (k: number) =>
      k === 0 ? (twice - this.#freedom * kT) / Q[0] : (Q[k - 1] * v[k - 1] ** 2 - kT) / Q[k];
    for (const w of WEIGHTS) {
      const h = w * dt;
      v[LENGTH - 1] += (h / 2) * force(LENGTH - 1);
      for (let k = LENGTH - 2; k >= 0; k--) {
        const damp = expOf((-h / 4) * v[k + 1]);
        v[k] = v[k] * damp * damp + (h / 2) * force(k) * damp;
      }
      const scale = expOf(-h * v[0]);
      factor *= scale;
      twice *= scale * scale;
      for (let k = 0; k < LENGTH; k++) eta[k] += h * v[k];
      for (let k = 0; k < LENGTH - 1; k++) {
        const damp = expOf((-h / 4) * v[k + 1]);
        v[k] = v[k] * damp * damp + (h / 2) * force(k) * damp;
      }
      v[LENGTH - 1] += (h / 2) * force(LENGTH - 1);
    }
    return factor;
  }

  /** Its part of the conserved energy, eV. */
  energy(bath: Float64Array, T: number): number {
    const { eta, v } = parts(bath);
    const Q = this.#masses(T);
    let sum = this.#freedom * kB * T * eta[0];
    for (let k = 0; k < LENGTH; k++) sum += (Q[k] * v[k] ** 2) / 2 + (k > 0 ? kB * T * eta[k] : 0);
    return sum;
  }

  #masses(T: number): number[] {
    const one = kB * T * this.#tau ** 2;
    return Array.from({ length: LENGTH }, (_, k) => (k === 0 ? this.#freedom * one : one));
  }
}

const parts = (bath: Float64Array) => ({ eta: bath.subarray(0, LENGTH), v: bath.subarray(LENGTH, CHAIN) });
