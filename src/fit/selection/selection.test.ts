import { Matrix as Dense, determinant } from "ml-matrix";
import { describe, expect, test } from "vitest";
import type { Matrix } from "../../math/left-vectors.ts";
import { Random } from "../../math/random.ts";
import { aboveLowest, compositionOf } from "./energies.ts";
import { farthest } from "./farthest.ts";
import { extend, maximalVolume } from "./maxvol.ts";
import type { SelectionOptions } from "./method.ts";
import { chooseRows } from "./rows.ts";
import { selectionMethods } from "./table.ts";

const matrix = (rows: readonly (readonly number[])[]): Matrix => ({
  count: rows.length,
  width: rows[0].length,
  rows: Float64Array.from(rows.flat()),
});

const choose = (name: string, means: Matrix, options: SelectionOptions) =>
  selectionMethods[name].select({ count: means.count, means }, options);

const cloud = (count: number, width: number, seed: number): Matrix => ({
  count,
  width,
  rows: new Random(seed, "cloud").normals(new Float64Array(count * width)),
});

const ascending = (frames: readonly number[]) => frames.toSorted((a, b) => a - b);

const rowsOf = ({ count, width, rows }: Matrix) =>
  Array.from({ length: count }, (_, i) => [...rows.subarray(i * width, (i + 1) * width)]);

const frame = (numbers: number[], periodic: boolean) => ({
  structure: {
    numbers: Uint8Array.from(numbers),
    positions: new Float64Array(3 * numbers.length),
    cell: null,
    pbc: [periodic, periodic, periodic] as const,
  },
  info: {},
  arrays: {},
  place: "",
});

/** The corners of an octagon. */
const angle = (k: number) => [Math.cos((k * Math.PI) / 4), Math.sin((k * Math.PI) / 4)];

const volume = (A: Matrix, rows: readonly number[]) =>
  Math.abs(determinant(new Dense(rows.map((i) => [...A.rows.subarray(i * A.width, (i + 1) * A.width)]))));

describe("stride and energy window", () => {
  test("even distances from the first frame on", () => {
    expect(selectionMethods["stride"].select({ count: 10 }, { count: 4 }).chosen).toEqual([0, 2, 5, 7]);
    expect(selectionMethods["stride"].select({ count: 3 }, { count: 3 }).chosen).toEqual([0, 1, 2]);
  });

  test("even ranks of the energies, the lowest first, equals in their order", () => {
    const energies = Float64Array.of(0.3, 0, 0.1, 0.2, 0.1, 0.5);
    const all = selectionMethods["energy-window"].select({ count: 6, energies }, { count: 6 });
    expect(all).toEqual({ chosen: [1, 2, 4, 3, 0, 5], scores: [0, 0.1, 0.1, 0.2, 0.3, 0.5] });
    expect(selectionMethods["energy-window"].select({ count: 6, energies }, { count: 3 }).chosen).toEqual([
      1, 4, 0,
    ]);
  });

  test("energies count from the lowest of their composition; cells of any size compare, isolated atoms do not", () => {
    const kinds = [frame([14, 14], true), frame([14], true), frame([14], false), frame([8, 14, 14], true)];
    expect(kinds.map(compositionOf)).toEqual(["Si1", "Si1", "isolated Si1", "O1 Si2"]);
    expect([...aboveLowest(["a", "b", "a"], [-5, -1, -5.5])]).toEqual([0.5, 0, 0]);
  });
});

