import type { output } from "zod";
import { symmetricEigen } from "../../math/symmetric-eigen.ts";
import { enum as oneOf, strictObject } from "../../zod.ts";
import { own, repulsion } from "./charges.ts";
import { allCoordinates, allPairs, Coordinates } from "./coordinates.ts";
import type { MolecularDescriptor, MolecularMethod } from "./descriptor.ts";
import { reorderedRows, roomFor } from "./sorted.ts";

const options = strictObject({
  order: oneOf(["unsorted", "row-norm", "eigenvalues"]).default("unsorted").meta({
    help: "unsorted: atoms in their own order; row-norm: rows and columns by falling norm; eigenvalues: falling",
  }),
});

/** The matrix M of a molecule, its triangle i ≥ j in rows, and where each entry's slope comes from. */
class Matrix {
  readonly n: number;
  readonly values: Float64Array;
  readonly coordinates: Coordinates;
  readonly #pairs: readonly (readonly [number, number])[];

  constructor(numbers: Uint8Array, device: Parameters<MolecularMethod["build"]>[2]) {
    this.n = numbers.length;
    this.#pairs = allPairs(this.n);
    const factors = this.#pairs.map(([i, j]) => numbers[i] * numbers[j]);
    this.coordinates = new Coordinates([{ formula: repulsion, atoms: this.#pairs, factors }], device);
    this.values = new Float64Array(this.n * this.n);
    numbers.forEach((z, i) => (this.values[i * this.n + i] = own(z)));
  }

  /** Which pair i, j is; −1 on the diagonal. */
  pair(i: number, j: number): number {
    if (i === j) return -1;
    const [a, b] = [Math.min(i, j), Math.max(i, j)];
    return a * this.n - (a * (a + 1)) / 2 + b - a - 1;
  }

  evaluate(positions: Float64Array): void {
    this.coordinates.evaluate(positions);
    this.#pairs.forEach(([i, j], t) => {
      this.values[i * this.n + j] = this.values[j * this.n + i] = this.coordinates.features[t];
    });
  }
}

/** Its triangle, rows and columns in an order that may depend on the positions. */
function triangle(matrix: Matrix, numbers: Uint8Array, sorted: boolean): MolecularDescriptor {
  const { n, values, coordinates } = matrix;
  const size = (n * (n + 1)) / 2;
  const features = new Float64Array(size);
  const from = new Int32Array(size);
  const rows = roomFor(size, coordinates.rows.columns.length);
  const atoms = Array.from(numbers, (_, i) => i);
  const evaluate = (positions: Float64Array) => {
    matrix.evaluate(positions);
    const norm = atoms.map((i) => values.subarray(i * n, (i + 1) * n).reduce((sum, v) => sum + v * v, 0));
    const order = sorted ? atoms.toSorted((a, b) => norm[b] - norm[a] || a - b) : atoms;
    let t = 0;
    for (let a = 0; a < n; a++)
      for (let b = 0; b <= a; b++, t++) {
        features[t] = values[order[a] * n + order[b]];
        from[t] = matrix.pair(order[a], order[b]);
      }
  };
  return {
    numbers,
    size,
    labels: atoms.flatMap((a) => atoms.slice(0, a + 1).map((b) => `M ${a}-${b}`)),
    active: allCoordinates(n),
    forward(positions) {
      evaluate(positions);
      return features;
    },
    jacobian(positions) {
      evaluate(positions);
      reorderedRows(coordinates.rows, from, rows);
      return { features, rows };
    },
  };
}

/** Eigenvalues λ_k with slopes v_kᵀ (∂M/∂R) v_k, which hold where no two are equal. */
function spectrum(matrix: Matrix, numbers: Uint8Array): MolecularDescriptor {
  const { n, values, coordinates } = matrix;
  const features = new Float64Array(n);
  const rows = roomFor(n, 3 * n * n);
  for (let k = 0; k < 3 * n * n; k++) rows.columns[k] = k % (3 * n);
  for (let k = 0; k <= n; k++) rows.starts[k] = 3 * n * k;
  const solve = (positions: Float64Array) => {
    matrix.evaluate(positions);
    const found = symmetricEigen(values.slice(), n);
    features.set(found.values);
    return found.vectors;
  };
  return {
    numbers,
    size: n,
    labels: Array.from(numbers, (_, k) => `λ ${k}`),
    active: allCoordinates(n),
    forward(positions) {
      solve(positions);
      return features;
    },
    jacobian(positions) {
      const vectors = solve(positions);
      const { starts, columns, values: slopes } = coordinates.rows;
      rows.values.fill(0);
      for (let k = 0; k < n; k++) {
        const v = vectors.subarray(k * n, (k + 1) * n);
        for (let i = 0; i < n; i++)
          for (let j = i + 1; j < n; j++) {
            const t = matrix.pair(i, j);
            for (let e = starts[t]; e < starts[t + 1]; e++)
              rows.values[3 * n * k + columns[e]] += 2 * v[i] * v[j] * slopes[e];
          }
      }
      return { features, rows };
    },
  };
}

/** M_ii = ½ Z_i^2.4, M_ij = Z_i Z_j / r_ij, e²/Å (M. Rupp et al., DOI 10.1103/PhysRevLett.108.058301). */
export const coulombMatrix: MolecularMethod<output<typeof options>> = {
  name: "coulomb-matrix",
  summary: "repulsions Z_i Z_j / r_ij of all pairs, as they are, sorted, or as eigenvalues",
  options,
  resolve: (given) => given,
  build({ order }, numbers, device) {
    const matrix = new Matrix(numbers, device);
    return order === "eigenvalues"
      ? spectrum(matrix, numbers)
      : triangle(matrix, numbers, order === "row-norm");
  },
};
