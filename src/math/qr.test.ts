import { Matrix, solve } from "ml-matrix";
import { expect, it } from "vitest";
import { createDevice } from "../device/device.ts";
import { RowQr } from "./qr.ts";
import { Random } from "./random.ts";
import { solveUpper } from "./triangular.ts";

const device = createDevice({ bytes: 2 ** 25 });

/** R of random rows in blocks, and AᵀA of all. */
function factor(columns: number, blocks: readonly number[]) {
  const most = Math.max(...blocks);
  const qr = new RowQr(device, columns, most);
  const r = device.memory.alloc(8 * columns * columns);
  const b = device.memory.alloc(8 * most * columns);
  const random = new Random(columns);
  const gram = Matrix.zeros(columns, columns);
  for (const m of blocks) {
    const B = random.normals(device.memory.f64(b, m * columns));
    const M = Matrix.from1DArray(m, columns, [...B]);
    gram.add(M.transpose().mmul(M));
    qr.append(r, b, m);
  }
  const R = Matrix.from1DArray(columns, columns, [...device.memory.f64(r, columns * columns)]);
  return { R, gram };
}

it.each([
  [1, [3]],
  [5, [1, 1, 2]],
  [32, [40, 7]],
  [33, [20, 50, 1]],
  [71, [100, 64, 31]],
])("R of %i columns in blocks of rows: RᵀR = AᵀA", (columns, blocks) => {
  const { R, gram } = factor(columns, blocks);
  for (let i = 0; i < columns; i++) for (let j = 0; j < i; j++) expect(R.get(i, j)).toBe(0);
  const difference = R.transpose().mmul(R).sub(gram);
  const size = Math.max(...gram.to1DArray());
  expect(Math.max(...difference.to1DArray().map(Math.abs))).toBeLessThan(1e-13 * size);
});

it("solves where normal equations have lost every digit", () => {
  // Läuchli's matrix (1 1 1; ε 0 0; 0 ε 0; 0 0 ε): AᵀA is singular in floating point for ε = 1e-9.
  const epsilon = 1e-9;
  const [x, rows] = [
    [1, 2, 3],
    [
      [1, 1, 1],
      [epsilon, 0, 0],
      [0, epsilon, 0],
      [0, 0, epsilon],
    ],
  ];
  const A = new Matrix(rows);
  expect(() => solve(A.transpose().mmul(A), Matrix.columnVector([1, 2, 3])).to1DArray()).toThrow("singular");
  const qr = new RowQr(device, 4, 4);
  const [r, b] = [device.memory.alloc(8 * 16), device.memory.alloc(8 * 16)];
  device.memory.f64(b, 16).set(rows.flatMap((row) => [...row, row.reduce((s, a, k) => s + a * x[k], 0)]));
  qr.append(r, b, 4);
  const R = device.memory.f64(r, 16);
  const solution = Float64Array.of(R[3], R[7], R[11]);
  solveUpper(R, 4, 3, solution);
  solution.forEach((v, k) => expect(Math.abs(v - x[k])).toBeLessThan(1e-6));
});

it("merges triangles to the R of all rows", () => {
  const N = 150;
  const qr = new RowQr(device, N);
  const random = new Random(8);
  const address = [0, 1].map(() => device.memory.alloc(8 * N * N));
  const gram = Matrix.zeros(N, N);
  for (const r of address) {
    const R = random.normals(device.memory.f64(r, N * N)).map((x, k) => (k % N < Math.floor(k / N) ? 0 : x));
    device.memory.f64(r, N * N).set(R);
    const M = Matrix.from1DArray(N, N, [...R]);
    gram.add(M.transpose().mmul(M));
  }
  const kept = device.memory.f64(address[1], N * N).slice();
  qr.merge(address[0], address[1]);
  expect(device.memory.f64(address[1], N * N)).toEqual(kept);
  const R = Matrix.from1DArray(N, N, [...device.memory.f64(address[0], N * N)]);
  const difference = R.transpose().mmul(R).sub(gram);
  expect(Math.max(...difference.to1DArray().map(Math.abs))).toBeLessThan(1e-11);
});

it("refuses more rows than it has room for", () => {
  expect(() => new RowQr(device, 2, 300).append(0, 0, 400)).toThrow("at most 300 rows");
});
