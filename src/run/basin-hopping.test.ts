import { describe, expect, it } from "vitest";
import { createDevice } from "../device/device.ts";
import { buildTerm } from "../potentials/build.ts";
import type { Potential } from "../potentials/potential.ts";
import type { Structure } from "../structure/structure.ts";
import { basinHopping } from "./basin-hopping.ts";

const device = createDevice({ bytes: 2 ** 24 });
const plane = buildTerm({ type: "mueller-brown", options: { stiffness: 100 }, tensors: {} }, [1], device);

const at = (x: number, y: number): Structure => ({
  numbers: Uint8Array.of(1),
  positions: Float64Array.of(x, y, 0),
  cell: null,
  pbc: [false, false, false],
});

const options = { temperature: 1e6, move: 0.8, fmax: 1e-4, seed: 2 };

/** The deep minimum of Müller–Brown lies at y = 1.44, the others below 0.5. */
const below = ({ positions }: Structure) => positions[1] < 1;

describe("basin hopping", () => {
  it("does not enter minima that are not admitted, and counts them", () => {
    const free = basinHopping(at(0.6, 0), plane, options);
    const bound = basinHopping(at(0.6, 0), plane, { ...options, admit: below });
    const [all, some] = [free.init(), bound.init()];
    for (let k = 0; k < 40; k++) {
      free.step(all);
      bound.step(some);
      expect(some.positions[1]).toBeLessThan(1);
    }
    expect(Math.abs(all.bestEnergy + 146.699517209954)).toBeLessThan(1e-6);
    expect(Math.abs(some.bestEnergy + 108.166724116853)).toBeLessThan(1e-6);
    expect(all.refused).toBe(0);
    expect(some.refused).toBeGreaterThan(0);
    expect(some.foundAt).toBe(0);
    expect(some.first).toBeCloseTo(some.bestEnergy, 9);
  });

  it("a hop into a hole without a bottom is a failed hop, not the end", () => {
    const holed: Potential = {
      cutoff: 0,
      elements: null,
      external: true,
      evaluate(structure, neighbours, out, range) {
        plane.evaluate(structure, neighbours, out, range);
        if (structure.positions[0] < -0.3) out.energy = NaN;
      },
    };
    const simulation = basinHopping(at(0.6, 0), holed, options);
    const state = simulation.init();
    for (let k = 0; k < 40; k++) simulation.step(state);
    expect(state.failed).toBeGreaterThan(0);
    expect(Math.abs(state.bestEnergy + 108.166724116853)).toBeLessThan(1e-6);
    const copy = structuredClone(state);
    for (const s of [state, copy]) for (let k = 0; k < 5; k++) simulation.step(s);
    expect(copy).toEqual(state);
  });
});
