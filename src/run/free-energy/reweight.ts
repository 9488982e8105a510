import { NumericalError } from "../../error.ts";
import { symmetricEigen } from "../../math/symmetric-eigen.ts";

/** Samples of several biased ensembles, or a histogram of them. */
export interface Sampled {
  /** u_k(n) = V_k/k_B T: the bias of each of K ensembles at each of N points, [K][N]. */
  readonly energies: readonly Float64Array[];
  /** How much each point counts, [N]: 1 for a sample, its samples for a bin of a histogram. */
  readonly weights: Float64Array;
  /** How many samples come from each ensemble, [K]. */
  readonly counts: Float64Array;
}

/** Free energies of the ensembles, and what follows for the ensemble without bias. */
export interface Reweighted {
  /** f_k/k_B T, [K], the first 0. */
  readonly f: Float64Array;
  /** ln of the weight of each point without bias, [N], up to a constant. */
  readonly logWeights: Float64Array;
  /** O_kl: the chance that a sample of k would be taken for one of l, [K, K], rows sum to 1. */
  readonly overlap: Float64Array;
  readonly iterations: number;
  /** Probabilities of bins without bias, and the covariance of their logarithms; `bins` [N] numbers from 0, −1: none. */
  probabilities(bins: Int32Array, count: number): Binned;
  /** Covariance of f, [K, K], as if the samples were independent. */
  readonly covariance: Float64Array;
  /** How much each point moves f_k − f_l, [N]. */
  influence(k: number, l: number): Float64Array;
}

/** Shares of the ensemble without bias. */
export interface Binned {
  /** [bins], sum 1 over those that are not left out. */
  readonly probabilities: Float64Array;
  /** Covariance of ln p, [bins, bins], as if the samples were independent; 0 for bins without samples. */
  readonly covariance: Float64Array;
  /** How much each point moves ln p_a − ln p_b, [N]: the linear response, from which errors of correlated samples follow. */
  influence(a: number, b: number): Float64Array;
}

/** Self-consistent iterations before Newton's. */
const ITERATIONS = 10;
const NEWTON = 200;
/** Change of f at which the solution is one. */
const SETTLED = 1e-11;

/**
 * The equations of MBAR, f_k = −ln Σ_n c_n e^{−u_k(n)}/Σ_l N_l e^{f_l − u_l(n)} (M. R. Shirts, J. D. Chodera, J. Chem. Phys.
 * 129, 124105 (2008), DOI 10.1063/1.2978177), which for a histogram are those of WHAM (S. Kumar et al., J. Comput.
 * Chem. 13, 1011 (1992), DOI 10.1002/jcc.540130812): iterated as they stand, then by Newton's method on the convex
 * function Σ_n c_n ln Σ_l N_l e^{f_l − u_l(n)} − Σ_k N_k f_k that they make stationary (F. Zhu, G. Hummer, J. Comput.
 * Chem. 33, 453 (2012), DOI 10.1002/jcc.21989). Exponentials are summed relative to the largest.
 */
export function reweight(sampled: Sampled): Reweighted {
  const K = sampled.counts.length;
  const equations = new Equations(sampled);
  let f: Float64Array = new Float64Array(K);
  let iterations = 0;
  let change = Infinity;
  for (; iterations < ITERATIONS && change > SETTLED; iterations++) {
    const next = equations.iterate(f);
    change = farthest(next, f);
    f = next;
  }
  for (; iterations < ITERATIONS + NEWTON && change > SETTLED; iterations++) {
    const next = equations.newton(f);
    change = farthest(next, f);
    f = next;
  }
  if (!(change <= 1e-6))
    throw new NumericalError(`the windows' free energies do not settle: they change by ${change} k_BT`);
  return solution(sampled, equations, f, iterations);
}

const farthest = (a: Float64Array, b: Float64Array): number =>
  a.reduce((most, x, k) => (Math.abs(x - b[k]) <= most ? most : Math.abs(x - b[k])), 0);

/** Everything that the equations need of the points, for given f. */
class Equations {
  readonly #sampled: Sampled;
  readonly #logCounts: Float64Array;
  /** D_n = ln Σ_l N_l e^{f_l − u_l(n)}, [N]. */
  readonly D: Float64Array;

  constructor(sampled: Sampled) {
    this.#sampled = sampled;
    this.#logCounts = sampled.counts.map(Math.log);
    this.D = new Float64Array(sampled.weights.length);
  }

