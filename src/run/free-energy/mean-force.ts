import { blockAverage } from "../analysis/blocks.ts";
import type { Mean } from "../analysis/blocks.ts";
import type { Constraints } from "../constraints/constraints.ts";
import type { Motion } from "../dynamics.ts";

/** What a moment of dynamics with a variable held at s tells of the free energy's slope there. */
export interface Slope {
  /** λ + k_B T G, eV per unit of the variable. */
  readonly slope: number;
  /** Z^{−1/2}: how much it counts. */
  readonly weight: number;
}

/**
 * The slope of F(s) = −k_B T ln p(s) from dynamics in which the variable s, and nothing else, is held:
 *
 *     dF/ds = ⟨Z^{−1/2} (λ + k_B T G)⟩ / ⟨Z^{−1/2}⟩,    Z = ∂s/∂r·M⁻¹·∂s/∂r,    G = Z⁻² u·∂²s/∂r²·u,    u = M⁻¹ ∂s/∂r
 *
 * with λ ∂s/∂r the force that holds it: the metric Z takes back that velocities along s are missing (M. Sprik, G. Ciccotti, J.
 * Chem. Phys. 109, 7737 (1998), DOI 10.1063/1.477419; E. A. Carter et al., Chem. Phys. Lett. 156, 472 (1989), DOI
 * 10.1016/S0009-2614(89)87314-2). undefined where more is held: the metric is then a matrix.
 */
export function slopeOf(constraints: Constraints, state: Motion, kT: number): Slope | undefined {
  const [held] = constraints.variables;
  if (!held || constraints.count > 1) return undefined;
  const [lambda] = constraints.tensions(state.positions, state.velocities, state.forces);
  const { Z, G } = held.metric(state.positions);
  return { slope: lambda + kT * G, weight: 1 / Math.sqrt(Z) };
}

/** Σ w x / Σ w, with its error by block averages of what each sample adds to it. */
export function weightedMean(values: Float64Array, weights: Float64Array): Mean {
  const whole = weights.reduce((a, b) => a + b, 0);
  const mean = values.reduce((sum, x, k) => sum + weights[k] * x, 0) / whole;
  const scale = weights.length / whole;
  const influence = values.map((x, k) => scale * weights[k] * (x - mean));
  return { ...blockAverage(influence), mean };
}

/** A free energy by integrating its slope. */
export interface Integrated {
  /** [places], eV, the least 0. */
  readonly energies: Float64Array;
  /** Standard errors of the differences to the lowest place, [places], eV. */
  readonly errors: Float64Array;
}

/** Shares of an interval's integral that the two or four slopes around it have, over the spacing, from `first` on. */
function rule(
  interval: number,
  count: number,
): { readonly first: number; readonly shares: readonly number[] } {
  if (count === 2) return { first: 0, shares: [1 / 2, 1 / 2] };
  if (count === 3)
    return { first: 0, shares: interval === 0 ? [5 / 12, 8 / 12, -1 / 12] : [-1 / 12, 8 / 12, 5 / 12] };
  if (interval === 0) return { first: 0, shares: [9 / 24, 19 / 24, -5 / 24, 1 / 24] };
  if (interval === count - 2) return { first: count - 4, shares: [1 / 24, -5 / 24, 19 / 24, 9 / 24] };
  return { first: interval - 1, shares: [-1 / 24, 13 / 24, 13 / 24, -1 / 24] };
}

/**
 * F at evenly spaced places from its slopes there, each interval by the cubic through the four slopes around it; independent
 * errors of the slopes go over to those of F.
 */
export function integrateSlopes(spacing: number, slopes: readonly Mean[]): Integrated {
  const K = slopes.length;
  /** Σ over intervals before place k, as shares of the slopes, [K][K]. */
  const shares = [new Float64Array(K)];
  for (let k = 0; k + 1 < K; k++) {
    const next = shares[k].slice();
    const own = rule(k, K);
    own.shares.forEach((share, i) => (next[own.first + i] += spacing * share));
    shares.push(next);
  }
  const F = Float64Array.from(shares, (row) =>
    row.reduce((sum, share, j) => sum + share * slopes[j].mean, 0),
  );
  const lowest = F.indexOf(Math.min(...F));
  const errors = Float64Array.from(shares, (row) =>
    Math.sqrt(row.reduce((sum, share, j) => sum + ((share - shares[lowest][j]) * slopes[j].error) ** 2, 0)),
  );
  return { energies: F.map((x) => x - F[lowest]), errors };
}
