import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Frame } from "../structure/structure.ts";
import { splitFrames, type SplitOptions } from "./split.ts";

const OPTIONS: SplitOptions = {
  method: "random",
  validation: 0.1,
  test: 0.2,
  key: "config_type",
  windows: 10,
  seed: 1,
};

const frames = (count: number, of: (f: number) => Partial<Frame> = () => ({})): Frame[] =>
  Array.from({ length: count }, (_, f) => ({
    structure: {
      numbers: Uint8Array.of(1, 1),
      positions: new Float64Array(6),
      cell: null,
      pbc: [false, false, false],
    },
    info: { run: f % 7 },
    arrays: {},
    place: `${f % 2 ? "a" : "dir/b"}.xyz:${f + 1}`,
    ...of(f),
  }));

const alone = (periodic: boolean, configType?: string): Partial<Frame> => ({
  configType,
  structure: {
    numbers: Uint8Array.of(1),
    positions: new Float64Array(3),
    cell: periodic ? Float64Array.of(9, 0, 0, 0, 9, 0, 0, 0, 9) : null,
    pbc: [periodic, periodic, periodic],
  },
});

const all = (split: ReturnType<typeof splitFrames>) =>
  [...split.train, ...split.validation, ...split.test].sort((a, b) => a - b);

/** Names of sets, and which of the forty frames of the first test they hold. */
const NAMED: Record<string, { words: (string | number)[]; holds: (f: number) => boolean } | undefined> = {
  file: { words: ["a.xyz"], holds: (f) => f % 2 === 1 },
  group: { words: [3, "5"], holds: (f) => f % 7 === 3 || f % 7 === 5 },
  window: { words: [0, 7], holds: (f) => f < 4 || (f >= 28 && f < 32) },
};

