import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { completeCell, faceDistances, fractional, wrap } from "./cell.ts";
import { NeighbourList } from "./neighbour-list.ts";
import { findNeighbours } from "./neighbours.ts";
import type { Neighbours } from "./neighbours.ts";
import type { Structure } from "./structure.ts";

/** Every pair by trying every image: O(N² images), no bins, no reduction, no wrapping. */
function bruteForce(s: Structure, cutoff: number): string[][] {
  const n = s.numbers.length;
  const C = s.cell ?? new Float64Array(9);
  const basis = completeCell(s.cell, s.pbc);
  const h = faceDistances(basis);
  const f = fractional(s.positions, basis);
  return Array.from({ length: n }, (_, i) => {
    const found: [number, number, number, number][] = [];
    for (let j = 0; j < n; j++) {
      const range = [0, 1, 2].map((a) => {
        if (!s.pbc[a]) return [0, 0];
        const d = f[3 * j + a] - f[3 * i + a];
        return [Math.floor(-d - cutoff / h[a]) - 1, Math.ceil(-d + cutoff / h[a]) + 1];
      });
      for (let x = range[0][0]; x <= range[0][1]; x++)
        for (let y = range[1][0]; y <= range[1][1]; y++)
          for (let z = range[2][0]; z <= range[2][1]; z++) {
            if (i === j && x === 0 && y === 0 && z === 0) continue;
            let r2 = 0;
            for (let k = 0; k < 3; k++)
              r2 +=
                (s.positions[3 * j + k] -
                  s.positions[3 * i + k] +
                  (x * C[k] + y * C[3 + k] + z * C[6 + k])) **
                2;
            if (r2 < cutoff ** 2) found.push([j, x, y, z]);
          }
    }
    return found.map((p) => p.map((v) => v + 0).join(" "));
  });
}

const rows = (list: Neighbours): string[][] =>
  Array.from({ length: list.offsets.length - 1 }, (_, i) =>
    Array.from({ length: list.offsets[i + 1] - list.offsets[i] }, (_, k) => {
      const p = list.offsets[i] + k;
      return [list.index[p], ...list.shift.subarray(3 * p, 3 * p + 3)].join(" ");
    }),
  );

const molecule = (positions: number[]): Structure => ({
  numbers: new Uint8Array(positions.length / 3).fill(1),
  positions: Float64Array.from(positions),
  cell: null,
  pbc: [false, false, false],
});

/** The pairs of a list that are closer than the cutoff. */
const withinCutoff = (s: Structure, list: Neighbours, cutoff: number) => {
  const C = s.cell ?? new Float64Array(9);
  return rows(list).map((row, i) =>
    row.filter((pair) => {
      const [j, x, y, z] = pair.split(" ").map(Number);
      let r2 = 0;
      for (let k = 0; k < 3; k++)
        r2 +=
          (s.positions[3 * j + k] - s.positions[3 * i + k] + (x * C[k] + y * C[3 + k] + z * C[6 + k])) ** 2;
      return r2 < cutoff ** 2;
    }),
  );
};

/** A number without pattern from 0 Å to 24 Å, shifted. */
const position = (i: number) => ((i * 0.618034) % 1) * 24 - 30 + 8 * ((i * i * 0.137) % 1);

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });

/** Cells from 1 to 9 Å with any skew that leaves some volume, any periodicity, atoms far outside the cell. */
const anyStructure = fc
  .record({
    diagonal: fc.tuple(number(1, 9), number(1, 9), number(1, 9)),
    skew: fc.array(number(-1.5, 1.5), { minLength: 6, maxLength: 6 }),
    pbc: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
    atoms: fc.array(fc.tuple(number(-2.5, 2.5), number(-2.5, 2.5), number(-2.5, 2.5)), { maxLength: 9 }),
  })
  .map(({ diagonal: [a, b, c], skew: s, pbc, atoms }): Structure => {
    const cell = Float64Array.of(a, s[0] * b, s[1] * c, s[2] * a, b, s[3] * c, s[4] * a, s[5] * b, c);
    return {
      numbers: new Uint8Array(atoms.length).fill(6),
      positions: Float64Array.from(atoms.flatMap((f) => [0, 1, 2].map((k) => f[k] * (3 + k)))),
      cell,
      pbc,
    };
  })
  .filter((s) => Math.min(...faceDistances(s.cell!)) > 0.4);

const options = { seed: 20240607, numRuns: 150 };

