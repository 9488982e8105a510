import { finite } from "./derivative-free.ts";
import type { Box, Found, Search } from "./derivative-free.ts";
import { dot } from "./minimise.ts";
import { quadraticAt, trustRegionStep } from "./trust-region.ts";
import type { Quadratic } from "./trust-region.ts";

/** How a search by quadratic interpolation begins and ends. */
export interface InterpolationOptions {
  /** First distance between points, in the variables' own units: scale them alike. */
  readonly begin: number;
  /** Last one: about the error of the result. */
  readonly end: number;
  readonly evaluations: number;
}

/**
 * Minimum of a smooth function of a few variables in a box without derivatives: a quadratic through 2n + 1 points,
 * the freedom that is left taken up by the least change of its Hessian in the Frobenius norm, minimised in a trust
 * region; points that lie badly are replaced by ones that make the interpolation stable. After M. J. D. Powell's
 * NEWUOA (DOI 10.1007/0-387-30065-1_16) and BOBYQA (report DAMTP 2009/NA06), with small dense systems solved anew.
 */
export function* interpolationSearch(start: Float64Array, box: Box, options: InterpolationOptions): Search {
  const set = new Interpolation(start, box, options.begin);
  const { end, evaluations } = options;
  let rho = options.begin;
  let radius = rho;
  set.values.push(...finite(yield set.points, []));
  let used = set.points.length;
  set.choose();
  /** Errors of the model at the last points, newest first. */
  let errors: number[] = [];
  const done = (why: Found["why"]): Found => ({
    x: set.points[set.best].slice(),
    value: set.values[set.best],
    evaluations: used,
    why,
  });
  for (;;) {
    set.fit();
    const { s, curvature } = trustRegionStep(set.model, radius, set.room());
    const length = norm(s);
    let ratio = -1;
    let settled = false;
    if (length < rho / 2) {
      radius = shrunk(radius / 10, rho);
      settled = curvature > 0 && errors.length === 3 && errors.every((e) => e <= (curvature * rho * rho) / 8);
    } else {
      if (used >= evaluations) return done("evaluations");
      const x = set.away(s);
      const [value] = finite(yield [x], set.values);
      used++;
      const expected = quadraticAt(set.model, s);
      const change = value - set.values[set.best];
      errors = [Math.abs(change - expected), ...errors].slice(0, 3);
      ratio = change / expected;
      const next = ratio <= 0.1 ? length / 2 : Math.max(radius / 2, ratio <= 0.7 ? length : 2 * length);
      radius = shrunk(next, rho);
      set.replace(set.worstFor(x, change < 0, radius, rho), x, value);
      if (ratio >= 0.1) continue;
    }
    const far = settled ? -1 : set.farthest(2 * radius);
    if (far >= 0) {
      if (used >= evaluations) return done("evaluations");
      const reach = Math.max(Math.min(0.1 * set.distance(far), radius / 2), rho);
      const { x, expected } = set.spread(far, reach);
      const [value] = finite(yield [x], set.values);
      used++;
      errors = [Math.abs(value - set.values[set.best] - expected), ...errors].slice(0, 3);
      set.replace(far, x, value);
      continue;
    }
    if (ratio > 0 || (!settled && Math.max(radius, length) > rho && length >= rho / 2)) continue;
    if (rho <= end) {
      if (length > 0 && length < rho / 2 && used < evaluations) {
        // The last step was too short to be worth an evaluation before; now it is the one that is left.
        const x = set.away(s);
        const [value] = finite(yield [x], set.values);
        used++;
        if (value < set.values[set.best]) set.replace(set.best, x, value);
      }
      return done("converged");
    }
    const before = rho;
    rho = rho <= 16 * end ? end : rho <= 250 * end ? Math.sqrt(rho * end) : rho / 10;
    radius = Math.max(before / 2, rho);
    errors = [];
  }
}

const norm = (s: Float64Array): number => Math.sqrt(dot(s, s));

/** A radius that is nearly rho is rho. */
const shrunk = (radius: number, rho: number): number => (radius <= 1.5 * rho ? rho : radius);

