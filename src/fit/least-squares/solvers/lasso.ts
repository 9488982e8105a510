import { invalid } from "../../../error.ts";
import type { Work } from "../../../math/work.ts";
import type { System } from "../system.ts";
import { noiseOf, penalised, type Solver, type SolverInput } from "./solver.ts";

/** Strengths of a path, and how far the last lies below the one that leaves nothing. */
const PATH = 49;
const DECADES = 8;
const ROUNDS = 500;
const SETTLED = 1e-10;

/**
 * Minimises |T x − z|²/2 + λ Σ|x_k| from one strength to the next: a sweep over all coordinates (J. Friedman et al.,
 * DOI 10.18637/jss.v033.i01) finds which are in use, and least squares on those, as far as no sign changes, goes to
 * their exact minimum (M. R. Osborne et al., DOI 10.1093/imanum/20.3.389), which a sweep alone would only creep towards.
 */
class Descent {
  readonly n: number;
  readonly #system: System;
  /** Columns of T one behind the other, and their squares. */
  readonly #columns: Float64Array;
  readonly #squares: Float64Array;
  readonly #z: Float64Array;
  /** z − T x. */
  readonly #residual: Float64Array;
  readonly #x: Float64Array;

  constructor(system: System) {
    const { T, z, n } = system.penalised;
    this.n = n;
    this.#system = system;
    this.#columns = new Float64Array(n * n);
    for (let i = 0; i < n; i++) for (let k = i; k < n; k++) this.#columns[k * n + i] = T[i * n + k];
    this.#squares = Float64Array.from({ length: n }, (_, k) => this.#dot(k, this.#columns.subarray(k * n)));
    this.#z = z;
    this.#residual = z.slice();
    this.#x = new Float64Array(n);
  }

  #dot(k: number, y: Float64Array): number {
    let sum = 0;
    for (let i = 0, at = k * this.n; i <= k; i++) sum += this.#columns[at++] * y[i];
    return sum;
  }

  /** The strength from which on every coefficient is 0. */
  get most(): number {
    let most = 0;
    for (let k = 0; k < this.n; k++) most = Math.max(most, Math.abs(this.#dot(k, this.#z)));
    return most;
  }

  /** Goes on to strength λ. */
  *descend(lambda: number): Work<{ readonly x: Float64Array; readonly settled: boolean }> {
    for (let round = 0; round < ROUNDS; round++) {
      if (!this.#sweep(lambda)) return { x: this.#x.slice(), settled: true };
      yield;
      while (yield* this.#towardsMinimum(lambda));
    }
    return { x: this.#x.slice(), settled: false };
  }

  /** Every coordinate at its best in turn; true where one has moved. */
  #sweep(lambda: number): boolean {
    const residual = this.#residual;
    let [moved, largest] = [0, 0];
    for (let k = 0; k < this.n; k++) {
      if (this.#squares[k] === 0) continue;
      const before = this.#x[k];
      const pull = this.#dot(k, residual) + this.#squares[k] * before;
      const size = Math.max(0, Math.abs(pull) - lambda) / this.#squares[k];
      const x = pull < 0 ? -size : size;
      const change = x - before;
      if (change !== 0) {
        for (let i = 0, at = k * this.n; i <= k; i++) residual[i] -= change * this.#columns[at++];
        this.#x[k] = x;
      }
      moved = Math.max(moved, Math.abs(change));
      largest = Math.max(largest, Math.abs(x));
    }
    return moved > SETTLED * largest;
  }

  /** x to the minimum on the columns in use with their signs, or until the first is 0; true where one has become 0. */
  *#towardsMinimum(lambda: number): Work<boolean> {
    const x = this.#x;
    const { free } = this.#system.columns;
    const P = free + this.n;
    const penalty = Float64Array.from({ length: P }, (_, k) =>
      k < free || x[k - free] !== 0 ? 0 : Infinity,
    );
    const { x: plain, inverse } = yield* this.#system.solve(penalty);
    // x = plain − λ C Cᵀ s with the signs s.
    const pulls = new Float64Array(P);
    for (let k = 0; k < this.n; k++)
      for (let j = free + k; j < P; j++) pulls[j] += inverse[(free + k) * P + j] * Math.sign(x[k]);
    let [part, out] = [1, -1];
    const target = new Float64Array(this.n);
    for (let k = 0; k < this.n; k++) {
      if (x[k] === 0) continue;
      const row = (free + k) * P;
      target[k] = plain[free + k];
      for (let j = free + k; j < P; j++) target[k] -= lambda * inverse[row + j] * pulls[j];
      if (target[k] * x[k] >= 0) continue;
      const until = x[k] / (x[k] - target[k]);
      if (until < part) [part, out] = [until, k];
    }
    for (let k = 0; k < this.n; k++) x[k] += part * (target[k] - x[k]);
    if (out >= 0) x[out] = 0;
    this.#residual.set(this.#z);
    for (let k = 0; k < this.n; k++)
      for (let i = 0, at = k * this.n; x[k] !== 0 && i <= k; i++)
        this.#residual[i] -= x[k] * this.#columns[at++];
    return out >= 0;
  }
}

const pathFrom = (most: number): number[] =>
  Array.from({ length: PATH }, (_, k) => most * 10 ** ((-DECADES * k) / (PATH - 1)));

/** Down the path to a strength. */
function* along(descent: Descent, path: readonly number[], lambda: number): ReturnType<Descent["descend"]> {
  for (const next of path) if (next > lambda) yield* descent.descend(next);
  return yield* descent.descend(lambda);
}

/** The strength whose squared error on folds that were left out is least. */
function* crossValidated(input: SolverInput, path: readonly number[]): Work<number> {
  if (input.folds < 2)
    throw invalid("training.leastSquares.strength", "a number where there are no folds to leave out", "auto");
  const errors = new Float64Array(path.length);
  yield* input.leaveOut(function* (rest, errorOf) {
    const descent = new Descent(rest);
    for (const [k, lambda] of path.entries())
      errors[k] += errorOf(rest.complete((yield* descent.descend(lambda)).x));
  });
  return path[errors.indexOf(Math.min(...errors))];
}

/**
 * |A θ − b|²/2 + λ Σ|θ_k| on columns of length 1, constants free: many coefficients are exactly zero. λ by
 * cross-validation unless given. The covariance is that of plain least squares on the columns in use.
 */
export const lasso: Solver = function* (input) {
  const { system, rows, options } = input;
  const descent = new Descent(system);
  const path = pathFrom(descent.most);
  const lambda = options.strength === "auto" ? yield* crossValidated(input, path) : options.strength;
  const found = yield* along(descent, path, lambda);
  const x = system.complete(found.x);
  const { free } = system.columns;
  const penalty = Float64Array.from(x, (v, k) => (k < free || v !== 0 ? 0 : Infinity));
  const rank = penalty.filter((l) => l === 0).length;
  const notes = [`${rank} of ${x.length} parameters are not zero`];
  if (!found.settled) notes.push(`coordinate descent has not settled after ${ROUNDS} rounds`);
  const plain = yield* penalised(input, penalty, lambda, notes);
  const again = function* (rest: System) {
    return rest.complete((yield* along(new Descent(rest), path, lambda)).x);
  };
  return { ...plain, x, again, noise: noiseOf(system.error(x), rows, rank) };
};
