import type { NearestImage } from "../../structure/nearest-image.ts";
import { TOLERANCE, turned } from "./constraint.ts";
import type { Constraint } from "./constraint.ts";

/** A bond of fixed length; atoms from 0 on, length in Å, that of the structure unless given. */
export interface Bond {
  readonly atoms: readonly [number, number];
  readonly length?: number;
}

/** σ = (r² − d²)/2. */
export class FixedBond implements Constraint {
  readonly atoms: readonly [number, number];
  /** d, Å. */
  readonly length: number;
  /** Between the atoms: that of the nearest image at the start. */
  readonly #image = new Float64Array(3);
  /** Reciprocal masses. */
  readonly #w: readonly [number, number];
  readonly #old = new Float64Array(3);
  readonly #now = new Float64Array(3);

  constructor({ atoms, length }: Bond, positions: Float64Array, masses: Float64Array, nearest: NearestImage) {
    this.atoms = atoms;
    this.#w = [1 / masses[atoms[0]], 1 / masses[atoms[1]]];
    this.face(positions);
    const d = this.#now.slice();
    nearest(d, 0);
    for (let k = 0; k < 3; k++) this.#image[k] = d[k] - this.#now[k];
    this.length = length ?? Math.sqrt(dot(d, d));
  }

  /** r_j − r_i */
  #vector(positions: Float64Array, out: Float64Array): void {
    const [i, j] = this.atoms;
    for (let k = 0; k < 3; k++) out[k] = positions[3 * j + k] - positions[3 * i + k] + this.#image[k];
  }

  remember(positions: Float64Array): void {
    this.#vector(positions, this.#old);
  }

  face(positions: Float64Array): void {
    this.#vector(positions, this.#now);
  }

  shake(positions: Float64Array, velocities: Float64Array, dt: number): boolean {
    const [d, old, square] = [this.#now, this.#old, this.length ** 2];
    this.#vector(positions, d);
    const excess = square - dot(d, d);
    if (Math.abs(excess) <= TOLERANCE * square) return true;
    const along = dot(d, old);
    const [i, j] = this.atoms;
    if (!(along > 0.01 * square)) throw turned(`the bond of atoms ${i + 1} and ${j + 1}`);
    const [wi, wj] = this.#w;
    const g = excess / (2 * along * (wi + wj));
    for (let k = 0; k < 3; k++) {
      positions[3 * i + k] -= g * wi * old[k];
      positions[3 * j + k] += g * wj * old[k];
      if (dt > 0) velocities[3 * i + k] -= (g * wi * old[k]) / dt;
      if (dt > 0) velocities[3 * j + k] += (g * wj * old[k]) / dt;
    }
    return false;
  }

  project(v: Float64Array, target: number, size: number): number {
    const [r, [i, j], [wi, wj]] = [this.#now, this.atoms, this.#w];
    const rate =
      r[0] * (v[3 * j] - v[3 * i]) +
      r[1] * (v[3 * j + 1] - v[3 * i + 1]) +
      r[2] * (v[3 * j + 2] - v[3 * i + 2]);
    const off = target - rate;
    if (Math.abs(off) <= TOLERANCE * this.length * size || off === 0) return 0;
    const g = off / (this.length ** 2 * (wi + wj));
    for (let k = 0; k < 3; k++) {
      v[3 * i + k] -= g * wi * r[k];
      v[3 * j + k] += g * wj * r[k];
    }
    return g;
  }

  curvature(v: Float64Array): number {
    const [i, j] = this.atoms;
    const u = Float64Array.from({ length: 3 }, (_, k) => v[3 * j + k] - v[3 * i + k]);
    return dot(u, u);
  }

  /** eV/Å, positive where it pushes the atoms apart. */
  tensionOf(multiplier: number): number {
    return multiplier * this.length;
  }

  virial(positions: Float64Array, tension: number, out: Float64Array): void {
    this.face(positions);
    const [r, g] = [this.#now, tension / this.length];
    for (let a = 0; a < 3; a++) for (let b = 0; b < 3; b++) out[3 * a + b] += g * r[a] * r[b];
  }
}

const dot = (a: Float64Array, b: Float64Array): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
