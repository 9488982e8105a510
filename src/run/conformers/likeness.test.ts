import { expect, it } from "vitest";
import type { Structure } from "../../structure/structure.ts";
import { handedness } from "./likeness.ts";
import { moleculeOf } from "./rotors.ts";

/** Gauche ethanol. */
// oxfmt-ignore
const gauche = Float64Array.of(
  1.199, -0.409, -0.002,
  0.001, 0.534, -0.023,
  -1.231, -0.149, -0.008,
  -1.251, -0.765, -0.749,
  -0.006, 1.16, 0.872,
  0.061, 1.192, -0.904,
  2.122, 0.163, 0.049,
  1.142, -1.064, 0.864,
  1.219, -1.022, -0.902,
);
const ethanol = (positions: Float64Array): Structure => ({
  numbers: Uint8Array.of(6, 6, 8, 1, 1, 1, 1, 1, 1),
  positions,
  cell: null,
  pbc: [false, false, false],
});

it("gauche ethanol and its mirror image have opposite hands", () => {
  const molecule = moleculeOf(ethanol(gauche));
  const hand = handedness(molecule, gauche);
  expect(Math.abs(hand)).toBe(1);
  expect(
    handedness(
      molecule,
      gauche.map((x, k) => (k % 3 === 2 ? -x : x)),
    ),
  ).toBe(-hand);
});
