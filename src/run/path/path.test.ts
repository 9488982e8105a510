import { describe, expect, it } from "vitest";
import { createDevice } from "../../device/device.ts";
import { buildTerm } from "../../potentials/build.ts";
import { superimposed, unwrapped } from "../../structure/alignment.ts";
import type { Structure } from "../../structure/structure.ts";
import { Random } from "../../math/random.ts";
import { hessian } from "../hessian.ts";
import { lbfgs, relax } from "../relax.ts";
import { dimer } from "../saddle/dimer.ts";
import { prfo } from "../saddle/prfo.ts";
import { updateHessian } from "../saddle/quadratic.ts";
import type { Simulation } from "../simulation.ts";
import { vibrations } from "../vibrations.ts";
import { band } from "./band.ts";
import { evenDistances, laidOver, straight } from "./interpolation.ts";
import { profileOf } from "./profile.ts";
import { reactionCoordinate } from "./reaction-coordinate.ts";
import { evenlySpaced, string } from "./string.ts";

const device = createDevice({ bytes: 2 ** 24 });
const plane = buildTerm({ type: "mueller-brown", options: { stiffness: 100 }, tensors: {} }, [1], device);
const leps = buildTerm({ type: "leps", options: {}, tensors: {} }, [1], device);

const free = (positions: readonly number[]): Structure => ({
  numbers: new Uint8Array(positions.length / 3).fill(1),
  positions: Float64Array.from(positions),
  cell: null,
  pbc: [false, false, false],
});

/** Minima and saddle points of Müller–Brown to 13 digits: Newton's method in 30. */
const A = [-0.5582236346330243, 1.4417258418046688, 0];
const B = [0.6234994049308766, 0.0280377585286857, 0];
const SADDLE = { x: -0.822001558732732, y: 0.624312802814871, V: -40.66484350865741 };

interface Searching {
  step: number;
  maxForce: number;
}

/** Steps until the force criterion is met; fails when it is not in `most` steps. */
function run<S extends Searching>(simulation: Simulation<S>, fmax: number, most: number): S {
  const state = simulation.init();
  while (state.maxForce > fmax && state.step < most) simulation.step(state);
  expect(state.maxForce).toBeLessThanOrEqual(fmax);
  return state;
}

describe("nudged elastic band", () => {
  const path = straight(Float64Array.from(A), Float64Array.from(B), 13);
  it.each(["lbfgs", "fire"] as const)("%s climbs to the saddle point of Müller–Brown", (method) => {
    const options = { method, spring: 1000, climbBelow: 1000, maxMove: 0.05 };
    const state = run(
      band(free(A), path, () => plane, options),
      1e-7,
      1000,
    );
    const top = state.images[state.climbing];
    expect(Math.abs(top.energy - SADDLE.V)).toBeLessThan(1e-9);
    expect(Math.abs(top.positions[0] - SADDLE.x)).toBeLessThan(1e-6);
    expect(Math.abs(top.positions[1] - SADDLE.y)).toBeLessThan(1e-6);
    const { forward, backward } = profileOf(state.images);
    expect(Math.abs(forward - (SADDLE.V + 146.69951720995402))).toBeLessThan(1e-6);
    expect(Math.abs(backward - (SADDLE.V + 108.16672411685235))).toBeLessThan(1e-6);
  });

  it("springs keep images apart: equal distances where the spring is all there is", () => {
    const flat = { cutoff: 0, elements: null, evaluate: () => {} };
    const uneven = [0, 0.1, 0.2, 0.9, 1].map((x) => Float64Array.of(x, 0, 0));
    const state = run(
      band(free([0, 0, 0]), uneven, () => flat, { climb: false }),
      1e-8,
      500,
    );
    state.images.forEach(({ positions }, k) => expect(positions[0]).toBeCloseTo(k / 4, 8));
  });

  it("fixed atoms stay, and a path of two images is refused", () => {
    const from = free([0, 0, 0, 0.742, 0, 0, 3, 0, 0]);
    const to = free([0, 0, 0, 2.258, 0, 0, 3, 0, 0]);
    const simulation = band(from, straight(from.positions, to.positions, 5), () => leps, { fixed: [0, 2] });
    const state = simulation.init();
    for (let k = 0; k < 10; k++) simulation.step(state);
    for (const { positions } of state.images) expect([positions[0], positions[6]]).toEqual([0, 3]);
    expect(() => band(from, [from.positions, to.positions], () => leps)).toThrow(/3 images/);
  });

  it("a copy of its state goes on to the same bits", () => {
    const simulation = band(free(A), path, () => plane, { spring: 1000, maxMove: 0.05 });
    const state = simulation.init();
    for (let k = 0; k < 10; k++) simulation.step(state);
    const copy = structuredClone(state);
    for (let k = 0; k < 5; k++) simulation.step(state);
    const again = band(free(A), path, () => plane, { spring: 1000, maxMove: 0.05 });
    for (let k = 0; k < 5; k++) again.step(copy);
    expect(copy).toEqual(state);
  });
});

