import { Matrix, SingularValueDecomposition, solve } from "ml-matrix";
import { describe, expect, it } from "vitest";
import { createDevice } from "../device/device.ts";
import { bidiagonalBytes, bidiagonalising, ridge } from "./bidiagonal.ts";
import { Random } from "./random.ts";
import { singular } from "./singular.ts";
import { finish } from "./work.ts";
import { invertUpper, solveUpper, solveUpperTransposed } from "./triangular.ts";

const device = createDevice({ bytes: 2 ** 25 });
const { memory } = device;
const random = new Random(3);
const rows = (A: Float64Array, n: number) =>
  Array.from({ length: A.length / n }, (_, i) => Array.from(A.subarray(i * n, (i + 1) * n)));
const normals = (n: number) => random.normals(new Float64Array(n));

/** Of given singular values. */
function made(values: readonly number[]): Float64Array {
  const n = values.length;
  const [U, V] = [0, 1].map(
    () => new SingularValueDecomposition(new Matrix(rows(normals(n * n), n))).leftSingularVectors,
  );
  return Float64Array.from(
    U.mmul(Matrix.diag([...values]))
      .mmul(V.transpose())
      .to1DArray(),
  );
}

/** B C with `rank` columns of B and rows of C. */
function product(B: Float64Array, C: Float64Array, rank: number): Float64Array {
  const n = C.length / rank;
  return Float64Array.from(new Matrix(rows(B, rank)).mmul(new Matrix(rows(C, n))).to1DArray());
}

/** Upper triangular with rows of rounding noise below the first. */
function triangle(filled: number, n: number): Float64Array {
  const A = normals(n * n);
  return A.map((x, k) => {
    const [i, j] = [Math.floor(k / n), k % n];
    return j < i ? 0 : i < filled ? x : 1e-16 * x;
  });
}

const cases: Record<string, Float64Array> = {
  "one number": Float64Array.of(-3),
  "random, odd": normals(25),
  "random, larger": normals(40 * 40),
  graded: made([1e8, 1e4, 1, 1e-3, 1e-7, 1e-8]),
  "rank 2 of 5": made([3, 1, 0, 0, 0]),
  // Many more zeros than values: what is left of them is noise that must not be chased.
  "rank 6 of 120": product(normals(120 * 6), normals(6 * 120), 6),
  "triangle of 20 rows in 150 columns": triangle(20, 150),
  "equal values": made([2, 2, 2, 1, 1]),
  "a column of zeros": normals(36).map((x, k) => (k % 6 === 2 ? 0 : x)),
  zero: new Float64Array(16),
};

describe.each(Object.keys(cases))("singular values: %s", (name) => {
  const A = cases[name];
  const n = Math.sqrt(A.length);
  const z = normals(n);
  const { values, y, vectors } = singular(device, A, z, n, true);

  it("are those of A", () => {
    const exact = new SingularValueDecomposition(new Matrix(rows(A, n))).diagonal.toSorted((a, b) => b - a);
    values.forEach((s, k) => expect(Math.abs(s - exact[k])).toBeLessThan(4e-15 * n * (values[0] + 1e-300)));
  });

  it("come with orthonormal vectors and Uᵀz: A v = σ u", () => {
    const V = new Matrix(rows(vectors!, n));
    const unit = V.mmul(V.transpose()).sub(Matrix.eye(n));
    expect(Math.max(...unit.to1DArray().map(Math.abs))).toBeLessThan(1e-13);
    // z·(A v_k) = σ_k (z·u_k)
    rows(vectors!, n).forEach((v, k) => {
      const Av = rows(A, n).map((row) => row.reduce((s, x, j) => s + x * v[j], 0));
      const zAv = Av.reduce((s, x, j) => s + x * z[j], 0);
      expect(Math.abs(zAv - values[k] * y[k])).toBeLessThan(1e-13 * n * (values[0] + 1e-300));
    });
    expect(y.reduce((s, x) => s + x * x, 0)).toBeCloseTo(
      z.reduce((s, x) => s + x * x, 0),
      10,
    );
  });

  it("without vectors are the same bits", () => {
    expect(singular(device, A, z, n, false)).toEqual({ values, y, vectors: null });
  });
});

