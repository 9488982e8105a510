import { Cholesky, solveCholesky } from "../../math/cholesky.ts";
import { FOLDS, PROPERTIES, type Probe, type Segment } from "./probe.ts";

/** What a percent less of the error of each property is worth: differences of energies are what a surface is for. */
const WORTH = [2, 1, 1];
/** Errors below this part of the largest label are rounding. */
const ROUNDING = 1e-10;

/** What a fit with given expected errors makes of frames that it has not seen: one Cholesky factor per fold. */
export class LeftOut {
  readonly #probe: Probe;
  readonly #cholesky: Cholesky;
  /** Byte address of the matrix of a fold, [P, P]. */
  readonly #matrix: number;
  /** ΦᵀΦ and Φᵀy of each segment, and of each property over all folds. */
  readonly #grams: readonly Float64Array[];
  readonly #sides: readonly Float64Array[];
  readonly #wholeGrams: readonly Float64Array[];
  readonly #wholeSides: readonly Float64Array[];
  /** Rows that each property has. */
  readonly counts: readonly number[];

  constructor(probe: Probe) {
    const { device, size: P, segments } = probe;
    this.#probe = probe;
    this.#cholesky = new Cholesky(device, P);
    this.#matrix = device.memory.alloc(8 * P * P);
    this.#grams = segments.map((segment) => gramOf(probe, segment));
    this.#sides = segments.map((segment) => sideOf(probe, segment));
    const total = (parts: readonly Float64Array[], property: number) =>
      parts.reduce(
        (sum, part, k) => (segments[k].property === property ? sum.map((x, i) => x + part[i]) : sum),
        new Float64Array(parts[0].length),
      );
    this.#wholeGrams = PROPERTIES.map((_, t) => total(this.#grams, t));
    this.#wholeSides = PROPERTIES.map((_, t) => total(this.#sides, t));
    this.counts = PROPERTIES.map((_, t) =>
      segments.reduce((sum, { property, rows }) => sum + (property === t ? rows : 0), 0),
    );
  }

  /** Coefficients [P] of the fit to all folds but one; null where the matrix is singular to rounding. */
  #without(fold: number, weights: readonly number[]): Float64Array | null {
    const { device, size: P, segments } = this.#probe;
    const M = device.memory.f64(this.#matrix, P * P);
    const c = new Float64Array(P);
    M.fill(0);
    for (const [t, w] of weights.entries()) {
      const own = segments.findIndex((s) => s.fold === fold && s.property === t);
      const [G, g] = [this.#wholeGrams[t], this.#grams[own]];
      for (let k = 0; k < M.length; k++) M[k] += w * (G[k] - g[k]);
      const [b, mine] = [this.#wholeSides[t], this.#sides[own]];
      for (let k = 0; k < P; k++) c[k] += w * (b[k] - mine[k]);
    }
    for (let k = 0; k < P; k++) M[k * P + k] += 1;
    if (!this.#cholesky.factor(P, this.#matrix)) return null;
    solveCholesky(M, P, c);
    return c;
  }

  /** Root mean squares of the errors of each property, of each kind of frames; 0 where there are none. */
  errors(sigma: readonly number[]): readonly Float64Array[] | null {
    const { device, size: P, segments, shares, stands } = this.#probe;
    const weights = sigma.map((s, t) => stands[t] / (s * s));
    const sums = PROPERTIES.map(() => new Float64Array(shares.length));
    const counts = PROPERTIES.map(() => new Float64Array(shares.length));
    for (let fold = 0; fold < FOLDS; fold++) {
      const c = this.#without(fold, weights);
      if (!c) return null;
      for (const { property, rows, address, labels, scales, kinds } of segments.filter(
        (s) => s.fold === fold,
      )) {
        const Phi = device.memory.f64(address, rows * P);
        for (let r = 0, at = 0; r < rows; r++) {
          let error = -labels[r];
          for (let k = 0; k < P; k++) error += Phi[at++] * c[k];
          sums[property][kinds[r]] += (error * scales[r]) ** 2;
          counts[property][kinds[r]]++;
        }
      }
    }
    return sums.map((sum, t) => sum.map((x, k) => (counts[t][k] > 0 ? Math.sqrt(x / counts[t][k]) : 0)));
  }

  /**
   * Σ over properties and kinds of worth · share · ln(root mean square): a percent less of an error counts the same
   * whatever its size, so that neither units nor the hardest kind decide alone. Infinite where there is no solution.
   */
  score(sigma: readonly number[]): number {
    const errors = this.errors(sigma);
    if (!errors) return Infinity;
    const { shares, segments } = this.#probe;
    let score = 0;
    errors.forEach((list, t) => {
      const largest = segments.reduce(
        (most, s) =>
          s.property === t
            ? s.labels.reduce((m, y, k) => Math.max(m, Math.abs(y * s.scales[k])), most)
            : most,
        0,
      );
      list.forEach((rms, kind) => {
        if (rms > 0) score += WORTH[t] * shares[kind] * Math.log(Math.max(rms, ROUNDING * largest));
      });
    });
    return score;
  }
}

/** ΦᵀΦ [P, P]. */
function gramOf({ device, size: P }: Probe, { rows, address }: Segment): Float64Array {
  const { memory, gemm } = device;
  if (rows === 0) return new Float64Array(P * P);
  const to = memory.alloc(8 * P * P);
  gemm.f64(P, P, rows, address, P, address, P, to, P, { transA: true });
  return memory.f64(to, P * P);
}

/** Φᵀy [P]. */
function sideOf({ device, size: P }: Probe, { rows, address, labels }: Segment): Float64Array {
  const Phi = device.memory.f64(address, rows * P);
  const b = new Float64Array(P);
  for (let r = 0, at = 0; r < rows; r++) for (let k = 0; k < P; k++) b[k] += labels[r] * Phi[at++];
  return b;
}