describe("findNeighbours", () => {
  it("equals the brute-force sum over images, in the stated order", () => {
    let pairs = 0;
    fc.assert(
      fc.property(anyStructure, number(0.3, 4.5), (s, cutoff) => {
        const list = findNeighbours(s, cutoff);
        expect(rows(list)).toEqual(bruteForce(s, cutoff));
        pairs += list.index.length;
      }),
      options,
    );
    expect(pairs).toBeGreaterThan(1000);
  });

  it("equals brute force with many bins along each direction", () => {
    const n = 400;
    const positions = Float64Array.from({ length: 3 * n }, (_, i) => position(i * (1 + (i % 3))));
    for (const pbc of [
      [true, true, true],
      [false, true, false],
      [false, false, false],
    ] as const) {
      const cell = Float64Array.of(20, 0, 0, 9, 18, 0, -7, 5, 22);
      const s: Structure = { numbers: new Uint8Array(n).fill(1), positions, cell, pbc };
      const list = findNeighbours(s, 3);
      expect(rows(list)).toEqual(bruteForce(s, 3));
      expect(list.index.length).toBeGreaterThan(500);
    }
  });

  it("finds the shells of fcc: 12, 6, 24, 12 neighbours, from a one-atom cell of strong skew", () => {
    const a = 4;
    // fcc primitive vectors a1, a2, a3, then a3 + 7 a1 − 5 a2: the same lattice.
    const [a1, a2, a3] = [
      [0, 2, 2],
      [2, 0, 2],
      [2, 2, 0],
    ];
    const skewed = a3.map((x, k) => x + 7 * a1[k] - 5 * a2[k]);
    const cell = Float64Array.from([...a1, ...a2, ...skewed]);
    const s: Structure = {
      numbers: Uint8Array.of(29),
      positions: new Float64Array(3),
      cell,
      pbc: [true, true, true],
    };
    const counts = [0.72, 1.01, 1.23, 1.42].map((r) => findNeighbours(s, r * a).index.length);
    expect(counts).toEqual([12, 18, 42, 54]);
  });

  it("handles no atoms, one atom, coincident atoms and a zero lattice vector along a free direction", () => {
    expect(findNeighbours(molecule([]), 5).offsets).toEqual(Int32Array.of(0));
    expect(findNeighbours(molecule([1, 2, 3]), 5).index.length).toBe(0);
    expect(findNeighbours(molecule([1, 2, 3, 1, 2, 3]), 5).index).toEqual(Int32Array.of(1, 0));
    const slab: Structure = {
      ...molecule([0, 0, 0]),
      cell: Float64Array.of(3, 0, 0, 0, 3, 0, 0, 0, 0),
      pbc: [true, true, false],
    };
    expect(findNeighbours(slab, 3.1).index.length).toBe(4);
  });

  it("refuses what has no neighbours: a periodic direction without vector, NaN positions, a negative cutoff", () => {
    const s: Structure = {
      numbers: Uint8Array.of(1),
      positions: new Float64Array(3),
      cell: null,
      pbc: [true, false, false],
    };
    expect(() => findNeighbours(s, 3)).toThrow("invalid cell");
    const flat = { ...s, cell: Float64Array.of(1, 0, 0, 2, 0, 0, 0, 0, 1), pbc: [true, true, true] as const };
    expect(() => findNeighbours(flat, 3)).toThrow("independent periodic lattice vectors");
    const nan = { ...s, pbc: [false, false, false] as const, positions: Float64Array.of(0, NaN, 0) };
    expect(() => findNeighbours(nan, 3)).toThrow("positions of atom 0");
    expect(() => findNeighbours({ ...nan, positions: new Float64Array(3) }, -1)).toThrow("invalid cutoff");
  });
});

describe("NeighbourList", () => {
  it("never misses a pair while atoms drift and the cell breathes, and rebuilds seldom", () => {
    const steps = 60;
    fc.assert(
      fc.property(anyStructure, number(0, 0.02), (start, speed) => {
        const list = new NeighbourList(2.5, 0.5);
        const positions = start.positions.slice();
        const cell = start.cell!.slice();
        for (let t = 0; t < steps; t++) {
          const s = { ...start, positions: positions.slice(), cell: cell.slice() };
          const kept = list.update(s);
          expect(withinCutoff(s, kept, 2.5)).toEqual(rows(findNeighbours(s, 2.5)));
          const growth = 1 + 0.004 * Math.sin(t / 7);
          for (let i = 0; i < 9; i++) cell[i] *= growth;
          for (let i = 0; i < positions.length; i++)
            positions[i] = positions[i] * growth + speed * Math.cos(i * i);
        }
        expect(list.rebuilds).toBeLessThan(steps / 2);
      }),
      { ...options, numRuns: 20 },
    );
  });

  it("builds once when nothing moves and again when atoms are wrapped or swapped for others", () => {
    const s: Structure = {
      numbers: Uint8Array.of(1, 1),
      positions: Float64Array.of(0.1, 0, 0, -0.4, 0, 0),
      cell: Float64Array.of(5, 0, 0, 0, 5, 0, 0, 0, 5),
      pbc: [true, true, true],
    };
    const list = new NeighbourList(3, 0.5);
    const first = list.update(s);
    expect(list.update({ ...s })).toBe(first);
    expect(list.rebuilds).toBe(1);
    list.update(wrap(s));
    expect(list.rebuilds).toBe(2);
    list.update({ ...s, numbers: Uint8Array.of(1), positions: Float64Array.of(0, 0, 0) });
    expect(list.rebuilds).toBe(3);
  });
});

describe("molecules large enough for bins", () => {
  it("have the same pairs as by trying all of them", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 60, max: 70 }),
        fc.array(fc.double({ min: 0, max: 9, noNaN: true }), { minLength: 210, maxLength: 210 }),
        (n, coordinates) => {
          const s = molecule(coordinates.slice(0, 3 * n));
          expect(rows(findNeighbours(s, 2.5))).toEqual(bruteForce(s, 2.5));
        },
      ),
      { seed: 5, numRuns: 25 },
    );
  });
});
