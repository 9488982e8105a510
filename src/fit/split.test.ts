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
      numbers: Uint8Array.of(1),
      positions: new Float64Array(3),
      cell: null,
      pbc: [false, false, false],
    },
    info: { run: f % 7 },
    arrays: {},
    place: `${f % 2 ? "a" : "dir/b"}.xyz:${f + 1}`,
    ...of(f),
  }));

const all = (split: ReturnType<typeof splitFrames>) =>
  [...split.train, ...split.validation, ...split.test].sort((a, b) => a - b);

describe("split", () => {
  it("puts every frame into exactly one set, duplicates together, whatever is asked", () => {
    const duplicates = fc.array(fc.uniqueArray(fc.nat(39), { minLength: 2, maxLength: 4 }), { maxLength: 4 });
    const method = fc.constantFrom("random" as const, "group" as const, "window" as const);
    fc.assert(
      fc.property(
        method,
        duplicates,
        fc.nat(),
        fc.double({ min: 0, max: 0.4, noNaN: true }),
        (m, tied, seed, part) => {
          const split = splitFrames(
            frames(40),
            { ...OPTIONS, method: m, key: "run", seed, validation: part },
            tied,
          );
          expect(all(split)).toEqual(Array.from({ length: 40 }, (_, k) => k));
          const sets = [split.train, split.validation, split.test];
          for (const group of tied)
            expect(sets.filter((s) => group.some((f) => s.includes(f))).length).toBe(1);
        },
      ),
      { seed: 4, numRuns: 200 },
    );
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
    ).toThrow("one of the data files");
    expect(() => splitFrames(frames(4), { ...OPTIONS, test: 2, validation: 2 })).toThrow(
      "fewer than 4 frames",
    );
  });
});