/** 2n + 1 points, their values, and the quadratic through them. */
class Interpolation {
  readonly points: Float64Array[];
  readonly values: number[] = [];
  best = 0;
  /** About the best point. */
  model: Quadratic;
  /** Where the model's Hessian was last centred; its gradient is kept there. */
  #centre: Float64Array;
  #factor: Factor | undefined;
  #scale = 1;
  readonly #box: Box;

  constructor(start: Float64Array, box: Box, begin: number) {
    const n = start.length;
    this.#box = box;
    const inside = start.map((x, i) => Math.min(box.upper[i], Math.max(box.lower[i], x)));
    const moved = (i: number, by: number) => {
      const x = inside.slice();
      x[i] += by;
      return x;
    };
    const pairs = Array.from({ length: n }, (_, i) => {
      // Where one side has no room, both points lie on the other.
      const up = box.upper[i] - inside[i] >= begin ? begin : -2 * begin;
      const down = inside[i] - box.lower[i] >= begin ? -begin : 2 * begin;
      return [moved(i, up), moved(i, down)];
    });
    this.points = [inside, ...pairs.map(([a]) => a), ...pairs.map(([, b]) => b)];
    this.model = { g: new Float64Array(n), H: new Float64Array(n * n) };
    this.#centre = inside;
  }

  choose(): void {
    this.best = this.values.indexOf(Math.min(...this.values));
  }

  /** Bounds of a step from the best point. */
  room(): Box {
    const x = this.points[this.best];
    return {
      lower: this.#box.lower.map((b, i) => b - x[i]),
      upper: this.#box.upper.map((b, i) => b - x[i]),
    };
  }

  /** The best point moved, exactly within the box. */
  away(s: Float64Array): Float64Array {
    const { lower, upper } = this.#box;
    return this.points[this.best].map((x, i) => Math.min(upper[i], Math.max(lower[i], x + s[i])));
  }

  distance(t: number): number {
    return norm(this.#from(t));
  }

  /** The point farthest from the best if it is farther than `limit`, else −1. */
  farthest(limit: number): number {
    const distances = this.points.map((_, t) => this.distance(t));
    const far = distances.indexOf(Math.max(...distances));
    return distances[far] > limit ? far : -1;
  }

  replace(t: number, x: Float64Array, value: number): void {
    this.points[t] = x;
    this.values[t] = value;
    this.choose();
  }

  #from(t: number): Float64Array {
    const origin = this.points[this.best];
    return this.points[t].map((x, i) => x - origin[i]);
  }

  /** Moves the model to the best point and changes its Hessian as little as the values demand. */
  fit(): void {
    const n = this.model.g.length;
    const origin = this.points[this.best];
    const shift = origin.map((x, i) => x - this.#centre[i]);
    const { g, H } = this.model;
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) g[i] += H[i * n + j] * shift[j];
    this.#centre = origin.slice();
    const steps = this.points.map((_, t) => this.#from(t));
    this.#scale = Math.max(...steps.map(norm));
    this.#factor = factorise(steps, this.#scale);
    const missing = steps.map((s, t) => this.values[t] - this.values[this.best] - quadraticAt(this.model, s));
    const change = this.#quadratic(this.#factor.solve(missing), steps);
    for (let i = 0; i < n; i++) g[i] += change.g[i];
    for (let k = 0; k < n * n; k++) H[k] += change.H[k];
  }

  /** The quadratic of multipliers λ [points] and gradient, in the scaled variables. */
  #quadratic(solution: Float64Array, steps: readonly Float64Array[]): Quadratic {
    const n = this.model.g.length;
    const m = steps.length;
    const h = this.#scale;
    const H = new Float64Array(n * n);
    for (let t = 0; t < m; t++) {
      const weight = solution[t] / h ** 4;
      for (let i = 0; i < n; i++)
        for (let j = 0; j < n; j++) H[i * n + j] += weight * steps[t][i] * steps[t][j];
    }
    return { g: Float64Array.from({ length: n }, (_, i) => solution[m + 1 + i] / h), H };
  }

