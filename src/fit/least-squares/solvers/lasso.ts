import { invalid } from "../../../error.ts";
import type { System } from "../system.ts";
import { noiseOf, penalised, type Solver, type SolverInput } from "./solver.ts";

/** Strengths of a path, and how far the last lies below the one that leaves nothing. */
const PATH = 49;
const DECADES = 8;
const SWEEPS = 2000;
const SETTLED = 1e-9;

/** Coordinate descent on |T x − z|²/2 + λ Σ|x_k|, from one strength to the next (J. Friedman et al., DOI 10.18637/jss.v033.i01). */
class Descent {
  readonly n: number;
  /** Columns of T one behind the other, and their squares. */
  readonly #columns: Float64Array;
  readonly #squares: Float64Array;
  /** z − T x. */
  readonly #residual: Float64Array;
  readonly #x: Float64Array;

  constructor(system: System) {
    const { T, z, n } = system.penalised;
    this.n = n;
    this.#columns = new Float64Array(n * n);
    for (let i = 0; i < n; i++) for (let k = i; k < n; k++) this.#columns[k * n + i] = T[i * n + k];
    this.#squares = Float64Array.from({ length: n }, (_, k) => this.#dot(k, this.#columns.subarray(k * n)));
    this.#residual = z;
    this.#x = new Float64Array(n);
  }

  #dot(k: number, y: Float64Array): number {
    let sum = 0;
    for (let i = 0, at = k * this.n; i <= k; i++) sum += this.#columns[at++] * y[i];
    return sum;
  }

  /** The strength from which on every coefficient is 0; only right at the start. */
  get most(): number {
    let most = 0;
    for (let k = 0; k < this.n; k++) most = Math.max(most, Math.abs(this.#dot(k, this.#residual)));
    return most;
  }

  /** Goes on to strength λ; all columns, then those in use until they stay, and again until no other comes in. */
  descend(lambda: number): { readonly x: Float64Array; readonly settled: boolean } {
    const all = Array.from({ length: this.n }, (_, k) => k);
    for (let sweep = 0; sweep < SWEEPS;) {
      if (!this.#sweep(all, lambda)) return { x: this.#x.slice(), settled: true };
      const used = all.filter((k) => this.#x[k] !== 0);
      sweep++;
      while (sweep++ < SWEEPS && this.#sweep(used, lambda));
    }
    return { x: this.#x.slice(), settled: false };
  }

  /** True where a coefficient has moved. */
  #sweep(columns: readonly number[], lambda: number): boolean {
    const residual = this.#residual;
    let moved = 0;
    let largest = 0;
    for (const k of columns) {
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
}

const pathFrom = (most: number): number[] =>
  Array.from({ length: PATH }, (_, k) => most * 10 ** ((-DECADES * k) / (PATH - 1)));

/** Down the path to a strength. */
function along(descent: Descent, path: readonly number[], lambda: number): ReturnType<Descent["descend"]> {
  for (const next of path) if (next > lambda) descent.descend(next);
  return descent.descend(lambda);
}

/** The strength whose squared error on folds that were left out is least. */
function crossValidated(input: SolverInput, path: readonly number[]): number {
  if (input.folds < 2)
    throw invalid("training.leastSquares.strength", "a number where there are no folds to leave out", "auto");
  const errors = new Float64Array(path.length);
  input.leaveOut((rest, errorOf) => {
    const descent = new Descent(rest);
    path.forEach((lambda, k) => (errors[k] += errorOf(rest.complete(descent.descend(lambda).x))));
  });
  return path[errors.indexOf(Math.min(...errors))];
}

/**
 * |A θ − b|²/2 + λ Σ|θ_k| on columns of length 1, constants free: many coefficients are exactly zero. λ by
 * cross-validation unless given. The covariance is that of plain least squares on the columns in use.
 */
export const lasso: Solver = (input) => {
  const { system, rows, options } = input;
  const descent = new Descent(system);
  const path = pathFrom(descent.most);
  const lambda = options.strength === "auto" ? crossValidated(input, path) : options.strength;
  const found = along(descent, path, lambda);
  const x = system.complete(found.x);
  const { free } = system.columns;
  const penalty = Float64Array.from(x, (v, k) => (k < free || v !== 0 ? 0 : Infinity));
  const rank = penalty.filter((l) => l === 0).length;
  const notes = [`${rank} of ${x.length} parameters are not zero`];
  if (!found.settled) notes.push(`coordinate descent has not settled after ${SWEEPS} sweeps`);
  const plain = penalised(input, penalty, lambda, notes);
  const again = (rest: System) => rest.complete(along(new Descent(rest), path, lambda).x);
  return { ...plain, x, again, noise: noiseOf(system.error(x), rows, rank) };
};
