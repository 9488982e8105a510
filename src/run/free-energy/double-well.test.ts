import { describe, expect, test } from "vitest";
import { createDevice } from "../../device/device.ts";
import { restartsIdentically } from "../../laws/integrator.ts";
import { umbrella } from "../../potentials/bias/bias.ts";
import { Hills } from "../../potentials/bias/hills.ts";
import { readVariable } from "../../potentials/bias/variable.ts";
import { buildTerm } from "../../potentials/build.ts";
import type { Potential } from "../../potentials/potential.ts";
import { sum } from "../../potentials/sum.ts";
import type { Structure } from "../../structure/structure.ts";
import { kB } from "../../structure/units.ts";
import { langevin, verlet } from "../dynamics.ts";
import type { Motion } from "../dynamics.ts";
import { hillsProfile } from "./hills-profile.ts";
import { metadynamics, multipleWalkers, walker } from "./metadynamics.ts";
import { umbrellas } from "./windows.ts";
import type { Window } from "./windows.ts";

const device = createDevice({ bytes: 2 ** 26 });
const [T, BARRIER, HALF] = [300, 0.2, 0.6];
const kT = kB * T;
const isolated = { cell: null, pbc: [false, false, false] } as const;

/** −k_B T ln ∫ e^{−V/k_B T} over each bin by Simpson's rule, relative to bin `zero`. */
function exact(V: (s: number) => number, centres: Float64Array, zero: number): Float64Array {
  const width = centres[1] - centres[0];
  const mass = centres.map((c) => {
    let total = 0;
    for (let i = 0; i <= 20; i++) {
      const weight = i === 0 || i === 20 ? 1 : i % 2 === 1 ? 4 : 2;
      total += weight * Math.exp(-V(c + (i / 20 - 0.5) * width) / kT);
    }
    return total;
  });
  return mass.map((m) => -kT * Math.log(m / mass[zero]));
}

/**
 * Bins up to `most` eV: no error above 3.5 of its standard deviations, their mean square near 1, none above the
 * tolerance in eV, which is no wider than the data allow.
 */
function agrees(
  found: { readonly energies: Float64Array; readonly errors: Float64Array },
  V: (s: number) => number,
  centres: Float64Array,
  { most, tolerance }: { readonly most: number; readonly tolerance: number },
): void {
  const { energies, errors } = found;
  const zero = energies.indexOf(0);
  const truth = exact(V, centres, zero);
  const inside = [...centres.keys()].filter((b) => truth[b] < most && b !== zero);
  expect(inside.length).toBeGreaterThan(15);
  const z = inside.map((b) => (energies[b] - truth[b]) / errors[b]);
  expect(Math.max(...z.map(Math.abs))).toBeLessThan(3.5);
  expect(z.filter((x) => Math.abs(x) > 3).length).toBeLessThanOrEqual(1);
  expect(Math.max(...inside.map((b) => Math.abs(energies[b] - truth[b])))).toBeLessThan(tolerance);
  expect(Math.max(...inside.map((b) => errors[b]))).toBeLessThan(tolerance);
}

/** Dynamics under umbrellas, one after another, each going on from where the one before ended. */
function sample(
  structure: Structure,
  potential: Potential,
  text: string,
  centres: readonly number[],
  k: number,
): Window[] {
  const variable = readVariable(text, device);
  let positions = structure.positions;
  return centres.map((centre, w) => {
    const bias = umbrella(variable, centre, k);
    const options = { timestep: 1, temperature: T, friction: 0.03, seed: 100 + w };
    const run = langevin({ ...structure, positions }, sum(potential, bias), options);
    const state = run.init();
    const samples: number[] = [];
    for (let i = 0; i < 12_000; i++) {
      run.step(state);
      if (i >= 2000 && i % 10 === 0)
        samples.push(variable.evaluate({ ...structure, positions: state.positions }));
    }
    ({ positions } = state);
    return { samples: Float64Array.from(samples), energyAt: (s) => bias.energyAt(s) };
  });
}

/** The surface of double-well.ts along x, and across it. */
const well = buildTerm(
  { type: "double-well", options: { barrier: BARRIER, distance: HALF, stiffness: 5 }, tensors: {} },
  [1],
  device,
);
const V = (x: number) => BARRIER * ((x / HALF) ** 4 - 2 * (x / HALF) ** 2);
const atom: Structure = { numbers: Uint8Array.of(1), positions: Float64Array.of(-0.9, 0, 0), ...isolated };

