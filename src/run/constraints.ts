import { NumericalError, invalid } from "../error.ts";
import { nearestImage } from "../structure/nearest-image.ts";
import type { Structure } from "../structure/structure.ts";
import { AMU_A2_FS2 } from "../structure/units.ts";

/** A bond of fixed length; atoms from 0 on, length in Å, that of the structure unless given. */
export interface Bond {
  readonly atoms: readonly [number, number];
  readonly length?: number;
}

/** Relative error of a squared length at which a bond has its length. */
const TOLERANCE = 1e-14;
const SWEEPS = 2000;

/**
 * Bonds of fixed length in dynamics: places by SHAKE (J.-P. Ryckaert, G. Ciccotti, H. J. C. Berendsen, J. Comput. Phys. 23, 327
 * (1977), DOI 10.1016/0021-9991(77)90098-5), velocities by RATTLE (H. C. Andersen, J. Comput. Phys. 52, 24 (1983), DOI
 * 10.1016/0021-9991(83)90014-1), one bond after another until all hold.
 */
export class Constraints {
  readonly bonds: readonly Required<Bond>[];
  readonly #masses: Float64Array;
  /** Lattice vectors between the atoms of a bond, [bonds, 3]: those of the nearest image at the start. */
  readonly #images: Float64Array;
  /** r_j − r_i at the last good places, [bonds, 3]. */
  readonly #old: Float64Array;

  constructor(structure: Structure, bonds: readonly Bond[], masses: Float64Array) {
    check(structure, bonds);
    this.#masses = masses;
    this.#images = new Float64Array(3 * bonds.length);
    this.#old = new Float64Array(3 * bonds.length);
    const nearest = nearestImage(structure);
    const found = bonds.map(({ atoms }, c) => {
      const raw = between(structure.positions, atoms);
      const d = raw.slice();
      nearest(d, 0);
      for (let k = 0; k < 3; k++) this.#images[3 * c + k] = d[k] - raw[k];
      return Math.sqrt(d[0] ** 2 + d[1] ** 2 + d[2] ** 2);
    });
    this.bonds = bonds.map(({ atoms, length }, c) => ({ atoms, length: length ?? found[c] }));
  }

  /** Degrees of freedom that are taken. */
  get count(): number {
    return this.bonds.length;
  }

