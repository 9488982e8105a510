import type { Work } from "../../math/work.ts";
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

  private constructor(
    rows: Rows,
    solver: SettledSolver,
    triangles: Triangles,
    system: System,
    solution: Solution,
  ) {
    this.#rows = rows;
    this.#solver = solver;
    this.#triangles = triangles;
    this.#columns = system.columns;
    this.#system = system;
    this.#solution = solution;
    this.theta = system.parametersOf(solution.x);
  }

  static *create(rows: Rows, decays: Uint8Array, options: LeastSquaresOptions): Work<Solving> {
    const { solver } = options;
    if (!usesTriangles(solver)) throw new TypeError("a solver without triangles (this is a bug)");
    const triangles = yield* Triangles.create(rows.pool.device, rows.layout, rows.triangles, rows.prior);
    const all = yield* triangles.all();
    const system = yield* System.create(triangles, all, columnsOf(triangles.view(all), decays));
    triangles.release(all);
    const solution = yield* solvers[solver]({
      system,
      rows: rows.count,
      options,
      folds: triangles.count,
      leaveOut: (use) =>
        leaveOut(triangles, system.columns, (fold, rest) =>
          use(rest, (x) => errorOf(triangles, fold, system.parametersOf(x))),
        ),
    });
    return new Solving(rows, solver, triangles, system, solution);
  }

  /** Parameters [P] without each fold, all choices of the solver kept. */
  *withoutFolds(): Work<Float64Array[]> {
    const parameters: Float64Array[] = [];
    const again = this.#solution.again;
    yield* leaveOut(this.#triangles, this.#columns, function* (fold, rest) {
      parameters[fold] = rest.parametersOf(yield* again(rest));
    });
    return parameters;
  }

  /** |R_g D⁻¹ C|² of one fold: how much of the effective number of parameters its rows determine. */
  *#leverage(fold: number): Work<number> {
    const { factor, width } = this.#solution;
    const { order, scale } = this.#columns;
    const triangles = this.#triangles;
    const [N, P] = [triangles.columns, order.length];
    const [a, b, c] = [triangles.scratch(), triangles.scratch(), triangles.scratch()];
    const [R, A] = [triangles.fold(fold), triangles.view(a)];
    for (let i = 0; i < P; i++)
      for (let at = 0; at < P; at++) A[i * P + at] = order[at] < i ? 0 : R[i * N + order[at]] / scale[at];
    triangles.view(b).set(factor);
    for (let i = 0; i < P; i += BLOCK) {
      const rows = Math.min(BLOCK, P - i);
      triangles.device.gemm.f64(rows, width, P, a + 8 * i * P, P, b, width, c + 8 * i * width, width);
      yield;
    }
    const C = triangles.view(c);
    let total = 0;
    for (let k = 0; k < P * width; k++) total += C[k] * C[k];
    for (const address of [a, b, c]) triangles.release(address);
    return total;
  }

  /** What the report says, with the errors that the folds have in fits without them. */
  *outcome(leftOut: readonly FoldOutcome["leftOut"][]): Work<LeastSquaresOutcome> {
    const leverages: number[] = [];
    for (const k of this.#rows.layout.folds.keys()) leverages.push(yield* this.#leverage(k));
    const { noise, effective, rank, strength, notes } = this.#solution;
    return {
      solver: this.#solver,
      rows: this.#rows.count,
      parameters: this.theta.length,
      rank,
      effective,
      condition: yield* this.#system.plainCondition(),
      scaledCondition: yield* this.#system.condition(),
      unused: this.#system.empty.map((at) => this.#columns.order[at]),
      strength,
      noise,
      folds: this.#rows.layout.folds.map(({ name, frames }, k) => ({
        name,
        frames: frames.length,
        leverage: leverages[k],
        leftOut: leftOut[k] ?? null,
      })),
      notes,
    };
  }

  /** Root of the covariance of the parameters, packed: R of the rows of Fᵀ where the covariance is F Fᵀ. */
  *root(): Work<Float64Array> {
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
      yield;
    }
    const packed = packUpper(triangles.view(to), N, N - 1);
    triangles.release(to);
    triangles.release(from);
    return packed;
  }
}

/** Calls `use` with every fold and the problem of the rows of all others. */
function leaveOut(
  triangles: Triangles,
  columns: Columns,
  use: (fold: number, rest: System) => Work<void>,
): Work<void> {
  return triangles.leaveOut(function* (fold, rest) {
    yield* use(fold, yield* System.create(triangles, rest, columns));
  });
}

/** Squared error of θ on the rows of one fold. */
function errorOf(triangles: Triangles, fold: number, theta: Float64Array): number {
  const N = triangles.columns;
  const R = triangles.fold(fold);
  let total = R[N * N - 1] ** 2;
  for (let i = 0; i < N - 1; i++) {
    let sum = -R[i * N + N - 1];
    for (let k = i; k < N - 1; k++) sum += R[i * N + k] * theta[k];
    total += sum * sum;
  }
  return total;
}
