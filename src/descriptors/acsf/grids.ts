import type { CutoffName } from "../cutoffs.ts";
import { digits, evenShifts, gaussianWidth } from "../reach.ts";
import type { Reach } from "../reach.ts";
import type { AngularFunction, AngularGrid, RadialFunction, RadialGrid } from "./options.ts";

/** Radial functions of a generator up to the radius rc (Å). */
export function radialGrid(grid: RadialGrid, rc: number): RadialFunction[] {
  if (grid.method === "even") return evenRadial(grid.start, rc, grid.count);
  const centred = grid.set === "shifted" ? [] : imbalzanoCentred(grid.count, rc);
  const shifted = grid.set === "centred" ? [] : imbalzanoShifted(grid.count, rc);
  return [...centred, ...shifted];
}

/** Evenly spaced G2 from `start` to rc, as wide as their spacing asks for. */
function evenRadial(start: number, rc: number, count: number): RadialFunction[] {
  const eta = gaussianWidth((rc - start) / count);
  return evenShifts(start, rc, count).map((shift) => ({ type: "G2", eta, shift }));
}

/**
 * G2 at the centre: η_m = (n^{m/n} / r_c)², m = 0 … n.
 * G. Imbalzano et al., J. Chem. Phys. 148, 241730 (2018), DOI 10.1063/1.5024611.
 */
export const imbalzanoCentred = (n: number, rc: number): RadialFunction[] =>
  Array.from({ length: n + 1 }, (_, m) => ({ type: "G2", eta: digits((n ** (m / n) / rc) ** 2), shift: 0 }));

/**
 * Shifted G2, narrow near the atom and wider outwards: shifts r_{s,m} = r_c / n^{m/n}; the function at r_{s,n−m} has
 * η_{s,m} = 1 / (r_{s,n−m} − r_{s,n−m−1})², m = 0 … n − 1. The last one, at r_c itself, sees only the cutoff and is
 * left out. Imbalzano 2018, as above.
 */
export function imbalzanoShifted(n: number, rc: number): RadialFunction[] {
  const rs = (m: number) => rc / n ** (m / n);
  return Array.from({ length: n }, (_, m) => ({
    type: "G2",
    eta: digits(1 / (rs(n - m) - rs(n - m - 1)) ** 2),
    shift: digits(rs(n - m)),
  }));
}

/**
 * Angular functions with Gaussians at the centre: radii R_i evenly from `start` to r_c − 0.5 Å, η_i = 1/(2 R_i²), each
 * with λ = ±1 and every ζ. M. Gastegger et al., J. Chem. Phys. 148, 241709 (2018), DOI 10.1063/1.5019667.
 */
export function gastegger({ type, count, start, zetas }: AngularGrid, rc: number): AngularFunction[] {
  const step = count > 1 ? (rc - 0.5 - start) / (count - 1) : 0;
  return Array.from({ length: count }, (_, i) => digits(1 / (2 * (start + i * step) ** 2))).flatMap((eta) =>
    angles(zetas).map((angle) => ({ type, eta, ...angle, shift: 0 })),
  );
}

/** λ = ±1 with every ζ. */
const angles = (zetas: readonly number[]) =>
  zetas.flatMap((zeta) => ([1, -1] as const).map((lambda) => ({ zeta, lambda })));

const SIZES = {
  small: { radial: 8, shells: 3, zetas: [1, 4] },
  medium: { radial: 16, shells: 6, zetas: [1, 4, 16] },
  large: { radial: 24, shells: 8, zetas: [1, 2, 4, 16] },
};

/** How large an automatic set is. */
export type Size = keyof typeof SIZES;

/** Radial functions for the distances in the data: evenly spaced over them. */
export const autoRadial = (size: Size, { start }: Reach, rc: number): RadialFunction[] =>
  evenRadial(start, rc, SIZES[size].radial);

/**
 * Angular functions for the distances in the data: narrow ones, in shells around the radii where neighbours are, so
 * that an angle is seen together with the three distances.
 */
export function autoAngular(size: Size, reach: Reach, rc: number, type: CutoffName): AngularFunction[] {
  const { shells, zetas } = SIZES[size];
  const radius = Math.min(reach.angular, rc);
  // Two Gaussians multiply, so each is √2 wider than a radial one for the same overlap of the shells.
  const eta = gaussianWidth((Math.SQRT2 * (radius - reach.start)) / shells);
  const cutoff = radius < rc ? { cutoff: { type, radius } } : {};
  return evenShifts(reach.start, radius, shells).flatMap((shift) =>
    angles(zetas).map((angle) => ({ type: "G4" as const, eta, ...angle, shift, ...cutoff })),
  );
}