  /** r_j − r_i of bond c, to `out` from `at` on. */
  #vector(c: number, positions: Float64Array, out: Float64Array, at: number): void {
    const [i, j] = this.bonds[c].atoms;
    for (let k = 0; k < 3; k++)
      out[at + k] = positions[3 * j + k] - positions[3 * i + k] + this.#images[3 * c + k];
  }

  /** To be called at places that hold, before they are moved. */
  remember(positions: Float64Array): void {
    for (let c = 0; c < this.count; c++) this.#vector(c, positions, this.#old, 3 * c);
  }

  /** The structure with the lengths that its bonds are to have. */
  applied(structure: Structure): Structure {
    const positions = structure.positions.slice();
    this.remember(positions);
    this.shake(positions, new Float64Array(positions.length), 0);
    return { ...structure, positions };
  }

  /** Moves atoms along the remembered bonds until all lengths are right; velocities take the move over `dt`, fs. */
  shake(positions: Float64Array, velocities: Float64Array, dt: number): void {
    const d = new Float64Array(3);
    this.#sweep("lengths", (c) => {
      const { atoms, length } = this.bonds[c];
      const [i, j] = atoms;
      this.#vector(c, positions, d, 0);
      const excess = length ** 2 - (d[0] ** 2 + d[1] ** 2 + d[2] ** 2);
      if (Math.abs(excess) <= TOLERANCE * length ** 2) return true;
      const old = this.#old.subarray(3 * c, 3 * c + 3);
      const along = d[0] * old[0] + d[1] * old[1] + d[2] * old[2];
      if (!(along > 0.01 * length ** 2)) throw turned(atoms);
      const [wi, wj] = [1 / this.#masses[i], 1 / this.#masses[j]];
      const g = excess / (2 * along * (wi + wj));
      for (let k = 0; k < 3; k++) {
        positions[3 * i + k] -= g * wi * old[k];
        positions[3 * j + k] += g * wj * old[k];
        if (dt > 0) velocities[3 * i + k] -= (g * wi * old[k]) / dt;
        if (dt > 0) velocities[3 * j + k] += (g * wj * old[k]) / dt;
      }
      return false;
    });
  }

  /** Takes the part of the velocities that would change a length: v_ij · r_ij = 0 for all bonds. */
  rattle(positions: Float64Array, velocities: Float64Array): void {
    this.#project(positions, velocities, () => 0);
  }

  /**
   * Solves v_ij·r_ij = target_c by adding g_c r_ij/m to the vectors; returns Σ g of each bond, [bonds].
   */
  #project(positions: Float64Array, v: Float64Array, target: (c: number) => number): Float64Array {
    const r = new Float64Array(3 * this.count);
    for (let c = 0; c < this.count; c++) this.#vector(c, positions, r, 3 * c);
    const total = new Float64Array(this.count);
    const size = Math.sqrt(v.reduce((most, x) => Math.max(most, x * x), 0));
    this.#sweep("velocities", (c) => {
      const { atoms, length } = this.bonds[c];
      const [i, j] = atoms;
      const [x, y, z] = [r[3 * c], r[3 * c + 1], r[3 * c + 2]];
      const rate =
        x * (v[3 * j] - v[3 * i]) + y * (v[3 * j + 1] - v[3 * i + 1]) + z * (v[3 * j + 2] - v[3 * i + 2]);
      const off = target(c) - rate;
      if (Math.abs(off) <= TOLERANCE * length * size || off === 0) return true;
      const [wi, wj] = [1 / this.#masses[i], 1 / this.#masses[j]];
      const g = off / (length ** 2 * (wi + wj));
      total[c] += g;
      for (let k = 0; k < 3; k++) {
        v[3 * i + k] -= g * wi * r[3 * c + k];
        v[3 * j + k] += g * wj * r[3 * c + k];
      }
      return false;
    });
    return total;
  }

  /**
   * The force in each bond, [bonds], eV/Å, that keeps its length at given places, velocities and forces, positive where it
   * pushes the atoms apart. For one fixed bond its mean is the slope of the free energy −k_B T ln p(r) along the bond's length
   * (M. Sprik, G. Ciccotti, J. Chem. Phys. 109, 7737 (1998), DOI 10.1063/1.477419).
   */
  tensions(positions: Float64Array, velocities: Float64Array, forces: Float64Array): Float64Array {
    const a = forces.map((f, x) => f / (this.#masses[Math.floor(x / 3)] * AMU_A2_FS2));
    // d²(r²/2)/dt² = r·a + v² = 0
    const g = this.#project(positions, a, (c) => {
      const v = between(velocities, this.bonds[c].atoms);
      return -(v[0] ** 2 + v[1] ** 2 + v[2] ** 2);
    });
    return g.map((x, c) => x * this.bonds[c].length * AMU_A2_FS2);
  }

  /** ADDS the bonds' part of the virial, [3, 3], eV. */
  virial(positions: Float64Array, tensions: Float64Array, out: Float64Array): void {
    const r = new Float64Array(3);
    for (let c = 0; c < this.count; c++) {
      this.#vector(c, positions, r, 0);
      const g = tensions[c] / this.bonds[c].length;
      for (let a = 0; a < 3; a++) for (let b = 0; b < 3; b++) out[3 * a + b] += g * r[a] * r[b];
    }
  }

  #sweep(what: string, holds: (c: number) => boolean): void {
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      let all = true;
      for (let c = 0; c < this.count; c++) all = holds(c) && all;
      if (all) return;
    }
    throw new NumericalError(
      `the ${what} of fixed bonds do not settle: too long a time step, or bonds too many`,
    );
  }
}

const between = (values: Float64Array, [i, j]: readonly [number, number]): Float64Array =>
  Float64Array.from({ length: 3 }, (_, k) => values[3 * j + k] - values[3 * i + k]);

const turned = ([i, j]: readonly [number, number]): NumericalError =>
  new NumericalError(
    `the bond of atoms ${i + 1} and ${j + 1} turns too far in one step: the time step is too long`,
  );

function check({ numbers }: Structure, bonds: readonly Bond[]): void {
  const seen = new Set<string>();
  for (const { atoms, length } of bonds) {
    const name = `${Math.min(...atoms) + 1}-${Math.max(...atoms) + 1}`;
    if (atoms.some((i) => !(Number.isInteger(i) && i >= 0 && i < numbers.length)) || atoms[0] === atoms[1])
      throw invalid(`fixed bond ${name}`, `two different atoms of 1 … ${numbers.length}`, name);
    if (seen.has(name)) throw invalid(`fixed bond ${name}`, "every bond once", "the same again");
    if (length !== undefined && !(length > 0))
      throw invalid(`fixed bond ${name}`, "a positive length in Å", length);
    seen.add(name);
  }
}
