import { expect, it } from "vitest";
import { unusedNote } from "./unused.ts";

it("columns that tell nothing are named by element", () => {
  const labels = [
    ["a", "b", "c", "d", "e", "f"],
    ["g", "h"],
  ];
  const note = unusedNote([0, 2, 3, 4, 5, 9], { elements: [1, 8], starts: [0, 7, 10], labels });
  expect(note).toMatch(/^6 of 10 columns tell nothing/);
  expect(note).toMatch(/\(H: its constant, b, c, d, 1 more; O: h\)$/);
});