const spread = (from: number, to: number, n: number) =>
  Array.from({ length: n }, (_, k) => from + ((to - from) * k) / (n - 1));

describe("umbrella sampling against quadrature", () => {
  test("a double well: WHAM and MBAR within 3σ and 20 meV over a barrier of 7.7 k_BT", () => {
    const windows = sample(atom, well, "x(1)", spread(-0.9, 0.9, 12), 8);
    const found = umbrellas(windows, { kT, bins: 50 });
    expect(Math.min(...found.overlaps)).toBeGreaterThan(0.03);
    agrees(found.mbar, V, found.centres, { most: 0.22, tolerance: 0.02 });
    agrees(found.wham, V, found.centres, { most: 0.22, tolerance: 0.02 });
  });

  test("the distance of two atoms: the Jacobian r² is in the profile", () => {
    const pair: Structure = {
      numbers: Uint8Array.of(1, 1),
      positions: Float64Array.of(0, 0, 0, 1, 0, 0),
      ...isolated,
    };
    const options = { depth: 0.15, alpha: 1.8, distance: 1.2, cutoff: 30 };
    // A Morse curve written out; only its energy enters the quadrature.
    const curve = (r: number) => options.depth * (1 - Math.exp(-options.alpha * (r - options.distance))) ** 2;
    const slope = (r: number) => {
      const e = Math.exp(-options.alpha * (r - options.distance));
      return 2 * options.depth * options.alpha * e * (1 - e);
    };
    const potential: Potential = {
      cutoff: 0,
      elements: null,
      evaluate({ positions }, _, out) {
        const d = [0, 1, 2].map((k) => positions[3 + k] - positions[k]);
        const r = Math.hypot(...d);
        out.energy += curve(r);
        d.forEach((x, k) => {
          out.forces[k] += (slope(r) * x) / r;
          out.forces[3 + k] -= (slope(r) * x) / r;
        });
      },
    };
    const windows = sample(pair, potential, "distance(1,2)", spread(0.9, 2.7, 9), 4);
    const found = umbrellas(windows, { kT, bins: 50 });
    const F = (r: number) => curve(r) - 2 * kT * Math.log(r);
    agrees(found.mbar, F, found.centres, { most: 0.15, tolerance: 0.02 });
    agrees(found.wham, F, found.centres, { most: 0.15, tolerance: 0.02 });
  });

  test("windows that do not meet are seen", () => {
    const windows = sample(atom, well, "x(1)", [-0.7, 0.9], 60);
    expect(umbrellas(windows, { kT, bins: 30 }).overlaps[0]).toBeLessThan(0.001);
  });
});

/** A chain without forces that metadynamics turns. */
const turned = () => {
  const chain: Structure = {
    numbers: new Uint8Array(4).fill(6),
    positions: Float64Array.of(0, 0, 0, 1.4, 0.1, 0, 1.9, 1.3, 0.2, 2.4, 1.8, 1.5),
    ...isolated,
  };
  const free: Potential = { cutoff: 0, elements: null, evaluate: () => {} };
  const hills = new Hills([readVariable("dihedral(1,2,3,4)", device)], [0.3], device);
  const turning = { height: 0.05, every: 7, biasFactor: 10, temperature: T };
  return metadynamics(free, hills, turning, (surface) =>
    langevin(chain, surface, { timestep: 1, temperature: T, friction: 0.03, seed: 4 }),
  );
};

const unmoved = (surface: Potential) => verlet(atom, surface, { timestep: 1 });