describe("farthest point", () => {
  test("on a line: the middle, the ends, then the middles of the gaps", () => {
    const means = matrix([0, 1, 2, 3, 4, 5, 6, 7, 8].map((x) => [x]));
    const { chosen, scores } = choose("farthest", means, { count: 5 });
    expect(chosen).toEqual([4, 0, 8, 2, 6]);
    expect(scores).toEqual([Infinity, 4, 4, 2, 2]);
  });

  test("on a circle: the opposite point, then the right angles", () => {
    const means = matrix([0, 1, 2, 3, 4, 5, 6, 7].map(angle));
    const { chosen, scores } = choose("farthest", means, { count: 4, start: 3 });
    expect(chosen.slice(0, 2)).toEqual([3, 7]);
    expect(ascending(chosen.slice(2))).toEqual([1, 5]);
    expect(scores[1]).toBeCloseTo(2, 14);
    expect(scores[2]).toBeCloseTo(Math.SQRT2, 14);
  });

  test("no unchosen point is farther than the last one chosen was", () => {
    const means = cloud(60, 3, 1);
    const { chosen, scores } = choose("farthest", means, { count: 12 });
    const rows = rowsOf(means);
    for (const x of rows) {
      const near = Math.min(...chosen.map((c) => Math.hypot(...x.map((v, k) => v - rows[c][k]))));
      expect(near).toBeLessThanOrEqual(scores[11] + 1e-12);
    }
    expect(scores.every((s, k) => k === 0 || s <= scores[k - 1])).toBe(true);
  });

  test("atom by atom: the frame with the one strange atom comes first, whatever its mean", () => {
    // Frame means: 0, 1, 0, 0; frame 2 has atoms at −5 and 5.
    const rows = Float64Array.of(0, 0, 1, 1, -5, 5, 0.1, -0.1);
    const atoms = [{ width: 1, rows, frame: Int32Array.of(0, 0, 1, 1, 2, 2, 3, 3) }];
    const means = matrix([[0], [1], [0], [0]]);
    const { chosen, scores } = farthest.select({ count: 4, means, atoms }, { count: 3, start: 0 });
    expect(chosen).toEqual([0, 2, 1]);
    expect(scores.slice(1)).toEqual([5, 1]);
    // An element that no chosen frame has is infinitely far.
    const other = { width: 2, rows: new Float64Array(2), frame: Int32Array.of(3) };
    expect(farthest.select({ count: 4, means, atoms: [...atoms, other] }, { count: 2, start: 0 })).toEqual({
      chosen: [0, 3],
      scores: [Infinity, Infinity],
    });
  });
});

describe("CUR", () => {
  test("the rows that span a matrix of low rank are chosen before any other", () => {
    // Rank 3: rows 2, 5, 8 are independent and large, the others small mixtures of them.
    const basis = { 2: [9, 0, 0, 1], 5: [0, 8, 0, 1], 8: [0, 1, 7, 0] } as Record<number, number[]>;
    const random = new Random(5, "mix");
    const mixture = () => {
      const w = Object.values(basis).map((row) => [0.1 * random.normal(), row] as const);
      return [0, 1, 2, 3].map((t) => w.reduce((sum, [a, row]) => sum + a * row[t], 0));
    };
    const rows = Array.from({ length: 11 }, (_, i) => basis[i] ?? mixture());
    const { chosen, scores } = choose("cur", matrix(rows), { count: 3, rank: 3 });
    expect(ascending(chosen)).toEqual([2, 5, 8]);
    expect(scores.every((l) => l > 0.8 && l <= 1 + 1e-12)).toBe(true);
  });

  test("leverages sum to the rank, and the first choice has the greatest", () => {
    const means = cloud(20, 5, 2);
    const { chosen, scores } = choose("cur", means, { count: 20, rank: 4 });
    expect(ascending(chosen)).toEqual([...Array(20).keys()]);
    expect(scores.reduce((a, b) => a + b)).toBeCloseTo(4, 12);
    expect(scores[0]).toBe(Math.max(...scores));
  });

  test("copies are not chosen while there is something else", () => {
    const rows = [
      [5, 0],
      [5, 0],
      [5, 0],
      [0, 4],
    ];
    expect(ascending(choose("cur", matrix(rows), { count: 2, rank: 2 }).chosen)).toEqual([0, 3]);
    // A second round, after the first has used up all directions.
    expect(new Set(choose("cur", matrix(rows), { count: 4, rank: 2 }).chosen).size).toBe(4);
  });

  test("with a seed it is drawn in the ratio of the leverages, and rows of zeros come last", () => {
    // One direction: leverages 0.9, 0.1, 0, 0.
    const means = matrix([
      [3, 0],
      [1, 0],
      [0, 0],
      [0, 0],
    ]);
    const first = Array.from(
      { length: 2000 },
      (_, seed) => choose("cur", means, { count: 1, seed }).chosen[0],
    );
    const share = first.filter((f) => f === 0).length / 2000;
    expect(Math.abs(share - 0.9)).toBeLessThan(0.03);
    expect(choose("cur", means, { count: 4, seed: 3 }).chosen.slice(2)).toEqual([2, 3]);
  });
});

