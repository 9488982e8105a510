import { describe, expect, it } from "vitest";
import { createDevice } from "../../device/device.ts";
import { buildTerm } from "../../potentials/build.ts";
import type { Structure } from "../../structure/structure.ts";
import { lbfgs, relax } from "../relax.ts";
import { prfo } from "../saddle/prfo.ts";
import { band } from "./band.ts";
import { evenDistances, laidOver, straight } from "./interpolation.ts";

const device = createDevice({ bytes: 2 ** 24 });
const leps = buildTerm({ type: "leps", options: {}, tensors: {} }, [1], device);

const atoms = (...positions: number[]): Structure => ({
  numbers: Uint8Array.of(1, 1, 1),
  positions: Float64Array.from(positions),
  cell: null,
  pbc: [false, false, false],
});

const relaxed = (structure: Structure, fixed: readonly number[]): Structure =>
  relax(lbfgs(structure, leps, { fixed }), structure, { fmax: 1e-3, steps: 500 }).structure;

const length = (p: Float64Array, i: number, j: number) =>
  Math.hypot(p[3 * i] - p[3 * j], p[3 * i + 1] - p[3 * j + 1], p[3 * i + 2] - p[3 * j + 2]);

/** The saddle point of A + BC → AB + C. */
function saddleEnergy(): number {
  const simulation = prfo(atoms(0, 0, 0, 0.9, 0, 0, 1.9, 0.02, 0), leps);
  const state = simulation.init();
  while (state.maxForce > 1e-9 && state.step < 60) simulation.step(state);
  return state.energy;
}

describe("bands on which an optimiser without guard runs away", () => {
  // The ends lie 9 Å apart; the first path parts all three atoms, 4 eV above the saddle point.
  it.each(["lbfgs", "fire"] as const)("%s: A + BC from far away climbs to the saddle point", (method) => {
    const from = relaxed(atoms(0, 0, 0, 0.742, 0, 0, 3, 0, 0), []);
    const to = relaxed(atoms(0, 0, 0, 2.258, 0.02, 0, 3, 0, 0), []);
    const top = saddleEnergy();
    for (const images of [7, 9, 13]) {
      const line = straight(from.positions, laidOver(from, to), images);
      const simulation = band(from, evenDistances(from, line, device), () => leps, { method });
      const state = simulation.init();
      expect(Math.max(...state.images.map((image) => image.energy))).toBeGreaterThan(top + 2);
      while ((state.maxForce > 1e-3 || state.climbing < 0) && state.step < 500) simulation.step(state);
      expect(state.maxForce).toBeLessThanOrEqual(1e-3);
      expect(Math.abs(state.images[state.climbing].energy - top)).toBeLessThan(1e-5);
    }
  });

  // Seven images that leave the barrier between two of them fall into the product's valley and double back there.
  it.each(["lbfgs", "fire"] as const)("%s: no image flees where the path doubles back", (method) => {
    const fixed = [0, 2];
    const from = relaxed(atoms(0, 0, 0, 0.742, 0, 0, 3, 0, 0), fixed);
    const to = relaxed(atoms(0, 0, 0, 2.258, 0.02, 0, 3, 0, 0), fixed);
    const line = straight(from.positions, to.positions, 7);
    const simulation = band(from, line, () => leps, { method, fixed });
    const state = simulation.init();
    let least = Infinity;
    for (let k = 0; k < 500; k++) {
      simulation.step(state);
      least = Math.min(least, state.maxForce);
      for (const { positions } of state.images) {
        const far = Math.min(length(positions, 0, 1), length(positions, 1, 2));
        expect(far).toBeLessThan(2.5);
      }
    }
    expect(least).toBeLessThan(0.03);
  });
});
