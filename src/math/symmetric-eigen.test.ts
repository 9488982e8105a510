import { EigenvalueDecomposition, Matrix as Dense, SingularValueDecomposition } from "ml-matrix";
import { describe, expect, test } from "vitest";
import { leftVectors } from "./left-vectors.ts";
import { Random } from "./random.ts";
import { symmetricEigen } from "./symmetric-eigen.ts";

function symmetric(n: number, seed: number): Float64Array {
  const x = new Random(seed, "symmetric").normals(new Float64Array(n * n));
  return x.map((_, k) => x[k] + x[(k % n) * n + Math.floor(k / n)]);
}

const dense = (A: Float64Array, n: number) => Dense.from1DArray(A.length / n, n, A);

describe("eigenvectors of symmetric matrices", () => {
  test.each([1, 2, 3, 10, 60])("n = %i: A v = λ v, orthonormal, equal to ml-matrix", (n) => {
    const A = symmetric(n, n);
    const { values, vectors } = symmetricEigen(A.slice(), n);
    const V = dense(vectors, n);
    const [product, identity] = [V.mmul(dense(A, n)), V.mmul(V.transpose())];
    for (let k = 0; k < n; k++)
      for (let i = 0; i < n; i++) {
        expect(Math.abs(product.get(k, i) - values[k] * V.get(k, i))).toBeLessThan(1e-12 * n);
        expect(Math.abs(identity.get(k, i) - (i === k ? 1 : 0))).toBeLessThan(1e-13 * n);
      }
    const oracle = new EigenvalueDecomposition(dense(A, n)).realEigenvalues.sort((a, b) => b - a);
    oracle.forEach((x, k) => expect(Math.abs(values[k] - x)).toBeLessThan(1e-12 * n));
  });

  test("what is diagonal, zero or of rank one stays what it is", () => {
    expect([...symmetricEigen(Float64Array.of(1, 0, 0, 0, 3, 0, 0, 0, 2), 3).values]).toEqual([3, 2, 1]);
    expect([...symmetricEigen(new Float64Array(16), 4).values]).toEqual([0, 0, 0, 0]);
    const { values } = symmetricEigen(new Float64Array(25).fill(1), 5);
    expect(values[0]).toBeCloseTo(5, 13);
    for (const x of values.subarray(1)) expect(Math.abs(x)).toBeLessThan(1e-14);
  });
});

describe("left singular vectors", () => {
  test.each([
    [12, 5],
    [5, 12],
  ])("of %i × %i span what ml-matrix's span", (count, width) => {
    const rows = new Random(3, "svd").normals(new Float64Array(count * width));
    const U = leftVectors({ count, width, rows }, { rank: 3, share: 1, most: 3 });
    const X = Dense.from1DArray(count, width, rows);
    const oracle = new SingularValueDecomposition(X, { autoTranspose: true }).leftSingularVectors;
    for (let t = 0; t < 3; t++) {
      let overlap = 0;
      for (let i = 0; i < count; i++) overlap += U.rows[3 * i + t] * oracle.get(i, t);
      expect(Math.abs(Math.abs(overlap) - 1)).toBeLessThan(1e-11);
    }
  });

  test("as many as hold the share, never those of noise", () => {
    // Singular values 10, 1, 1e-9: shares of Σσ² 0.990, 0.0099, 1e-20.
    const rows = Float64Array.of(10, 0, 0, 0, 1, 0, 0, 0, 1e-9, 0, 0, 0);
    const X = { count: 4, width: 3, rows };
    expect(leftVectors(X, { share: 0.98, most: 4 }).width).toBe(1);
    expect(leftVectors(X, { share: 0.999, most: 4 }).width).toBe(2);
    expect(leftVectors(X, { share: 0.999, most: 1 }).width).toBe(1);
    expect(leftVectors(X, { rank: 3, share: 1, most: 4 }).width).toBe(2);
    expect(leftVectors({ ...X, rows: new Float64Array(12) }, { share: 1, most: 4 }).width).toBe(0);
  });
});