describe("MaxVol", () => {
  test("finds the identity in a stack of it and smaller rows", () => {
    const small = rowsOf(cloud(30, 4, 7)).map((row) => row.map((x) => 0.2 * Math.tanh(x)));
    const unit = [0, 1, 2, 3].map((j) => [0, 1, 2, 3].map((t) => (t === j ? 1 : 0)));
    const A = matrix([...small.slice(0, 11), ...unit, ...small.slice(11)]);
    expect(ascending(maximalVolume(A))).toEqual([11, 12, 13, 14]);
  });

  test("no swap of one row makes the volume more than 1 % larger, and B is A Â⁻¹", () => {
    const A = cloud(40, 5, 11);
    const B = { ...A, rows: A.rows.slice() };
    const chosen = maximalVolume(B);
    const best = volume(A, chosen);
    for (let i = 0; i < A.count; i++)
      for (let j = 0; j < 5; j++)
        expect(volume(A, chosen.with(j, i)) / best).toBeLessThanOrEqual(1.01 + 1e-9);
    const product = new Dense(rowsOf(B)).mmul(new Dense(chosen.map((i) => rowsOf(A)[i])));
    expect(Dense.sub(product, new Dense(rowsOf(A))).norm()).toBeLessThan(1e-11);
  });

  test("each row beyond the square is the one that makes det ÂᵀÂ largest", () => {
    const A = cloud(15, 3, 13);
    const B = { ...A, rows: A.rows.slice() };
    const chosen = maximalVolume(B);
    extend(B, chosen, 7);
    const all = rowsOf(A);
    const gram = (rows: readonly number[]) => {
      const C = new Dense(rows.map((i) => all[i]));
      return determinant(C.transpose().mmul(C));
    };
    for (let k = 3; k < 7; k++) {
      const before = chosen.slice(0, k);
      const open = all.map((_, i) => i).filter((i) => !before.includes(i));
      const best = Math.max(...open.map((i) => gram([...before, i])));
      expect(gram(chosen.slice(0, k + 1))).toBeCloseTo(best, 8);
    }
  });
});

const means = cloud(50, 6, 17);
const energies = new Random(1, "energies").normals(new Float64Array(50)).map((x) => x * x);

describe.each(Object.keys(selectionMethods))("%s", (name) => {
  test("gives as many different candidates as wanted, the same each time", () => {
    for (const count of [1, 6, 7, 50]) {
      const pick = () => selectionMethods[name].select({ count: 50, means, energies }, { count });
      const { chosen, scores } = pick();
      expect(new Set(chosen).size).toBe(count);
      expect(chosen.every((f) => Number.isInteger(f) && f >= 0 && f < 50)).toBe(true);
      expect(scores).toHaveLength(count);
      expect(pick()).toEqual({ chosen, scores });
    }
  });

  test("works where all candidates are alike", () => {
    const alike = { count: 5, width: 2, rows: new Float64Array(10) };
    const { chosen } = selectionMethods[name].select(
      { count: 5, means: alike, energies: new Float64Array(5) },
      { count: 3 },
    );
    expect(new Set(chosen).size).toBe(3);
  });
});

// Stride looks at nothing but the order.
describe.each(Object.keys(selectionMethods).filter((name) => name !== "stride"))("%s", (name) => {
  test("chooses the same frames in whatever order they come", () => {
    const order = new Random(4, "order").shuffle([...Array(50).keys()]);
    const rows = rowsOf(means);
    const shuffled = {
      count: 50,
      means: matrix(order.map((f) => rows[f])),
      energies: Float64Array.from(order, (f) => energies[f]),
    };
    const here = selectionMethods[name].select({ count: 50, means, energies }, { count: 9 }).chosen;
    const there = selectionMethods[name].select(shuffled, { count: 9 }).chosen.map((k) => order[k]);
    expect(ascending(there)).toEqual(ascending(here));
  });
});

describe("rows for representative points", () => {
  const X = cloud(60, 3, 11);
  test.each(["cur", "farthest", "k-means", "random"])(
    "%s: as many as asked for, ascending, each once",
    (name) => {
      const chosen = chooseRows(5)(name, X.rows, 3, 9);
      expect(new Set(chosen).size).toBe(9);
      expect(chosen).toEqual(ascending(chosen));
      expect(chooseRows(5)(name, X.rows, 3, 9)).toEqual(chosen);
      expect(chooseRows(5)(name, X.rows, 3, 99)).toHaveLength(60);
    },
  );

  test("k-means finds one of each of three far clusters", () => {
    const centres = [0, 50, 100];
    const rows = X.rows.map((x, k) => x + centres[Math.floor(k / 3) % 3]);
    const chosen = chooseRows(2)("k-means", rows, 3, 3);
    expect(ascending(chosen.map((i) => i % 3))).toEqual([0, 1, 2]);
  });
});