/** A place near a minimum. */
const off = (p: readonly number[]) => Float64Array.of(p[0] + 0.05, p[1] - 0.05, 0);

describe("string", () => {
  it("finds the highest point and lets the ends fall to their minima", () => {
    const simulation = string(free(A), straight(off(A), off(B), 21), () => plane, { rate: 2e-4 });
    const state = run(simulation, 20, 4000);
    expect(Math.abs(state.images[0].energy + 146.69951720995402)).toBeLessThan(1e-6);
    expect(Math.abs(profileOf(state.images).forward + state.images[0].energy - SADDLE.V)).toBeLessThan(0.3);
  });

  it("images at equal distances on a line and on a circle", () => {
    const line = evenlySpaced([0, 0.1, 0.7, 1].map((x) => Float64Array.of(x, 2 * x, 0)));
    line.forEach((p, k) => expect(p[0]).toBeCloseTo(k / 3, 12));
    const arc = [0, 0.3, 0.5, 0.9, 1.3, 1.5].map((t) => Float64Array.of(Math.cos(t), Math.sin(t), 0));
    const chords = evenlySpaced(arc).map((p) => Math.atan2(p[1], p[0]));
    chords.forEach((t, k) => expect(t).toBeCloseTo(0.3 * k, 2));
  });
});

/** Shortest distance of the first two atoms on a path. */
const closest = (path: readonly Float64Array[]) =>
  Math.min(...path.map((p) => Math.hypot(p[0] - p[3], p[1] - p[4], p[2] - p[5])));

describe("first path", () => {
  it("atoms that would run through each other go round", () => {
    // Two atoms change places in the plane; a third stands by.
    const from = free([-1, 0, 0, 1, 0, 0, 0, 2, 0]);
    const to = free([1, 0.01, 0, -1, -0.01, 0, 0, 2, 0]);
    const line = straight(from.positions, to.positions, 9);
    expect(closest(line)).toBeLessThan(0.2);
    expect(closest(evenDistances(from, line, device))).toBeGreaterThan(1.5);
  });

  it("the last structure is laid over the first", () => {
    const random = new Random(5);
    const molecule = free(Array.from({ length: 15 }, () => 3 * random.uniform()));
    const turned = { ...molecule, positions: molecule.positions.slice() };
    for (let i = 0; i < 15; i += 3) {
      const [x, y, z] = molecule.positions.subarray(i, i + 3);
      turned.positions.set([5 - y, x + 1, z - 2], i);
    }
    laidOver(molecule, turned).forEach((x, i) => expect(x).toBeCloseTo(molecule.positions[i], 12));
    // A mirror image cannot be turned onto its original.
    const mirror = molecule.positions.map((x, i) => (i % 3 === 0 ? -x : x));
    expect(
      superimposed(mirror, molecule.positions).some((x, i) => Math.abs(x - molecule.positions[i]) > 0.1),
    ).toBe(true);
    const cell = Float64Array.of(4, 0, 0, 1, 4, 0, 0, 0, 5);
    const crystal: Structure = { ...molecule, cell, pbc: [true, true, false] };
    const moved = { ...crystal, positions: crystal.positions.map((x, i) => x + [0.1 + 5, 4, 0.1][i % 3]) };
    unwrapped(moved, crystal.positions).forEach((x, i) =>
      expect(x - crystal.positions[i]).toBeCloseTo([0.1, 0, 0.1][i % 3], 12),
    );
    expect(() => laidOver(molecule, { ...molecule, numbers: new Uint8Array(5).fill(6) })).toThrow(
      /same atoms/,
    );
  });
});

