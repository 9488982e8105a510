import { describe, expect, it } from "vitest";
import { InputError } from "../error.ts";
import type { Frame } from "../structure/structure.ts";
import { collectDataset } from "./dataset.ts";

const frame = (extra: Partial<Frame> = {}): Frame => ({
  structure: {
    numbers: Uint8Array.of(8, 1),
    positions: new Float64Array(6),
    cell: null,
    pbc: [false, false, false],
  },
  energy: -1,
  info: {},
  arrays: {},
  place: "w.xyz:1",
  ...extra,
});

const periodic = (cell: number[] | null, pbc: readonly [boolean, boolean, boolean]) => {
  const { structure } = frame();
  return frame({ structure: { ...structure, cell: cell && Float64Array.from(cell), pbc } });
};

const found = (cell: number[] | null, pbc: readonly [boolean, boolean, boolean]) => () =>
  collectDataset([periodic(cell, pbc)]);

describe("data set", () => {
  it("counts elements, atoms and labels", () => {
    const { elements, atoms, labelled } = collectDataset([frame(), frame({ forces: new Float64Array(6) })]);
    expect(elements).toEqual([1, 8]);
    expect(atoms).toBe(4);
    expect(labelled).toEqual({ energy: 2, forces: 1, stress: 0 });
  });

  it("reports everything that is wrong at once, each with its place", () => {
    const bad = [
      frame({ energy: NaN }),
      frame({ forces: new Float64Array(5), place: "w.xyz:5" }),
      frame({ energy: undefined, place: "w.xyz:9" }),
      frame({ stress: new Float64Array(9), place: "w.xyz:13" }),
      frame({ forces: Float64Array.of(0, 0, Infinity, 0, 0, 0), place: "w.xyz:17" }),
    ];
    const error = (() => {
      try {
        return collectDataset(bad) as never;
      } catch (e) {
        return e as InputError;
      }
    })();
    expect(error).toBeInstanceOf(InputError);
    expect(error.problems.map((p) => p.place)).toEqual([
      "w.xyz:1: energy",
      "w.xyz:5: forces",
      "w.xyz:9: labels",
      "w.xyz:13: stress",
      "w.xyz:17: forces[2]",
    ]);
    expect(() => collectDataset([])).toThrow("at least one frame");
  });

  it("refuses cells that are not finite or span no volume, and takes slabs whose third vector is zero", () => {
    const [all, slab] = [[true, true, true] as const, [true, true, false] as const];
    expect(found([4, 0, 0, 0, NaN, 0, 0, 0, 4], all)).toThrow("w.xyz:1: cell[4]: expected a finite number");
    expect(found([4, 0, 0, 8, 0, 0, 0, 0, 4], all)).toThrow("w.xyz:1: cell: expected independent");
    expect(found([4, 0, 0, 0, 0, 0, 0, 0, 0], slab)).toThrow("w.xyz:1: cell: expected independent");
    expect(found(null, slab)).toThrow("w.xyz:1: cell: expected lattice vectors");
    expect(found([4, 0, 0, 0, 4, 0, 0, 0, 0], slab)().elements).toEqual([1, 8]);
  });
});