describe("split", () => {
  it("has no frame and no copy of one in two sets, and loses none but copies, whatever is asked", () => {
    // As they are found: no frame is in two groups of copies.
    const duplicates = fc
      .array(fc.uniqueArray(fc.nat(39), { minLength: 2, maxLength: 4 }), { maxLength: 2 })
      .filter((groups) => new Set(groups.flat()).size === groups.flat().length);
    const method = fc.constantFrom("random" as const, "group" as const, "window" as const, "file" as const);
    fc.assert(
      fc.property(
        method,
        duplicates,
        fc.nat(),
        fc.double({ min: 0, max: 0.4, noNaN: true }),
        fc.boolean(),
        (m, tied, seed, part, named) => {
          const options = { ...OPTIONS, method: m, key: "run", seed, validation: part };
          const split = splitFrames(
            frames(40),
            { ...options, ...(named && NAMED[m] && { test: NAMED[m].words }) },
            tied,
          );
          const held = all(split);
          expect(held).toEqual([...new Set(held)]);
          const sets = [split.train, split.validation, split.test];
          for (const group of tied)
            expect(sets.filter((s) => group.some((f) => s.includes(f))).length).toBe(1);
          const lost = frames(40).flatMap((_, f) => (held.includes(f) ? [] : [f]));
          if (!NAMED[m] || !named) expect(lost).toEqual([]);
          for (const f of lost)
            expect(tied.some((group) => group.includes(f) && group.some((g) => split.test.includes(g)))).toBe(
              true,
            );
          if (NAMED[m] && named)
            expect(split.test).toEqual(Array.from({ length: 40 }, (_, f) => f).filter(NAMED[m].holds));
        },
      ),
      { seed: 4, numRuns: 300 },
    );
  });

  it("takes copies of a named file's frames out of the other sets, and nothing else", () => {
    const options = { ...OPTIONS, method: "file" as const };
    const copies = [[0, 3]];
    const test = splitFrames(frames(10), { ...options, validation: [], test: ["b.xyz"] }, copies);
    expect(test).toEqual({ test: [0, 2, 4, 6, 8], validation: [], train: [1, 5, 7, 9] });
    const both = { ...options, validation: ["a.xyz"], test: ["b.xyz"] };
    const three = frames(12).map((f, k) => (k < 10 ? f : { ...f, place: `c.xyz:${k}` }));
    expect(splitFrames(three, both, [[0, 3, 10]])).toEqual({
      test: [0, 2, 4, 6, 8],
      validation: [1, 5, 7, 9],
      train: [11],
    });
    const same = Array.from({ length: 5 }, (_, k) => [2 * k, 2 * k + 1]);
    expect(() => splitFrames(three, both, same)).toThrow(
      "invalid split.validation: expected frames of its own",
    );
    expect(() => splitFrames(frames(10), { ...options, test: ["b.xyz"] }, same)).toThrow(
      "expected frames to train on that are not in the named sets",
    );
  });

  it("leaves no set empty that was asked for, where there are enough groups, and says so where not", () => {
    const groups = frames(100, (f) => ({ info: { run: f < 60 ? 0 : f < 90 ? 1 : 2 } }));
    const options = { ...OPTIONS, method: "group" as const, key: "run", test: 0.01, validation: 0.01 };
    for (let seed = 0; seed < 10; seed++) {
      const split = splitFrames(groups, { ...options, seed });
      expect([split.train, split.validation, split.test].map((s) => s.length)).toEqual([60, 30, 10]);
    }
    const two = groups.slice(0, 90);
    expect(() => splitFrames(two, options)).toThrow(
      "invalid split.test: expected 0, or data of 3 or more groups",
    );
    expect(splitFrames(two, { ...options, validation: 0 }).test).toHaveLength(30);
    const one = { ...options, method: "window" as const, windows: 1, test: 0 };
    expect(() => splitFrames(two, one)).toThrow(
      "invalid split.validation: expected 0, or data of 2 or more windows",
    );
  });

  it("puts isolated atoms into no set", () => {
    const some = [alone(false), alone(true), alone(true, "isolated_atom")];
    const split = splitFrames(
      frames(30, (f) => some[f] ?? {}),
      OPTIONS,
      [[0, 1, 2]],
    );
    expect(all(split)).toEqual([1, ...Array.from({ length: 27 }, (_, k) => k + 3)]);
    expect(() =>
      splitFrames(
        frames(3, () => alone(false)),
        OPTIONS,
      ),
    ).toThrow("more than one atom");
  });

  it("keeps to the asked sizes, as fractions and as counts", () => {
    const { validation, test, train } = splitFrames(frames(1000), { ...OPTIONS, validation: 50 });
    expect([train.length, validation.length, test.length]).toEqual([750, 50, 200]);
  });

  it("depends on the seed and on nothing else", () => {
    const a = splitFrames(frames(30), OPTIONS);
    expect(splitFrames(frames(30), OPTIONS)).toEqual(a);
    expect(splitFrames(frames(30), { ...OPTIONS, seed: 2 })).not.toEqual(a);
  });

  it("keeps groups, windows and files whole", () => {
    const group = splitFrames(frames(70), { ...OPTIONS, method: "group", key: "run" });
    for (const set of [group.train, group.validation, group.test])
      for (const f of set) for (let g = f % 7; g < 70; g += 7) expect(set).toContain(g);
    const window = splitFrames(frames(100), { ...OPTIONS, method: "window" });
    expect(window.validation.length).toBe(10);
    expect(window.validation[9] - window.validation[0]).toBe(9);
    const file = splitFrames(frames(10), { ...OPTIONS, method: "file", validation: [], test: ["b.xyz"] });
    expect(file.test).toEqual([0, 2, 4, 6, 8]);
    const both = splitFrames(frames(10), { ...OPTIONS, method: "file", validation: 2, test: ["b.xyz"] });
    expect(both.test).toEqual([0, 2, 4, 6, 8]);
    expect(both.validation).toHaveLength(2);
    const archives = frames(10).map((f, k) => ({ ...f, place: `dir/${k < 7 ? "a" : "b"}.npz[${k}]` }));
    const archive = splitFrames(archives, { ...OPTIONS, method: "file", validation: [], test: ["b.npz"] });
    expect(archive.test).toEqual([7, 8, 9]);
    // The windows are those of all frames, also where a set takes some of them away.
    const rest = splitFrames(frames(100), { ...OPTIONS, method: "window", test: [0, 1, 9], validation: 20 });
    expect(rest.validation).toHaveLength(20);
    const windows = new Set(rest.validation.map((f) => Math.floor(f / 10)));
    expect(windows.size).toBe(2);
    expect([...both.train, ...both.validation].sort((a, b) => a - b)).toEqual([1, 3, 5, 7, 9]);
  });

  it("refuses what it cannot do, with the place", () => {
    expect(() => splitFrames(frames(10), { ...OPTIONS, test: 10 })).toThrow(
      "invalid split.test: expected 0 … 9",
    );
    expect(() => splitFrames(frames(10), { ...OPTIONS, method: "group", key: "no" })).toThrow(
      "dir/b.xyz:1: no",
    );
    expect(() =>
      splitFrames(frames(10), { ...OPTIONS, method: "file", test: ["c.xyz"], validation: [] }),
    ).toThrow("one of the data files dir/b.xyz, a.xyz, got c.xyz");
    expect(() => splitFrames(frames(20), { ...OPTIONS, method: "window", test: [10] })).toThrow(
      "invalid split.test: expected one of the windows 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, got 10",
    );
    expect(() => splitFrames(frames(20), { ...OPTIONS, test: ["a.xyz"] })).toThrow(
      "invalid split.test: expected a size: random splits have no names, got a.xyz",
    );
    expect(() => splitFrames(frames(4), { ...OPTIONS, test: 2, validation: 2 })).toThrow(
      "fewer than 4 frames",
    );
  });
});