describe("saddle points", () => {
  const guess = { ...free([-0.7, 0.7, 0]) };
  it.each([
    ["prfo", () => run(prfo(guess, plane), 1e-9, 60)],
    ["dimer", () => run(dimer(guess, plane, { maxMove: 0.05 }), 1e-9, 60)],
  ])("%s: Müller–Brown", (_, search) => {
    const { positions, energy, curvature } = search();
    expect(Math.abs(positions[0] - SADDLE.x)).toBeLessThan(1e-9);
    expect(Math.abs(positions[1] - SADDLE.y)).toBeLessThan(1e-9);
    expect(Math.abs(energy - SADDLE.V)).toBeLessThan(1e-10);
    expect(curvature).toBeLessThan(-700);
  });

  it("prfo climbs out of a minimum, where the slope along its mode is rounding", () => {
    const start = free([-0.050010823, 0.466694105, 0]);
    const { structure } = relax(lbfgs(start, plane), start, { fmax: 1e-10, steps: 100 });
    const search = prfo(structure, plane, { direction: Float64Array.of(0.8, -0.6, 0) });
    const state = search.init();
    do search.step(state);
    while (state.maxForce > 1e-9 && state.step < 60);
    // Which of the two passes beside it, rounding decides.
    const off = [SADDLE.V, -72.24894011].map((V) => Math.abs(state.energy - V));
    expect(Math.min(...off)).toBeLessThan(1e-7);
  });

  it("both find the same saddle of A + BC, with exactly one negative eigenvalue", () => {
    const start = free([0, 0, 0, 0.9, 0, 0, 1.9, 0.02, 0]);
    const one = run(prfo(start, leps), 1e-9, 60);
    const two = run(dimer(start, leps, { maxMove: 0.05 }), 1e-9, 100);
    expect(Math.abs(one.energy - two.energy)).toBeLessThan(1e-11);
    const there = { ...start, positions: one.positions };
    const { wavenumbers } = vibrations(there, hessian(there, leps));
    expect([...wavenumbers].filter((w) => w < 0)).toHaveLength(1);
    // Straight: two bends that are one and the same.
    expect(wavenumbers).toHaveLength(4);
    expect(Math.abs(wavenumbers[1] - wavenumbers[2])).toBeLessThan(0.1);
  });

  it("fixed atoms are not moved", () => {
    const start = free([0, 0, 0, 0.9, 0, 0, 2, 0, 0]);
    for (const search of [prfo(start, leps, { fixed: [0, 2] }), dimer(start, leps, { fixed: [0, 2] })]) {
      const { positions } = run<Searching & { positions: Float64Array }>(search, 1e-6, 100);
      expect([...positions.subarray(0, 3), ...positions.subarray(6)]).toEqual([0, 0, 0, 2, 0, 0]);
    }
  });

  it("Bofill's update takes up what the step has shown", () => {
    const H = Float64Array.of(2, 0.3, 0.3, 1);
    const s = Float64Array.of(0.1, -0.2);
    const y = Float64Array.of(0.5, 0.3);
    updateHessian(H, s, y);
    expect(H[0] * s[0] + H[1] * s[1]).toBeCloseTo(y[0], 14);
    expect(H[2] * s[0] + H[3] * s[1]).toBeCloseTo(y[1], 14);
    expect(H[1]).toBeCloseTo(H[2], 14);
  });
});

describe("intrinsic reaction coordinate", () => {
  it("goes down to the two minima that the saddle point joins", () => {
    const saddle = run(prfo(free([-0.7, 0.7, 0]), plane), 1e-10, 60);
    const there = { ...free(A), positions: saddle.positions };
    const H = hessian(there, plane, { step: 1e-4 });
    const { modes } = vibrations(there, H, { external: true });
    const ends = ([1, -1] as const).map((side) => {
      const simulation = reactionCoordinate(there, plane, H, modes[0], side, { step: 0.02 });
      const state = simulation.init();
      const energies = [state.energy];
      while (!state.ended && state.step < 300) {
        simulation.step(state);
        energies.push(state.energy);
      }
      expect(state.ended).toBe(true);
      energies.slice(1).forEach((e, k) => expect(e).toBeLessThanOrEqual(energies[k]));
      return state.energy;
    });
    expect(Math.abs(Math.min(...ends) + 146.69951720995402)).toBeLessThan(1e-4);
    expect(Math.abs(Math.max(...ends) + 80.76781812965893)).toBeLessThan(1e-4);
  });
});
