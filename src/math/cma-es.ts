import { finite } from "./derivative-free.ts";
import type { Box, Search } from "./derivative-free.ts";
import { Random } from "./random.ts";
import { symmetricEigen } from "./symmetric-eigen.ts";

/** How a search by evolution begins and ends. */
export interface EvolutionOptions {
  /** First standard deviation, in the variables' own units: scale them alike. */
  readonly begin: number;
  /** Ends when every standard deviation is below this. */
  readonly end: number;
  readonly evaluations: number;
  readonly seed: number;
  /** Points of one generation, λ; 4 + 3 ln n by default. */
  readonly population?: number;
}

/**
 * Minimum of a rough or noisy function in a box: CMA-ES with rank-one and rank-µ updates and cumulative step
 * lengths (N. Hansen, The CMA evolution strategy: a tutorial, arXiv:1604.00772, whose constants are used). Points
 * outside the box are evaluated at the nearest one inside, and their distance counts against them.
 */
export function* evolutionSearch(start: Float64Array, box: Box, options: EvolutionOptions): Search {
  const swarm = new Swarm(start, options);
  const { begin, end, evaluations } = options;
  let used = 0;
  let bestX = inside(start, box);
  let bestValue = Infinity;
  const seen: number[] = [];
  for (;;) {
    const points = swarm.sample();
    if (used + points.length > evaluations && used > 0)
      return { x: bestX, value: bestValue, evaluations: used, why: "evaluations" };
    const asked = points.map((x) => inside(x, box));
    const values = finite(yield asked, seen);
    used += points.length;
    values.forEach((value, k) => {
      seen.push(value);
      if (value < bestValue) [bestX, bestValue] = [asked[k], value];
    });
    const spread = Math.max(...values) - Math.min(...values) || 1;
    swarm.tell(values.map((value, k) => value + spread * (distance(points[k], asked[k]) / begin) ** 2));
    if (swarm.widest < end) return { x: bestX, value: bestValue, evaluations: used, why: "converged" };
  }
}

const inside = (x: Float64Array, { lower, upper }: Box): Float64Array =>
  x.map((v, i) => Math.min(upper[i], Math.max(lower[i], v)));

const distance = (a: Float64Array, b: Float64Array): number =>
  Math.sqrt(a.reduce((sum, x, i) => sum + (x - b[i]) ** 2, 0));

/** Mean, step length and covariance of the search's distribution; letters as in the tutorial. */
class Swarm {
  readonly #random: Random;
  readonly #n: number;
  readonly #lambda: number;
  readonly #weights: Float64Array;
  readonly #mueff: number;
  readonly #mean: Float64Array;
  #sigma: number;
  readonly #C: Float64Array;
  /** Rows of eigenvectors and roots of eigenvalues of C. */
  #B: Float64Array;
  #D: Float64Array;
  readonly #pc: Float64Array;
  readonly #ps: Float64Array;
  #generation = 0;
  #steps: Float64Array[] = [];

