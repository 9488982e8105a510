import type { Potential } from "../src/potentials/potential.ts";
import type { Structure } from "../src/structure/structure.ts";

/** Every atom tied to its own place by a spring: E = Σ ½ k |r − r₀|², k in eV/Å². */
export function wells(anchors: Float64Array, k: number): Potential {
  return {
    cutoff: 0,
    elements: null,
    evaluate({ positions }, _, out) {
      for (let i = 0; i < positions.length; i++) {
        const d = positions[i] - anchors[i];
        out.energy += 0.5 * k * d * d;
        out.forces[i] -= k * d;
      }
    },
  };
}

/** Morse pairs D (1 − e^{−a(r−r₀)})² − D, times (1 − (r/rc)²)³, so that energy, force and curvature end at rc. */
export function morse({ depth = 0.8, width = 1.6, distance = 2.4, cutoff = 5 } = {}): Potential {
  const value = (r: number): [number, number] => {
    const e = Math.exp(-width * (r - distance));
    const x = 1 - (r / cutoff) ** 2;
    const [u, du] = [depth * ((1 - e) ** 2 - 1), 2 * depth * width * e * (1 - e)];
    return [u * x ** 3, du * x ** 3 - (u * 6 * r * x * x) / cutoff ** 2];
  };
  return {
    cutoff,
    elements: null,
    evaluate({ positions, cell, numbers }, { offsets, index, shift }, out) {
      for (let i = 0; i < numbers.length; i++)
        for (let p = offsets[i]; p < offsets[i + 1]; p++) {
          const d = [0, 1, 2].map((k) => {
            const lattice = cell
              ? shift[3 * p] * cell[k] + shift[3 * p + 1] * cell[3 + k] + shift[3 * p + 2] * cell[6 + k]
              : 0;
            return positions[3 * index[p] + k] + lattice - positions[3 * i + k];
          });
          const r = Math.sqrt(d[0] ** 2 + d[1] ** 2 + d[2] ** 2);
          if (r >= cutoff) continue;
          const [u, du] = value(r);
          out.energy += u / 2;
          for (let k = 0; k < 3; k++) {
            out.forces[3 * i + k] += (du * d[k]) / r;
            for (let l = 0; l < 3; l++) out.virial[3 * k + l] -= (du * d[k] * d[l]) / (2 * r);
          }
        }
    },
  };
}

/** A square of four argon atoms and one above, not far from a minimum of `morse()`. */
export const cluster = (): Structure => ({
  numbers: new Uint8Array(5).fill(18),
  positions: Float64Array.of(0, 0, 0, 2.5, 0.1, 0, 0, 2.4, 0.1, 2.4, 2.5, -0.1, 1.2, 1.3, 1.8),
  cell: null,
  pbc: [false, false, false],
});

/** A skewed periodic box of eight atoms, smaller than twice the cutoff of `morse()`. */
export function crystal(): Structure {
  const a = 2.7;
  const positions: number[] = [];
  for (let i = 0; i < 8; i++) {
    const [x, y, z] = [i & 1, (i >> 1) & 1, i >> 2];
    positions.push(a * x + 0.4 * y + 0.1 * z, a * y + 0.05 * x, a * z - 0.07 * y * z);
  }
  return {
    numbers: new Uint8Array(8).fill(13),
    positions: Float64Array.from(positions),
    cell: Float64Array.of(2 * a, 0, 0, 0.8, 2 * a, 0, 0, 0, 2 * a),
    pbc: [true, true, true],
  };
}
