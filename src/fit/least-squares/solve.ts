import { conditionOf } from "../../math/condition.ts";
import { packUpper } from "../../potentials/posterior.ts";
import type { FoldOutcome, LeastSquaresOutcome } from "./outcome.ts";
import type { LeastSquaresOptions, SettledSolver } from "./options.ts";
import type { Rows } from "./rows.ts";
import type { Solution } from "./solvers/solver.ts";
import { solvers, usesTriangles } from "./solvers/table.ts";
import { columnsOf, System, type Columns } from "./system.ts";
import { Triangles } from "./triangles.ts";

/** Rows of the covariance's root that are worked on at a time. */
const BLOCK = 128;

/** The least-squares problem that the rows are, solved once; what the report says of it is worked out when asked for. */
export class Solving {
  /** Parameters in their own order, [P]. */
  readonly theta: Float64Array;
  readonly #rows: Rows;
  readonly #solver: SettledSolver;
  readonly #triangles: Triangles;
  readonly #columns: Columns;
  readonly #system: System;
  readonly #solution: Solution;
  readonly #condition: number;

  constructor(rows: Rows, decays: Uint8Array, options: LeastSquaresOptions) {
    const { device } = rows.pool;
    this.#rows = rows;
    this.#triangles = new Triangles(device, rows.layout, rows.triangles, rows.prior);
    const all = this.#triangles.all();
    const R = this.#triangles.view(all);
    this.#columns = columnsOf(R, decays);
    this.#condition = conditionOf(R, decays.length + 1, decays.length);
    this.#system = new System(this.#triangles, all, this.#columns);
    this.#triangles.release(all);
    if (!usesTriangles(options.solver)) throw new TypeError("a solver without triangles (this is a bug)");
    this.#solver = options.solver;
    this.#solution = solvers[options.solver]({
      system: this.#system,
      rows: rows.count,
      options,
      folds: this.#triangles.count,
      leaveOut: (use) => this.#leaveOut((fold, rest) => use(rest, (x) => this.#errorOf(fold, x))),
    });
    this.theta = this.#system.parametersOf(this.#solution.x);
  }

  #leaveOut(use: (fold: number, rest: System) => void): void {
    this.#triangles.leaveOut((fold, rest) => use(fold, new System(this.#triangles, rest, this.#columns)));
  }

  /** Squared error of x on the rows of one fold. */
  #errorOf(fold: number, x: Float64Array): number {
    const N = this.#triangles.columns;
    const R = this.#triangles.fold(fold);
    const theta = this.#system.parametersOf(x);
    let total = R[N * N - 1] ** 2;
    for (let i = 0; i < N - 1; i++) {
      let sum = -R[i * N + N - 1];
      for (let k = i; k < N - 1; k++) sum += R[i * N + k] * theta[k];
      total += sum * sum;
    }
    return total;
  }

  /** Parameters [P] without each fold, all choices of the solver kept. */
  withoutFolds(): Float64Array[] {
    const parameters: Float64Array[] = [];
    this.#leaveOut((fold, rest) => (parameters[fold] = rest.parametersOf(this.#solution.again(rest))));
    return parameters;
  }

  /** |R_g D⁻¹ C|² of one fold: how much of the effective number of parameters its rows determine. */
  #leverage(fold: number): number {
    const { factor, width } = this.#solution;
    const { order, scale } = this.#columns;
    const triangles = this.#triangles;
    const [N, P] = [triangles.columns, order.length];
    const [a, b, c] = [triangles.scratch(), triangles.scratch(), triangles.scratch()];
    const [R, A] = [triangles.fold(fold), triangles.view(a)];
    for (let i = 0; i < P; i++)
      for (let at = 0; at < P; at++) A[i * P + at] = order[at] < i ? 0 : R[i * N + order[at]] / scale[at];
    triangles.view(b).set(factor);
    triangles.device.gemm.f64(P, width, P, a, P, b, width, c, width);
    const C = triangles.view(c);
    let total = 0;
    for (let k = 0; k < P * width; k++) total += C[k] * C[k];
    for (const address of [a, b, c]) triangles.release(address);
    return total;
  }

  /** What the report says, with the errors that the folds have in fits without them. */
  outcome(leftOut: readonly FoldOutcome["leftOut"][]): LeastSquaresOutcome {
    const { noise, effective, rank, strength, notes } = this.#solution;
    return {
      solver: this.#solver,
      rows: this.#rows.count,
      parameters: this.theta.length,
      rank,
      effective,
      condition: this.#condition,
      scaledCondition: this.#system.condition,
      strength,
      noise,
      folds: this.#rows.layout.folds.map(({ name, frames }, k) => ({
        name,
        frames: frames.length,
        leverage: this.#leverage(k),
        leftOut: leftOut[k] ?? null,
      })),
      notes,
    };
  }

  /** Root of the covariance of the parameters, packed: R of the rows of Fᵀ where the covariance is F Fᵀ. */
  root(): Float64Array {
    const { factor, width, noise } = this.#solution;
    const { order, scale } = this.#columns;
    const triangles = this.#triangles;
    const N = triangles.columns;
    const [to, from] = [triangles.scratch(), triangles.scratch()];
    triangles.view(to).fill(0);
    // No more rows than a triangle, whose room they take.
    const block = Math.min(BLOCK, N);
    for (let j = 0; j < width; j += block) {
      const m = Math.min(block, width - j);
      const rows = triangles.view(from).fill(0, 0, m * N);
      for (let i = 0; i < m; i++)
        order.forEach((k, at) => (rows[i * N + k] = (noise * factor[at * width + j + i]) / scale[at]));
      triangles.qr.append(to, from, m);
    }
    const packed = packUpper(triangles.view(to), N, N - 1);
    triangles.release(to);
    triangles.release(from);
    return packed;
  }
}
