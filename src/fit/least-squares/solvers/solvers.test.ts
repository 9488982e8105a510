import { beforeAll, describe, expect, it } from "vitest";
import { createDevice } from "../../../device/device.ts";
import { RowQr } from "../../../math/qr.ts";
import { symmetricEigen } from "../../../math/symmetric-eigen.ts";
import { finish, type Work } from "../../../math/work.ts";
import { Random } from "../../../math/random.ts";
import { leastSquaresSchema } from "../options.ts";
import { columnsOf, System, type Columns } from "../system.ts";
import { Triangles } from "../triangles.ts";
import type { Solution } from "./solver.ts";
import { solvers, type TriangleSolver } from "./table.ts";

const [P, N, ROWS, FOLDS] = [9, 10, 60, 3];
/** A constant in the second column, one column without rows, five that matter. */
const TRUTH = [1.5, -7, 0, 0.8, 0, -1.2, 0, 0, 2];
const EMPTY = 6;
const FREE = 1;
const NOISE = 0.3;

function* nothing(): Work<void> {}

describe("solvers, on made-up rows", () => {
  const A = new Float64Array(ROWS * P);
  const b = new Float64Array(ROWS);
  let triangles: Triangles;
  let columns: Columns;
  let system: System;

  beforeAll(() => {
    const random = new Random(17);
    const device = createDevice({ bytes: 2 ** 23 });
    const lanes = device.memory.alloc(8 * N * N * FOLDS);
    const row = device.memory.alloc(8 * N);
    const qr = new RowQr(device, N);
    for (let i = 0; i < ROWS; i++) {
      const a = A.subarray(i * P, (i + 1) * P);
      for (let k = 0; k < P; k++) a[k] = k === FREE ? 1 : k === EMPTY ? 0 : 10 ** (k - 4) * random.normal();
      b[i] = TRUTH.reduce(
        (sum, t, k) => sum + a[k] * t * 10 ** (k === FREE ? 0 : 4 - k),
        NOISE * random.normal(),
      );
      device.memory.f64(row, N).set([...a, b[i]]);
      qr.append(lanes + 8 * N * N * (i % FOLDS), row, 1);
    }
    const folds = Array.from({ length: FOLDS }, (_, k) => ({ name: `${k}`, frames: [] }));
    const layout = { blockRows: 0, rounds: 0, rows: ROWS, columns: N, bytes: 0 };
    const lanesOf = folds.map((_, fold) => ({ fold, blocks: [] }));
    triangles = finish(Triangles.create(device, { ...layout, folds, lanes: lanesOf }, lanes));
    const decays = Uint8Array.from({ length: P }, (_, k) => (k === FREE ? 0 : 1));
    const all = finish(triangles.all());
    columns = columnsOf(triangles.view(all), decays);
    system = finish(System.create(triangles, all, columns));
  });

  /** Squared error of parameters on some rows. */
  const errorOn = (theta: ArrayLike<number>, rows: readonly number[]): number =>
    rows.reduce((total, i) => {
      let e = -b[i];
      for (let k = 0; k < P; k++) e += A[i * P + k] * theta[k];
      return total + e * e;
    }, 0);
  const every = Array.from({ length: ROWS }, (_, i) => i);

  const solve = (solver: TriangleSolver, more: object = {}): Solution & { theta: Float64Array } => {
    const found = finish(
      solvers[solver]({
        system,
        rows: ROWS,
        options: leastSquaresSchema.parse({ solver, ...more }),
        folds: FOLDS,
        leaveOut: (use) =>
          triangles.leaveOut(function* (fold, rest) {
            const rows = every.filter((i) => i % FOLDS === fold);
            const left = yield* System.create(triangles, rest, columns);
            yield* use(left, (x) => errorOn(system.parametersOf(x), rows));
          }),
      }),
    );
    return { ...found, theta: system.parametersOf(found.x) };
  };

  /** ½ ∂|A θ − b|²/∂x_k in the scale and order of the columns. */
  const slopes = (theta: ArrayLike<number>): number[] =>
    Array.from(columns.order, (parameter, at) =>
      every.reduce((sum, i) => {
        let e = -b[i];
        for (let k = 0; k < P; k++) e += A[i * P + k] * theta[k];
        return sum + (e * A[i * P + parameter]) / columns.scale[at];
      }, 0),
    );

  it("the constant comes first, and the column without rows stays out", () => {
    expect([...columns.order]).toEqual([1, 0, 2, 3, 4, 5, 6, 7, 8]);
    expect(system.empty).toEqual([EMPTY]);
    for (const solver of ["qr", "svd", "ridge", "bayesian-ridge", "ard", "lasso"] as const) {
      const { theta, rank, effective, noise } = solve(solver);
      expect(theta[EMPTY]).toBe(0);
      expect(rank).toBeLessThan(P);
      expect(effective).toBeLessThan(P - 1 + 1e-9);
      expect(noise).toBeGreaterThan(0.7 * NOISE);
      expect(noise).toBeLessThan(1.3 * NOISE);
    }
  });

  it("condition numbers are those of the columns in use", () => {
    const used = Array.from({ length: P }, (_, k) => k).filter((k) => k !== EMPTY);
    const n = used.length;
    const conditionWith = (scale: (k: number) => number) => {
      const gram = new Float64Array(n * n);
      used.forEach((k, i) =>
        used.forEach((l, j) => {
          for (let r = 0; r < ROWS; r++)
            gram[i * n + j] += (A[r * P + k] / scale(k)) * (A[r * P + l] / scale(l));
        }),
      );
      const { values } = symmetricEigen(gram, n);
      return Math.sqrt(Math.max(...values) / Math.min(...values));
    };
    const lengthOf = (k: number) => Math.sqrt(every.reduce((sum, i) => sum + A[i * P + k] ** 2, 0));
    expect(finish(system.plainCondition()) / conditionWith(() => 1)).toBeCloseTo(1, 4);
    expect(finish(system.condition()) / conditionWith(lengthOf)).toBeCloseTo(1, 4);
  });

  it("a column that is only rounding stays out", () => {
    const faint = triangles.scratch();
    triangles.copy(faint, finish(triangles.all()));
    const R = triangles.view(faint);
    for (let i = 0; i <= 3; i++) R[i * N + 3] *= 1e-16;
    const decays = Uint8Array.from({ length: P }, (_, k) => (k === FREE ? 0 : 1));
    const { order, scale } = columnsOf(R, decays);
    expect(Array.from(order).filter((_, at) => scale[at] === Infinity)).toEqual([3]);
    const made = finish(System.create(triangles, faint, { order, scale, free: 1 }));
    expect(made.parametersOf(finish(made.minimum(new Float64Array(P).fill(1e-3, 1))))[3]).toBe(0);
    triangles.release(faint);
  });

  it("qr and svd: the error is orthogonal to every column", () => {
    for (const solver of ["qr", "svd"] as const)
      for (const g of slopes(solve(solver).theta)) expect(Math.abs(g)).toBeLessThan(1e-12);
  });

  it("svd: a cut leaves the small directions out", () => {
    const { rank, theta } = solve("svd", { cut: 0.9 });
    expect(rank).toBeLessThan(P - 1);
    expect(errorOn(theta, every)).toBeGreaterThan(errorOn(solve("qr").theta, every));
  });

  it("ridge: the penalised gradient vanishes, and the strength is the best on the folds left out", () => {
    const strength = 0.03;
    const { x, theta, factor, effective } = solve("ridge", { strength });
    slopes(theta).forEach((g, k) => expect(Math.abs(g + (k < 1 ? 0 : strength * x[k]))).toBeLessThan(1e-11));
    // tr A (AᵀA + Λ)⁻¹ Aᵀ by the definition.
    const influence = every.reduce((sum, i) => {
      let square = 0;
      for (let j = 0; j < P; j++) {
        let dot = 0;
        for (let k = 0; k < P; k++)
          dot += (A[i * P + columns.order[k]] / columns.scale[k]) * factor[k * P + j];
        square += dot * dot;
      }
      return sum + square;
    }, 0);
    expect(influence).toBeCloseTo(effective, 10);
    const best = solve("ridge").strength!;
    const left = (lambda: number): number => {
      let total = 0;
      const leaving = triangles.leaveOut(function* (fold, rest) {
        const left = yield* System.create(triangles, rest, columns);
        const { x: found } = yield* left.solve(new Float64Array(P).fill(lambda, 1));
        total += errorOn(
          system.parametersOf(found),
          every.filter((i) => i % FOLDS === fold),
        );
      });
      finish(leaving);
      return total;
    };
    for (const other of [best / 1.8, best * 1.8, 1e-12, 1])
      expect(left(best)).toBeLessThan(left(other) + 1e-12);
  });

  /** −2 ln of the evidence but for a constant, with noise precision β and a precision β λ_k for each column. */
  const evidence = (lambda: Float64Array, noise: number): number => {
    const { x, inverse } = finish(system.solve(lambda));
    let value = system.error(x) / noise ** 2 + 2 * (ROWS - 1) * Math.log(noise);
    for (let k = 1; k < P; k++)
      if (k !== EMPTY && lambda[k] < Infinity)
        value +=
          (lambda[k] * x[k] ** 2) / noise ** 2 -
          Math.log(lambda[k]) -
          2 * Math.log(Math.abs(inverse[k * P + k]));
    return value;
  };

  it("bayesian-ridge: the evidence is greatest at its strength", () => {
    const { strength, noise } = solve("bayesian-ridge");
    const at = (factor: number) => evidence(new Float64Array(P).fill(factor * strength!, 1), noise);
    expect(at(1)).toBeLessThan(at(1.02));
    expect(at(1)).toBeLessThan(at(0.98));
  });

  it("ard: columns that do not matter are out, the others near the truth", () => {
    const { theta, rank } = solve("ard");
    const used = TRUTH.flatMap((t, k) => (t !== 0 ? [k] : []));
    for (const k of used)
      expect(Math.abs(theta[k] * (k === FREE ? 1 : 10 ** (k - 4)) - TRUTH[k])).toBeLessThan(0.15);
    expect(rank).toBeGreaterThanOrEqual(used.length);
    expect(rank).toBeLessThan(P - 1);
  });

  it("lasso: the conditions of Karush, Kuhn and Tucker hold", () => {
    const strength = 1.2;
    const { x, theta, rank } = solve("lasso", { strength });
    slopes(theta).forEach((g, k) => {
      if (k === 0) expect(Math.abs(g)).toBeLessThan(1e-7);
      else if (x[k] === 0) expect(Math.abs(g)).toBeLessThan(strength + 1e-7);
      else expect(Math.abs(g + strength * Math.sign(x[k]))).toBeLessThan(1e-7);
    });
    expect(rank).toBeLessThan(P - 1);
    expect(rank).toBeGreaterThan(3);
  });

  it("a strength by cross-validation needs folds", () => {
    for (const solver of ["ridge", "lasso"] as const) {
      const options = leastSquaresSchema.parse({ solver });
      const input = { system, rows: ROWS, options, folds: 1, leaveOut: () => nothing() };
      expect(() => finish(solvers[solver](input))).toThrow("training.leastSquares.strength");
    }
  });
});
