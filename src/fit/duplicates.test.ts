import { describe, expect, it } from "vitest";
import { Random } from "../math/random.ts";
import type { Frame, Structure } from "../structure/structure.ts";
import { findDuplicates } from "./duplicates.ts";

const frame = (structure: Structure): Frame => ({ structure, info: {}, arrays: {}, place: "x:1" });

function molecule(seed: number, n = 6): Structure {
  const positions = new Random(seed).normals(new Float64Array(3 * n)).map((x) => 1.5 * x);
  const numbers = Uint8Array.from({ length: n }, (_, i) => [1, 6, 8][i % 3]);
  return { numbers, positions, cell: null, pbc: [false, false, false] };
}

/** Turned by 90° about z, shifted, and with the first and fourth atom (alike) exchanged. */
function moved({ positions, ...rest }: Structure): Structure {
  const out = new Float64Array(positions.length);
  const order = [3, 1, 2, 0, 4, 5];
  order.forEach((from, to) => {
    const [x, y, z] = positions.subarray(3 * from, 3 * from + 3);
    out.set([-y + 3, x - 7, z + 0.5], 3 * to);
  });
  return { ...rest, positions: out };
}

describe("duplicates", () => {
  it("finds copies however moved, and nothing else", () => {
    const structures = Array.from({ length: 30 }, (_, k) => molecule(k));
    const nudged = {
      ...structures[5],
      positions: structures[5].positions.map((x, k) => (k === 0 ? x + 1e-3 : x)),
    };
    const list = [...structures, moved(structures[3]), nudged, structures[7], moved(structures[7])];
    expect(findDuplicates(list.map(frame))).toEqual([
      [3, 30],
      [7, 32, 33],
    ]);
  });

  it("sees through lattice translations", () => {
    const cell = Float64Array.of(4, 0, 0, 1, 5, 0, 0, 1, 6);
    const periodic = (s: Structure): Structure => ({ ...s, cell, pbc: [true, true, true] });
    const a = periodic(molecule(1));
    const b = { ...a, positions: a.positions.map((x, k) => x + (k < 3 ? cell[3 + k] : 0)) };
    expect(findDuplicates([a, periodic(molecule(2)), b].map(frame))).toEqual([[0, 2]]);
  });
});