  constructor(start: Float64Array, { seed, begin, population }: EvolutionOptions) {
    const n = start.length;
    this.#n = n;
    this.#random = new Random(seed, "evolution");
    this.#lambda = population ?? 4 + Math.floor(3 * Math.log(n));
    const mu = Math.floor(this.#lambda / 2);
    const raw = Float64Array.from(
      { length: mu },
      (_, k) => Math.log(this.#lambda / 2 + 0.5) - Math.log(k + 1),
    );
    const sum = raw.reduce((a, b) => a + b, 0);
    this.#weights = raw.map((w) => w / sum);
    this.#mueff = 1 / this.#weights.reduce((s, w) => s + w * w, 0);
    this.#mean = start.slice();
    this.#sigma = begin;
    this.#C = identity(n);
    this.#B = identity(n);
    this.#D = new Float64Array(n).fill(1);
    this.#pc = new Float64Array(n);
    this.#ps = new Float64Array(n);
  }

  /** Largest standard deviation of a variable. */
  get widest(): number {
    const n = this.#n;
    let most = 0;
    for (let i = 0; i < n; i++) most = Math.max(most, this.#sigma * Math.sqrt(this.#C[i * n + i]));
    return most;
  }

  /** λ points mean + σ B D z. */
  sample(): Float64Array[] {
    const n = this.#n;
    this.#steps = Array.from({ length: this.#lambda }, () => {
      const z = this.#random.normals(new Float64Array(n));
      const y = new Float64Array(n);
      for (let k = 0; k < n; k++) for (let i = 0; i < n; i++) y[i] += this.#B[k * n + i] * this.#D[k] * z[k];
      return y;
    });
    return this.#steps.map((y) => y.map((v, i) => this.#mean[i] + this.#sigma * v));
  }

  /** Moves and shapes the distribution by the values of the points last sampled. */
  tell(values: readonly number[]): void {
    const n = this.#n;
    const w = this.#weights;
    const order = values.map((_, k) => k).sort((a, b) => values[a] - values[b] || a - b);
    const chosen = order.slice(0, w.length).map((k) => this.#steps[k]);
    const y = new Float64Array(n);
    chosen.forEach((step, k) => step.forEach((v, i) => (y[i] += w[k] * v)));
    for (let i = 0; i < n; i++) this.#mean[i] += this.#sigma * y[i];
    this.#generation++;
    const [m, e] = [this.#mueff, (n + 1.3) ** 2];
    const cs = (m + 2) / (n + m + 5);
    const cc = (4 + m / n) / (n + 4 + (2 * m) / n);
    const c1 = 2 / (e + m);
    const cmu = Math.min(1 - c1, (2 * (m - 2 + 1 / m)) / ((n + 2) ** 2 + m));
    const damping = 1 + 2 * Math.max(0, Math.sqrt((m - 1) / (n + 1)) - 1) + cs;
    const expected = Math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n));
    const white = this.#whiten(y);
    for (let i = 0; i < n; i++)
      this.#ps[i] = (1 - cs) * this.#ps[i] + Math.sqrt(cs * (2 - cs) * m) * white[i];
    const length = Math.sqrt(this.#ps.reduce((s, v) => s + v * v, 0));
    const fresh = Math.sqrt(1 - (1 - cs) ** (2 * this.#generation));
    const stalled = length / fresh >= (1.4 + 2 / (n + 1)) * expected;
    for (let i = 0; i < n; i++)
      this.#pc[i] = (1 - cc) * this.#pc[i] + (stalled ? 0 : Math.sqrt(cc * (2 - cc) * m) * y[i]);
    const keep = 1 - c1 - cmu + (stalled ? c1 * cc * (2 - cc) : 0);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        let ranks = 0;
        chosen.forEach((step, k) => (ranks += w[k] * step[i] * step[j]));
        this.#C[i * n + j] = keep * this.#C[i * n + j] + c1 * this.#pc[i] * this.#pc[j] + cmu * ranks;
      }
    this.#sigma *= Math.exp((cs / damping) * (length / expected - 1));
    const { values: eigenvalues, vectors } = symmetricEigen(this.#C.slice(), n);
    this.#B = vectors;
    this.#D = eigenvalues.map((v) => Math.sqrt(Math.max(v, 0)));
  }

  /** C^(−½) y. */
  #whiten(y: Float64Array): Float64Array {
    const n = this.#n;
    const out = new Float64Array(n);
    for (let k = 0; k < n; k++) {
      let along = 0;
      for (let i = 0; i < n; i++) along += this.#B[k * n + i] * y[i];
      if (this.#D[k] === 0) continue;
      for (let i = 0; i < n; i++) out[i] += (along / this.#D[k]) * this.#B[k * n + i];
    }
    return out;
  }
}

function identity(n: number): Float64Array {
  const I = new Float64Array(n * n);
  for (let i = 0; i < n; i++) I[i * n + i] = 1;
  return I;
}