  /** The Lagrange polynomial of point t: 1 there, 0 at the others; `constant` is its value at the best point. */
  #lagrange(t: number): { readonly q: Quadratic; readonly constant: number } {
    const steps = this.points.map((_, k) => this.#from(k));
    this.#factor ??= factorise(steps, this.#scale);
    const solution = this.#factor.solve(steps.map((_, k) => (k === t ? 1 : 0)));
    return { q: this.#quadratic(solution, steps), constant: t === this.best ? 1 : 0 };
  }

  /** The point that x should replace: far away, and one without which the interpolation stays stable. */
  worstFor(x: Float64Array, better: boolean, radius: number, rho: number): number {
    const s = x.map((v, i) => v - this.points[this.best][i]);
    const near = Math.max(radius / 10, rho);
    const merit = this.points.map((_, t) => {
      if (t === this.best && !better) return -1;
      const { q, constant } = this.#lagrange(t);
      const away = norm(this.points[t].map((v, i) => v - (better ? x[i] : this.points[this.best][i])));
      return Math.abs(constant + quadraticAt(q, s)) * Math.max(1, away / near) ** 6;
    });
    return merit.indexOf(Math.max(...merit));
  }

  /** The point within `reach` of the best where the Lagrange polynomial of t is largest, and the model there. */
  spread(t: number, reach: number): { readonly x: Float64Array; readonly expected: number } {
    const { q } = this.#lagrange(t);
    const minus = { g: q.g.map((v) => -v), H: q.H.map((v) => -v) };
    const box = this.room();
    const candidates = [q, minus].map((p) => trustRegionStep(p, reach, box).s);
    const sizes = candidates.map((s) => Math.abs(quadraticAt(q, s)));
    const s = candidates[sizes[0] > sizes[1] ? 0 : 1];
    return { x: this.away(s), expected: quadraticAt(this.model, s) };
  }
}

interface Factor {
  /** λ, constant and gradient for values [points], in the scaled variables. */
  solve(values: readonly number[]): Float64Array;
}

/**
 * LU with partial pivoting of the system of least Frobenius norm,
 * Σ_t λ_t ½ (d_s·d_t)² + c + g·d_s = f_s, Σ λ = 0, Σ λ d = 0, with d in units of `scale`.
 */
function factorise(steps: readonly Float64Array[], scale: number): Factor {
  const m = steps.length;
  const n = steps[0].length;
  const size = m + 1 + n;
  const d = steps.map((s) => s.map((x) => x / scale));
  const W = Array.from({ length: size }, () => new Float64Array(size));
  for (let s = 0; s < m; s++) {
    for (let t = 0; t < m; t++) W[s][t] = dot(d[s], d[t]) ** 2 / 2;
    W[s][m] = W[m][s] = 1;
    for (let i = 0; i < n; i++) W[s][m + 1 + i] = W[m + 1 + i][s] = d[s][i];
  }
  const order = decompose(W);
  return {
    solve(values) {
      const y = Float64Array.from(order, (k) => (k < m ? values[k] : 0));
      for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) y[i] -= W[i][j] * y[j];
      for (let i = size - 1; i >= 0; i--) {
        for (let j = i + 1; j < size; j++) y[i] -= W[i][j] * y[j];
        y[i] /= W[i][i];
      }
      return y;
    },
  };
}

/** LU in place; returns the order of the rows. */
function decompose(W: Float64Array[]): number[] {
  const order = W.map((_, k) => k);
  for (let k = 0; k < W.length; k++) {
    let pivot = k;
    for (let i = k + 1; i < W.length; i++) if (Math.abs(W[i][k]) > Math.abs(W[pivot][k])) pivot = i;
    [W[k], W[pivot]] = [W[pivot], W[k]];
    [order[k], order[pivot]] = [order[pivot], order[k]];
    // Points that coincide make the system singular; a tiny pivot keeps it solvable and its Lagrange values large.
    if (W[k][k] === 0) W[k][k] = Number.EPSILON;
    for (let i = k + 1; i < W.length; i++) {
      const factor = (W[i][k] /= W[k][k]);
      if (factor === 0) continue;
      for (let j = k + 1; j < W.length; j++) W[i][j] -= factor * W[k][j];
    }
  }
  return order;
}