describe("well-tempered metadynamics", () => {
  const told = { height: 0.008, every: 50, biasFactor: 6, temperature: T };
  const run = () => {
    const hills = new Hills([readVariable("x(1)", device)], [0.1], device);
    const dynamics = metadynamics(well, hills, told, (surface) =>
      langevin(atom, surface, { timestep: 1, temperature: T, friction: 0.03, seed: 4 }),
    );
    return { hills, dynamics };
  };

  test("the free energy of the double well within 3σ and 30 meV, from hills and from samples", () => {
    const { hills, dynamics } = run();
    const state = dynamics.init();
    const [samples, steps]: [number[], number[]] = [[], []];
    while (state.step < 80_000) {
      dynamics.step(state);
      if (state.step % 10 !== 0) continue;
      samples.push(state.positions[0]);
      steps.push(state.step);
    }
    const series = { samples: Float64Array.from(samples), steps: Float64Array.from(steps) };
    const found = hillsProfile({ hills, kT, ...told, ...series }, 30);
    agrees(found, V, found.centres, { most: 0.21, tolerance: 0.03 });
    const zero = found.energies.indexOf(0);
    const truth = exact(V, found.centres, zero);
    const off = [...truth.keys()]
      .filter((b) => truth[b] < 0.21)
      .map((b) => found.fromHills[b] - found.fromHills[zero] - truth[b]);
    expect(Math.sqrt(off.reduce((s, x) => s + x * x, 0) / off.length)).toBeLessThan(0.02);
  });

  test("a restart is identical to the bit, hills and all", () => {
    restartsIdentically<Motion>(() => run().dynamics, { steps: 420 });
    restartsIdentically<Motion>(turned, { steps: 150 });
  });

  test("walkers from both sides that share their hills: the same free energy, and restarts to the bit", () => {
    const both = () => {
      const own = [-0.6, 0.6, -0.6].map((x, k) => {
        const hills = new Hills([readVariable("x(1)", device)], [0.1], device);
        const start = { ...atom, positions: Float64Array.of(x, 0, 0) };
        const dynamics = walker(well, hills, told, (surface) =>
          langevin(start, surface, { timestep: 1, temperature: T, friction: 0.03, seed: 20 + k }),
        );
        return { hills, dynamics };
      });
      return { hills: own[0].hills, dynamics: multipleWalkers(own.map(({ dynamics }) => dynamics)) };
    };
    restartsIdentically<Motion[]>(() => both().dynamics, { steps: 420 });
    const { hills, dynamics } = both();
    const states = dynamics.init();
    const start = dynamics.invariant!(states);
    const [samples, steps]: [number[], number[]] = [[], []];
    while (states[0].step < 30_000) {
      dynamics.step(states);
      if (states[0].step % 10 !== 0) continue;
      for (const { positions, step } of states) {
        samples.push(positions[0]);
        steps.push(step);
      }
    }
    expect(hills.count).toBe(3 * 600);
    expect(states[2].hills).toEqual(states[0].hills);
    // The thermostats and the work of all hills, eV, are taken off.
    expect(Math.abs(dynamics.invariant!(states) - start)).toBeLessThan(0.02);
    const series = { samples: Float64Array.from(samples), steps: Float64Array.from(steps) };
    const found = hillsProfile({ hills, kT, ...told, walkers: 3, ...series }, 30);
    agrees(found, V, found.centres, { most: 0.21, tolerance: 0.03 });
  });

  test("the work of the hills is taken off the invariant", () => {
    const left = [0.5, 0.125].map((timestep) => {
      const hills = new Hills([readVariable("x(1)", device)], [0.1], device);
      const every = 25 / timestep;
      const velocities = Float64Array.of(0.02, 0, 0);
      const make = (surface: Potential) => verlet(atom, surface, { timestep, velocities });
      const dynamics = metadynamics(well, hills, { ...told, every }, make);
      const state = dynamics.init();
      const start = dynamics.invariant(state);
      for (let k = 0; k < 40 * every; k++) dynamics.step(state);
      expect(hills.count).toBe(40);
      expect(hills.table.reduce((sum, w, k) => sum + (k % 2 ? w : 0), 0)).toBeGreaterThan(0.2);
      return Math.abs(dynamics.invariant(state) - start);
    });
    expect(left[0]).toBeLessThan(5e-3);
    expect(left[1]).toBeLessThan(5e-3 / 8);
  });

  test("what cannot be is refused", () => {
    const hills = new Hills([readVariable("x(1)", device)], [0.1], device);
    expect(() => metadynamics(well, hills, { ...told, biasFactor: 1 }, unmoved)).toThrow("bias factor");
    expect(() => metadynamics(well, hills, { ...told, every: 0 }, unmoved)).toThrow("steps between hills");
    expect(() => new Hills([readVariable("x(1)", device)], [0], device)).toThrow("widths of hills");
  });
});