  /** Fills D and returns the convex function. */
  evaluate(f: Float64Array): number {
    const { energies, weights, counts } = this.#sampled;
    const shift = f.map((x, k) => x + this.#logCounts[k]);
    const { D } = this;
    let value = 0;
    for (let n = 0; n < D.length; n++) {
      let top = -Infinity;
      for (let k = 0; k < shift.length; k++) top = Math.max(top, shift[k] - energies[k][n]);
      let sum = 0;
      for (let k = 0; k < shift.length; k++) sum += Math.exp(shift[k] - energies[k][n] - top);
      D[n] = top + Math.log(sum);
      value += weights[n] * D[n];
    }
    return counts.reduce((total, N, k) => total - N * f[k], value);
  }

  /** One self-consistent step. */
  iterate(f: Float64Array): Float64Array {
    this.evaluate(f);
    const { energies, weights } = this.#sampled;
    const next = Float64Array.from(energies, (u) => -logSum(weights, u, this.D));
    return next.map((x) => x - next[0]);
  }

  /** W_kn = e^{f_k − u_k(n) − D_n} for the D of the last evaluation. */
  columns(f: Float64Array): Float64Array[] {
    const { energies } = this.#sampled;
    return energies.map((u, k) => this.D.map((D, n) => Math.exp(f[k] - u[n] - D)));
  }

  /** One step of Newton's method, shortened until the convex function does not rise; f of the first stays 0. */
  newton(f: Float64Array): Float64Array {
    const { weights, counts } = this.#sampled;
    const K = f.length;
    const before = this.evaluate(f);
    const W = this.columns(f);
    const G = gram(W, weights);
    const m = K - 1;
    const gradient = new Float64Array(m);
    const H = new Float64Array(m * m);
    for (let k = 1; k < K; k++) {
      const mass = counts[k] * W[k].reduce((sum, w, n) => sum + weights[n] * w, 0);
      gradient[k - 1] = mass - counts[k];
      for (let l = 1; l < K; l++)
        H[(k - 1) * m + l - 1] = (k === l ? mass : 0) - counts[k] * counts[l] * G[k * K + l];
    }
    const step = solved(H, gradient, m);
    for (let t = 1; t > 1e-8; t /= 2) {
      const next = f.map((x, k) => (k === 0 ? 0 : x - t * step[k - 1]));
      if (this.evaluate(next) <= before + 1e-12 * Math.abs(before)) return next;
    }
    return this.iterate(f);
  }
}

/** H⁻¹ g, without directions of no curvature: windows that do not overlap leave their distance open. */
function solved(H: Float64Array, g: Float64Array, m: number): Float64Array {
  const { values, vectors } = symmetricEigen(H, m);
  const step = new Float64Array(m);
  for (let i = 0; i < m; i++) {
    if (!(values[i] > 1e-14 * values[0])) continue;
    const v = vectors.subarray(i * m, (i + 1) * m);
    const along = v.reduce((sum, x, k) => sum + x * g[k], 0) / values[i];
    for (let k = 0; k < m; k++) step[k] += along * v[k];
  }
  return step;
}

/** ln Σ_n c_n e^{−u_n − D_n} */
function logSum(weights: Float64Array, u: Float64Array, D: Float64Array): number {
  let top = -Infinity;
  for (let n = 0; n < D.length; n++) if (weights[n] > 0) top = Math.max(top, -u[n] - D[n]);
  let sum = 0;
  for (let n = 0; n < D.length; n++) if (weights[n] > 0) sum += weights[n] * Math.exp(-u[n] - D[n] - top);
  return top + Math.log(sum);
}

/** Σ_n c_n W_kn W_ln, [K, K]. */
function gram(W: readonly Float64Array[], weights: Float64Array): Float64Array {
  const K = W.length;
  const G = new Float64Array(K * K);
  for (let k = 0; k < K; k++)
    for (let l = 0; l <= k; l++) {
      let sum = 0;
      for (let n = 0; n < weights.length; n++) sum += weights[n] * W[k][n] * W[l][n];
      G[k * K + l] = sum;
      G[l * K + k] = sum;
    }
  return G;
}

function solution(sampled: Sampled, equations: Equations, f: Float64Array, iterations: number): Reweighted {
  const { weights, counts } = sampled;
  equations.evaluate(f);
  const W = equations.columns(f);
  const G = gram(W, weights);
  const K = counts.length;
  const logWeights = equations.D.map((D) => -D);
  const response = responseOf(W, G, counts);
  return {
    f,
    logWeights,
    overlap: G.map((g, i) => g * counts[i % K]),
    iterations,
    covariance: covariance(G, counts, K),
    influence: (k, l) => response(Float64Array.from({ length: K }, (_, i) => +(i === l) - +(i === k))),
    probabilities: (bins, count) => probabilities({ sampled, W, G, logWeights, response }, bins, count),
  };
}

/** Σ_k a_k (H⁺ p_n)_k for every point n, with p_kn = N_k W_kn and H = diag N − N Wᵀ W N: −a·∂f/∂n. */
type Response = (a: Float64Array) => Float64Array;

function responseOf(W: readonly Float64Array[], G: Float64Array, counts: Float64Array): Response {
  const K = counts.length;
  const H = G.map((g, i) => {
    const [k, l] = [Math.floor(i / K), i % K];
    return (k === l ? counts[k] : 0) - counts[k] * counts[l] * g;
  });
  return (a) => {
    const b = solved(H.slice(), a, K).map((x, k) => x * counts[k]);
    const out = new Float64Array(W[0].length);
    for (const [k, x] of b.entries()) for (let n = 0; n < out.length; n++) out[n] += x * W[k][n];
    return out;
  };
}

interface Solved {
  readonly sampled: Sampled;
  readonly W: readonly Float64Array[];
  readonly G: Float64Array;
  readonly logWeights: Float64Array;
  readonly response: Response;
}

function probabilities(solution: Solved, bins: Int32Array, count: number): Binned {
  const { weights, counts } = solution.sampled;
  const { W, G, logWeights, response } = solution;
  const K = counts.length;
  const top = logWeights.reduce((a, b) => Math.max(a, b), -Infinity);
  const share = logWeights.map((x) => Math.exp(x - top));
  const mass = new Float64Array(count);
  bins.forEach((b, n) => {
    if (b >= 0) mass[b] += weights[n] * share[n];
  });
  const total = mass.reduce((a, b) => a + b, 0);
  // Bins are ensembles that nothing was sampled from: a weight inside, none outside.
  const size = K + count;
  const all = new Float64Array(size * size);
  for (let k = 0; k < K; k++) all.set(G.subarray(k * K, (k + 1) * K), k * size);
  for (let n = 0; n < bins.length; n++) {
    const b = bins[n];
    if (b < 0 || !(mass[b] > 0)) continue;
    const w = share[n] / mass[b];
    all[(K + b) * (size + 1)] += weights[n] * w * w;
    for (let k = 0; k < K; k++) all[k * size + K + b] += weights[n] * w * W[k][n];
  }
  for (let k = 0; k < K; k++) for (let b = 0; b < count; b++) all[(K + b) * size + k] = all[k * size + K + b];
  const theta = covariance(
    all,
    Float64Array.from({ length: size }, (_, k) => counts[k] ?? 0),
    size,
  );
  const own = new Float64Array(count * count);
  for (let a = 0; a < count; a++)
    for (let b = 0; b < count; b++)
      if (mass[a] > 0 && mass[b] > 0) own[a * count + b] = theta[(K + a) * size + K + b];
  /** Mean of p_k in a bin. */
  const mean = (k: number, b: number) => counts[k] * all[k * size + K + b];
  return {
    probabilities: mass.map((m) => m / total),
    covariance: own,
    influence(a, b) {
      const through = response(Float64Array.from({ length: K }, (_, k) => mean(k, a) - mean(k, b)));
      return through.map(
        (x, n) => x + (bins[n] === a ? share[n] / mass[a] : 0) - (bins[n] === b ? share[n] / mass[b] : 0),
      );
    },
  };
}

/**
 * Asymptotic covariance of the free energies, Θ = V S (1 − S Vᵀ N V S)⁺ S Vᵀ with Wᵀ W = V S² Vᵀ (equation D4 of Shirts and
 * Chodera); only differences mean something.
 */
function covariance(G: Float64Array, counts: Float64Array, n: number): Float64Array {
  const { values, vectors } = symmetricEigen(G.slice(), n);
  const S = values.map((x) => Math.sqrt(Math.max(0, x)));
  const M = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += vectors[i * n + k] * counts[k] * vectors[j * n + k];
      M[i * n + j] = (i === j ? 1 : 0) - S[i] * sum * S[j];
    }
  const inner = symmetricEigen(M, n);
  // Rows U_i/√μ_i of the pseudo-inverse's root, times S Vᵀ.
  const least = 1e-10 * Math.max(...inner.values);
  const rows: Float64Array[] = [];
  for (let i = 0; i < n; i++) {
    if (!(inner.values[i] > least)) continue;
    const row = new Float64Array(n);
    for (let j = 0; j < n; j++) {
      const x = (inner.vectors[i * n + j] * S[j]) / Math.sqrt(inner.values[i]);
      if (x !== 0) for (let k = 0; k < n; k++) row[k] += x * vectors[j * n + k];
    }
    rows.push(row);
  }
  const theta = new Float64Array(n * n);
  for (const row of rows)
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) theta[i * n + j] += row[i] * row[j];
  return theta;
}
