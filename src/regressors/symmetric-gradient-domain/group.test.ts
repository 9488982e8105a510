import { describe, expect, it } from "vitest";
import { checkGroup, closure, pairPlaces } from "./group.ts";

describe("groups of permutations", () => {
  it("close: a turn of three and a swap make six, and the identity comes first", () => {
    const group = closure(
      [
        [1, 2, 0],
        [1, 0, 2],
      ],
      3,
      100,
    )!;
    expect(group[0]).toEqual([0, 1, 2]);
    expect(new Set(group.map((p) => p.join())).size).toBe(6);
    expect(closure([[1, 2, 3, 4, 0]], 5, 4)).toBeNull();
  });

  it("are refused where a product is missing, an atom is twice, or elements mix", () => {
    const numbers = Uint8Array.of(1, 1, 1, 8);
    const identity = [0, 1, 2, 3];
    expect(() => checkGroup([identity, [1, 2, 0, 3]], numbers, "p")).toThrow(/a group/);
    expect(() => checkGroup([identity, [1, 1, 2, 3]], numbers, "p")).toThrow(/p\[1\]: expected each of/);
    expect(() => checkGroup([identity, [3, 1, 2, 0]], numbers, "p")).toThrow(/atoms of one element/);
    checkGroup([identity, [1, 0, 2, 3]], numbers, "p");
  });

  it("move pairs with their atoms", () => {
    // Pairs 01 02 12; atoms 0 and 2 exchanged turn them into 21 20 10.
    expect([...pairPlaces([[2, 1, 0]], 3)]).toEqual([2, 1, 0]);
  });
});
