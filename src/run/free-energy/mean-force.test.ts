import { describe, expect, test } from "vitest";
import { createDevice } from "../../device/device.ts";
import { readVariable } from "../../potentials/bias/variable.ts";
import type { Potential } from "../../potentials/potential.ts";
import type { Structure } from "../../structure/structure.ts";
import { kB } from "../../structure/units.ts";
import { langevin } from "../dynamics.ts";
import { integrateSlopes, slopeOf, weightedMean } from "./mean-force.ts";

const device = createDevice({ bytes: 2 ** 24 });
const T = 300;
const kT = kB * T;
const isolated = { cell: null, pbc: [false, false, false] } as const;

/** Springs ½ K (r − d)² between neighbours of a chain. */
const springs = (K: number, d: number): Potential => ({
  cutoff: 0,
  elements: null,
  evaluate({ positions, numbers }, _, out) {
    for (let i = 0; i + 1 < numbers.length; i++) {
      const v = [0, 1, 2].map((k) => positions[3 * i + 3 + k] - positions[3 * i + k]);
      const r = Math.hypot(...v);
      out.energy += 0.5 * K * (r - d) ** 2;
      v.forEach((x, k) => {
        out.forces[3 * i + k] += (K * (r - d) * x) / r;
        out.forces[3 * i + 3 + k] -= (K * (r - d) * x) / r;
      });
    }
  },
});

/** Samples of the slope with a variable held, and those of the bare force that holds it. */
function held(structure: Structure, potential: Potential, text: string, value: number, steps: number) {
  const variable = readVariable(text, device);
  const options = { timestep: 1, temperature: T, friction: 0.05, seed: 11, held: [{ variable, value }] };
  const run = langevin(structure, potential, options);
  const state = run.init();
  const all = Array.from({ length: steps }, () => {
    run.step(state);
    const own = slopeOf(run.constraints!, state, kT)!;
    const [tension] = run.constraints!.tensions(state.positions, state.velocities, state.forces);
    return [own.slope, own.weight, tension];
  }).slice(1000);
  const s = variable.evaluate({ ...structure, positions: state.positions });
  expect(Math.abs(s - value)).toBeLessThan(1e-11);
  const [slopes, weights, tensions] = [0, 1, 2].map((c) => Float64Array.from(all, (row) => row[c]));
  return {
    slope: weightedMean(slopes, weights),
    bare: weightedMean(
      tensions,
      tensions.map(() => 1),
    ),
  };
}

const pair = (r: number): Structure => ({
  numbers: Uint8Array.of(8, 1),
  positions: Float64Array.of(0, 0, 0, r, 0, 0),
  ...isolated,
});

/** What a pair counts in `coordination(1;2;r0=1)`. */
const share = (r: number): number => 1 / (1 + r ** 6);

describe("the slope of the free energy with a variable held", () => {
  test("two atoms: V′(r) − 2 k_BT/r, integrated V − 2 k_BT ln r", () => {
    const places = [0.8, 0.95, 1.1, 1.25, 1.4];
    const found = places.map((r) => held(pair(r), springs(3, 1), "distance(1,2)", r, 6000).slope);
    found.forEach(({ mean, error }, k) => {
      const exact = 3 * (places[k] - 1) - (2 * kT) / places[k];
      expect(error).toBeLessThan(0.01);
      expect(Math.abs(mean - exact)).toBeLessThan(3.5 * error);
    });
    const { energies, errors } = integrateSlopes(0.15, found);
    const F = places.map((r) => 1.5 * (r - 1) ** 2 - 2 * kT * Math.log(r));
    const zero = energies.indexOf(0);
    energies.forEach((x, k) => {
      expect(Math.abs(x - (F[k] - F[zero]))).toBeLessThan(3.5 * errors[k] + 1e-4);
      expect(errors[k]).toBeLessThan(0.003);
    });
  });

  test("a difference of distances about a light atom, whose metric turns with it", () => {
    const chain: Structure = {
      numbers: Uint8Array.of(8, 1, 9),
      positions: Float64Array.of(0, 0, 0, 1.3, 0, 0, 1.5, 0.95, 0.2),
      ...isolated,
    };
    const [K, d, s] = [1.2, 1, 0.3];
    // p(s) = ∫ r² (r − s)² e^{−V(r) − V(r − s)} dr, for all angles are alike.
    const log = (x: number): number => {
      let sum = 0;
      for (let r = x + 1e-3; r < 4; r += 1e-3)
        sum += r ** 2 * (r - x) ** 2 * Math.exp((-0.5 * K * ((r - d) ** 2 + (r - x - d) ** 2)) / kT);
      return Math.log(sum);
    };
    const exact = (-kT * (log(s + 0.01) - log(s - 0.01))) / 0.02;
    const { slope } = held(chain, springs(K, d), "distance(1,2)-distance(2,3)", s, 60_000);
    expect(slope.error).toBeLessThan(0.003);
    expect(Math.abs(slope.mean - exact)).toBeLessThan(3 * slope.error);
  });

  test("a coordination number, curved in r: F = V − 2 k_BT ln r + k_BT ln |ds/dr|, and not without its correction", () => {
    const r = 1.15;
    const F = (x: number) =>
      1.5 * (x - 1) ** 2 - 2 * kT * Math.log(x) + kT * Math.log(6 * x ** 5 * share(x) ** 2);
    const exact = (F(r + 1e-5) - F(r - 1e-5)) / (share(r + 1e-5) - share(r - 1e-5));
    const { slope, bare } = held(pair(r), springs(3, 1), "coordination(1;2;r0=1)", share(r), 8000);
    expect(slope.error).toBeLessThan(0.005);
    expect(Math.abs(slope.mean - exact)).toBeLessThan(3 * slope.error);
    expect(Math.abs(bare.mean - exact)).toBeGreaterThan(5 * bare.error);
  });

  test("a coordinate in space: V′ of the double well", () => {
    const well: Potential = {
      cutoff: 0,
      elements: null,
      external: true,
      evaluate({ positions: [x, y] }, _, out) {
        out.energy += x ** 4 - 2 * x ** 2 + 0.5 * (y - x) ** 2;
        out.forces[0] -= 4 * x ** 3 - 4 * x - (y - x);
        out.forces[1] -= y - x;
      },
    };
    const atom = { numbers: Uint8Array.of(6), positions: Float64Array.of(0.5, 0.5, 0), ...isolated };
    const { slope } = held(atom, well, "x(1)", 0.5, 12_000);
    expect(slope.error).toBeLessThan(0.02);
    expect(Math.abs(slope.mean - (4 * 0.5 ** 3 - 4 * 0.5))).toBeLessThan(3 * slope.error);
  });
});

const exactly = (f: (s: number) => number, places: readonly number[]) =>
  integrateSlopes(
    places[1] - places[0],
    places.map((s) => ({ mean: f(s), error: 0, correlation: 0.5 })),
  ).energies;

describe("integration of slopes", () => {
  test.each([2, 3, 4, 7])("is exact for a cubic free energy's slope at %i places", (count) => {
    const places = Array.from({ length: count }, (_, k) => -1 + 0.5 * k);
    const degree = Math.min(3, count - 1);
    const F = exactly((s) => (degree + 1) * s ** degree + 1, places);
    const own = places.map((s) => s ** (degree + 1) + s);
    const least = Math.min(...own);
    F.forEach((x, k) => expect(x).toBeCloseTo(own[k] - least, 13));
  });
});
