import { bondLength, elementsOf, symbolOf } from "../../structure/elements.ts";
import type { Structure } from "../../structure/structure.ts";
import { evaluated, show } from "./check.ts";
import type { Check, Subject, Verdict } from "./check.ts";

/** Closest distance that is looked at, Å. */
const CLOSEST = 0.5;
const STEP = 0.02;
/** Below this part of a bond length a pair must repel. */
const WALL = 0.8;
/** eV that a curve may rise with the distance by rounding. */
const NOISE = 1e-6;

/**
 * Two atoms alone, from 0.5 Å on: inside 0.8 of the length of a bond the energy must fall all the way as they
 * part. A hole there is where dynamics falls in.
 */
export const dimers: Check = {
  name: "dimers",
  summary: "pairs of atoms repel at short distances",
  *run({ potential, structure }: Subject): Iterable<Verdict> {
    const elements = elementsOf(structure.numbers);
    for (const [k, a] of elements.entries()) for (const b of elements.slice(k)) yield curve(potential, a, b);
  },
};

function curve(potential: Subject["potential"], a: number, b: number): Verdict {
  const name = `${symbolOf(a)}–${symbolOf(b)} repels`;
  const wall = WALL * bondLength(a, b);
  const limit = `falls from ${CLOSEST} Å to ${show(wall)} Å`;
  const energy = (r: number) => evaluated(potential, pair(a, b, r)).energy;
  let [rise, at, before] = [0, 0, energy(CLOSEST)];
  let finite = Number.isFinite(before);
  for (let r = CLOSEST + STEP; r <= wall; r += STEP) {
    const now = energy(r);
    finite &&= Number.isFinite(now);
    if (now - before > rise) [rise, at] = [now - before, r];
    before = now;
  }
  const passed = finite && rise <= NOISE;
  const value = !finite ? "not finite" : passed ? "falls" : `rises at ${show(at)} Å`;
  const remark = passed ? "" : "a hole: add short distances to the data, or ZBL";
  return { check: name, passed, value, limit, remark };
}

const pair = (a: number, b: number, r: number): Structure => ({
  numbers: Uint8Array.of(a, b),
  positions: Float64Array.of(0, 0, 0, 0.36 * r, 0.48 * r, 0.8 * r),
  cell: null,
  pbc: [false, false, false],
});
