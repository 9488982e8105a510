import { expect, it } from "vitest";
import { PairAccumulator, pairName, pairStatistics, tripletKey } from "./statistics.ts";
import type { Structure } from "./structure.ts";

const water: Structure = {
  numbers: Uint8Array.of(8, 1, 1),
  positions: Float64Array.of(0, 0, 0, 0.96, 0, 0, -0.24, 0.93, 0),
  cell: null,
  pbc: [false, false, false],
};

it("counts every pair once, per pair of elements", () => {
  const s = pairStatistics([water, water], 4);
  expect(s.elements).toEqual([1, 8]);
  expect(Object.keys(s.shortest)).toEqual(["1-1", "1-8"]);
  expect(pairName("1-8")).toBe("H-O");
  expect(s.shortest["1-8"]).toBeCloseTo(0.96, 12);
  expect(s.shortest["1-1"]).toBeCloseTo(Math.hypot(1.2, 0.93), 12);
  expect(s.histogram["1-8"].reduce((a, b) => a + b)).toBe(4);
  expect(s.histogram["1-8"][48]).toBe(4); // 0.96 and 0.9605 Å, bins of 0.02 Å
  expect([s.structures, s.atoms, s.meanNeighbours, s.periodic]).toEqual([2, 6, 2, false]);
});

it("knows which pairs of neighbours an atom of each element has, and within which radius", () => {
  const { triplets } = pairStatistics([water], 4);
  expect(Object.keys(triplets)).toEqual(["1:1-8", "8:1-1"]);
  expect(triplets[tripletKey(1, 8, 1)]).toBeCloseTo(Math.hypot(1.2, 0.93), 12);
  expect(triplets["8:1-1"]).toBeCloseTo(Math.hypot(0.24, 0.93), 12);
  expect(pairStatistics([water], 1.2).triplets).toEqual({ "8:1-1": triplets["8:1-1"] });
});

it("counts images: simple cubic has 6 neighbours at a, 3 pairs per atom", () => {
  const accumulator = new PairAccumulator(3.3);
  const cell = Float64Array.of(3, 0, 0, 0, 3, 0, 0, 0, 3);
  accumulator.add({
    numbers: Uint8Array.of(84),
    positions: new Float64Array(3),
    cell,
    pbc: [true, true, true],
  });
  const s = accumulator.result();
  expect([s.meanNeighbours, s.histogram["84-84"].reduce((a, b) => a + b), s.periodic]).toEqual([6, 3, true]);
});
