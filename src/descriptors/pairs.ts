import type { Environments } from "./environments.ts";

/**
 * ADDS the forces and virials of an energy with pair gradients g_ij = dE/dr_ij, [pairs, 3]:
 * F_i += g_ij, F_j −= g_ij, W −= r_ij ⊗ g_ij, made symmetric (it is, for an energy that rotations leave alone).
 * forces [atoms, 3], eV/Å; virials [structures, 3, 3], eV.
 */
export function addForces(
  env: Environments,
  gradient: Float64Array,
  forces: Float64Array,
  virials: Float64Array,
): void {
  const { count, elements, centre, structure, offsets, neighbour, vectors } = env;
  const S = elements.length;
  for (let c = 0; c < count; c++) {
    let fx = 0;
    let fy = 0;
    let fz = 0;
    let xx = 0;
    let yy = 0;
    let zz = 0;
    let yz = 0;
    let xz = 0;
    let xy = 0;
    for (let p = offsets[c * S]; p < offsets[(c + 1) * S]; p++) {
      const gx = gradient[3 * p];
      const gy = gradient[3 * p + 1];
      const gz = gradient[3 * p + 2];
      const x = vectors[3 * p];
      const y = vectors[3 * p + 1];
      const z = vectors[3 * p + 2];
      fx += gx;
      fy += gy;
      fz += gz;
      const j = 3 * neighbour[p];
      forces[j] -= gx;
      forces[j + 1] -= gy;
      forces[j + 2] -= gz;
      xx += x * gx;
      yy += y * gy;
      zz += z * gz;
      yz += y * gz + z * gy;
      xz += x * gz + z * gx;
      xy += x * gy + y * gx;
    }
    const i = 3 * centre[c];
    forces[i] += fx;
    forces[i + 1] += fy;
    forces[i + 2] += fz;
    addVirial(virials, 9 * structure[c], xx, yy, zz, yz / 2, xz / 2, xy / 2);
  }
}

function addVirial(
  W: Float64Array,
  o: number,
  xx: number,
  yy: number,
  zz: number,
  yz: number,
  xz: number,
  xy: number,
): void {
  W[o] -= xx;
  W[o + 1] -= xy;
  W[o + 2] -= xz;
  W[o + 3] -= xy;
  W[o + 4] -= yy;
  W[o + 5] -= yz;
  W[o + 6] -= xz;
  W[o + 7] -= yz;
  W[o + 8] -= zz;
}

/**
 * Overwrites tangents [pairs, 3] with the change of r_ij under displacements v [atoms, 3] (Å) and strains
 * ε [structures, 3, 3], null for none: t_ij = v_j − v_i + ½(ε + εᵀ) r_ij. The transpose of `addForces`, sign apart.
 */
export function pairTangents(
  env: Environments,
  displacements: Float64Array,
  strains: Float64Array | null,
  tangents: Float64Array,
): void {
  const { count, elements, centre, structure, offsets, neighbour, vectors } = env;
  const S = elements.length;
  let xx = 0;
  let yy = 0;
  let zz = 0;
  let yz = 0;
  let xz = 0;
  let xy = 0;
  for (let c = 0; c < count; c++) {
    const i = 3 * centre[c];
    const vx = displacements[i];
    const vy = displacements[i + 1];
    const vz = displacements[i + 2];
    if (strains !== null) {
      const o = 9 * structure[c];
      xx = strains[o];
      yy = strains[o + 4];
      zz = strains[o + 8];
      yz = (strains[o + 5] + strains[o + 7]) / 2;
      xz = (strains[o + 2] + strains[o + 6]) / 2;
      xy = (strains[o + 1] + strains[o + 3]) / 2;
    }
    for (let p = offsets[c * S]; p < offsets[(c + 1) * S]; p++) {
      const j = 3 * neighbour[p];
      const x = vectors[3 * p];
      const y = vectors[3 * p + 1];
      const z = vectors[3 * p + 2];
      tangents[3 * p] = displacements[j] - vx + xx * x + xy * y + xz * z;
      tangents[3 * p + 1] = displacements[j + 1] - vy + xy * x + yy * y + yz * z;
      tangents[3 * p + 2] = displacements[j + 2] - vz + xz * x + yz * y + zz * z;
    }
  }
}