const apply = (X: Matrix, x: Float64Array) => X.mmul(Matrix.columnVector([...x])).to1DArray();

/** Bidiagonal form of A in rows of `stride` numbers. */
function bidiagonal(A: Float64Array, z: Float64Array, n: number, stride: number) {
  const [at, room] = [memory.alloc(8 * n * stride), memory.alloc(bidiagonalBytes(n))];
  for (let i = 0; i < n; i++) memory.f64(at + 8 * i * stride, n).set(A.subarray(i * n, (i + 1) * n));
  return finish(bidiagonalising(device, { at, stride, n, room }, z));
}

it.each([1, 2, 31, 32, 33, 64, 71, 100])("A = U B Vᵀ for %i columns, in rows of any length", (n) => {
  const [A, z] = [normals(n * n), normals(n)];
  const { d, e, y, expand } = bidiagonal(A, z, n, n + 3);
  expect(bidiagonal(A, z, n, n)).toEqual({ n, d, e, y, expand: expect.any(Function) as unknown });
  const M = new Matrix(rows(A, n));
  // V Bᵀ B Vᵀ x = AᵀA x and V Bᵀ y = Aᵀ z.
  const back = (b: Float64Array) => {
    const x = b.map((s, k) => d[k] * s + (k > 0 ? e[k - 1] * b[k - 1] : 0));
    expand(x);
    return x;
  };
  back(y).forEach((s, k) => expect(Math.abs(s - apply(M.transpose(), z)[k])).toBeLessThan(1e-13 * n));
  const x = normals(n);
  const Vx = x.slice();
  expand(Vx);
  const BTB = back(x.map((s, k) => d[k] * s + (k < n - 1 ? e[k] * x[k + 1] : 0)));
  const exact = apply(M.transpose().mmul(M), Vx);
  BTB.forEach((s, k) => expect(Math.abs(s - exact[k])).toBeLessThan(1e-13 * n * n));
});

it("ridge by rotations is the damped solution", () => {
  const n = 12;
  const [A, z] = [normals(n * n), normals(n)];
  const M = new Matrix(rows(A, n));
  for (const lambda of [1e-8, 1e-2, 1, 100]) {
    const damped = M.transpose().mmul(M).add(Matrix.eye(n).mul(lambda));
    const exact = solve(damped, M.transpose().mmul(Matrix.columnVector([...z]))).to1DArray();
    const x = ridge(bidiagonal(A, z, n, n), lambda);
    x.forEach((v, k) => expect(Math.abs(v - exact[k])).toBeLessThan(1e-9 * (1 + Math.abs(exact[k]))));
  }
});

const close = (p: number[], q: ArrayLike<number>) =>
  p.forEach((v, k) => expect(Math.abs(v - q[k])).toBeLessThan(1e-12));

it("triangles are solved and inverted, whatever lies below their diagonal", () => {
  const [n, stride] = [9, 11];
  const R = normals(n * stride);
  for (let i = 0; i < n; i++) R[i * stride + i] += 3;
  const upper = Matrix.zeros(n, n);
  for (let i = 0; i < n; i++) for (let j = i; j < n; j++) upper.set(i, j, R[i * stride + j]);
  const b = normals(n);
  const [x, t] = [b.slice(), b.slice()];
  solveUpper(R, stride, n, x);
  solveUpperTransposed(R, stride, n, t);
  close(upper.mmul(Matrix.columnVector([...x])).to1DArray(), b);
  close(
    upper
      .transpose()
      .mmul(Matrix.columnVector([...t]))
      .to1DArray(),
    b,
  );
  close(upper.mmul(new Matrix(rows(invertUpper(R, stride, n), n))).to1DArray(), Matrix.eye(n).to1DArray());
});
