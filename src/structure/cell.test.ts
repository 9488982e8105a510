import { expect, it } from "vitest";
import {
  completeCell,
  faceDistances,
  fractional,
  inverse,
  multiply,
  reduceCell,
  repeat,
  strain,
  volume,
  wrap,
} from "./cell.ts";
import type { Structure } from "./structure.ts";

const cell = Float64Array.of(3, 0.2, 0, 1, 4, 0.3, -0.5, 2, 5);
const pbc = [true, true, true] as const;

it("inverse times cell is one, the volume is the triple product", () => {
  const one = multiply(inverse(cell), cell);
  for (let k = 0; k < 9; k++) expect(one[k]).toBeCloseTo(k % 4 === 0 ? 1 : 0, 14);
  expect(volume(cell)).toBeCloseTo(3 * (20 - 0.6) - 0.2 * (5 + 0.15), 12);
  expect(() => inverse(new Float64Array(9))).toThrow("linearly independent");
});

it("face distances are volume over the area of the face", () => {
  const area = Math.hypot(4 * 5 - 0.3 * 2, 0.3 * -0.5 - 1 * 5, 1 * 2 - 4 * -0.5);
  expect(faceDistances(cell)[0]).toBeCloseTo(volume(cell) / area, 12);
});

it("free directions get unit vectors orthogonal to the periodic ones", () => {
  const full = completeCell(cell, [true, false, true]);
  const dot = (a: number, b: number) => [0, 1, 2].reduce((s, k) => s + full[3 * a + k] * full[3 * b + k], 0);
  expect([dot(1, 1), dot(1, 0), dot(1, 2)].map((x) => Math.round(x * 1e13) / 1e13 + 0)).toEqual([1, 0, 0]);
  expect([...full.subarray(0, 3)]).toEqual([...cell.subarray(0, 3)]);
});

it("reduction keeps lattice and volume and removes the skew", () => {
  const skewed = Float64Array.of(3, 0, 0, 300, 3, 0, -150, 600, 3);
  const { reduced, transform } = reduceCell(skewed, pbc);
  expect(volume(reduced)).toBeCloseTo(27, 9);
  expect([...multiply(transform, skewed)]).toEqual([...reduced]);
  expect(Math.min(...faceDistances(reduced))).toBeCloseTo(3, 9);
});

it("wrapping puts fractions into [0, 1) along periodic directions only and moves atoms by lattice vectors", () => {
  const positions = Float64Array.of(10, -7, 3, 0.5, 0.5, 0.5);
  const s: Structure = { numbers: Uint8Array.of(1, 1), positions, cell, pbc: [true, true, false] };
  const moved = wrap(s).positions;
  const shift = fractional(
    moved.map((x, i) => x - positions[i]),
    cell,
  );
  for (const x of shift) expect(Math.abs(x - Math.round(x))).toBeLessThan(1e-12);
  expect([shift[2], shift[5]].map((x) => Math.abs(x) < 1e-12)).toEqual([true, true]);
  const f = fractional(moved, completeCell(cell, s.pbc));
  for (const x of [f[0], f[1], f[3], f[4]]) expect(x >= 0 && x < 1).toBe(true);
  expect(positions[0]).toBe(10);
});

it("strain deforms cell and atoms alike, a supercell has as many times the volume", () => {
  const s: Structure = { numbers: Uint8Array.of(3), positions: Float64Array.of(1, 2, 3), cell, pbc };
  const e = strain(s, [0.01, 0.02, 0, 0, -0.01, 0, 0, 0, 0]);
  expect([...e.positions]).toEqual([1.01 * 1 + 0.02 * 2, 0.99 * 2, 3]);
  expect(volume(e.cell!)).toBeCloseTo(volume(cell) * 1.01 * 0.99, 10);
  const r = repeat(s, [2, 1, 3]);
  expect(r.numbers.length).toBe(6);
  expect(volume(r.cell!)).toBeCloseTo(6 * volume(cell), 9);
  expect([...r.positions.subarray(15)]).toEqual(
    [0, 1, 2].map((k) => s.positions[k] + cell[k] + 2 * cell[6 + k]),
  );
});
