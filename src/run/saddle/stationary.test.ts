import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createDevice } from "../../device/device.ts";
import { Random } from "../../math/random.ts";
import { buildTerm } from "../../potentials/build.ts";
import type { Potential } from "../../potentials/potential.ts";
import type { Structure } from "../../structure/structure.ts";
import { exactHessian, hessian } from "../hessian.ts";
import { reactionCoordinate } from "../path/reaction-coordinate.ts";
import { bfgs, fire, lbfgs, preconditioned, relax } from "../relax.ts";
import type { Descent, RelaxOptions } from "../relax.ts";
import type { Simulation } from "../simulation.ts";
import { vibrations } from "../vibrations.ts";
import { dimer } from "./dimer.ts";
import { prfo } from "./prfo.ts";

/** Newton's method elsewhere: test/golden/stationary.py. */
interface Golden {
  readonly plane: Readonly<Record<"minima" | "saddles", readonly { x: number; y: number; energy: number }[]>>;
  readonly leps: { readonly ab: number; readonly bc: number; readonly energy: number };
  readonly clusters: Readonly<
    Record<string, readonly { index: number; energy: number; positions: readonly number[] }[]>
  >;
}

const golden = JSON.parse(
  readFileSync(new URL("../../../test/golden/stationary.json", import.meta.url), "utf8"),
) as Golden;

const device = createDevice({ bytes: 2 ** 24 });
const term = (type: string, options: object, z: number): Potential =>
  buildTerm({ type, options, tensors: {} }, [z], device);
const plane = term("mueller-brown", { stiffness: 100 }, 1);
const leps = term("leps", {}, 1);
/** Å; clusters of the list are in units of it, energies in eV. */
const SIGMA = 3.4;
const pairs = term("lennard-jones", { cutoff: 340, pairs: { "Ar-Ar": { epsilon: 1, sigma: SIGMA } } }, 18);

const atoms = (z: number, positions: ArrayLike<number>): Structure => ({
  numbers: new Uint8Array(positions.length / 3).fill(z),
  positions: Float64Array.from(positions),
  cell: null,
  pbc: [false, false, false],
});

type Minimiser = (s: Structure, p: Potential, o: RelaxOptions) => Simulation<Descent>;
const minimisers: Readonly<Record<string, Minimiser>> = { lbfgs, preconditioned, bfgs, fire };

const scaled = (positions: readonly number[]) => positions.map((x) => SIGMA * x);

/** The same places, a little off. */
function shaken(positions: ArrayLike<number>, by: number, seed: number): Float64Array {
  const random = new Random(seed, "shaken");
  return Float64Array.from(positions, (x) => x + by * random.normal());
}

interface Search {
  step: number;
  evaluations: number;
  maxForce: number;
  energy: number;
  readonly positions: Float64Array;
}

function run<S extends Search>(simulation: Simulation<S>, fmax: number, most: number): S {
  const state = simulation.init();
  while (state.maxForce > fmax && state.step < most) simulation.step(state);
  expect(state.maxForce).toBeLessThanOrEqual(fmax);
  return state;
}

/** Exactly one negative eigenvalue, in force constants from formulas and from differences. */
function expectSaddle(structure: Structure, potential: Potential): void {
  for (const H of [exactHessian(structure, potential)!, hessian(structure, potential, { step: 1e-3 })]) {
    const { wavenumbers } = vibrations(structure, H, { external: potential.external });
    expect(wavenumbers.filter((w) => w < 0)).toHaveLength(1);
  }
}

const searches = {
  "prfo, exact force constants": (s: Structure, p: Potential) => prfo(s, p),
  "prfo, differences and updates": (s: Structure, p: Potential) => prfo(s, p, { exact: false }),
  dimer: (s: Structure, p: Potential) => dimer(s, p, { maxMove: 0.05 }),
} as const;

/** Evaluations that a saddle point of a cluster takes, at most. */
const MOST: Readonly<Record<string, number>> = {
  "prfo, exact force constants": 12,
  "prfo, differences and updates": 150,
  dimer: 500,
};

describe("minima to 1e-6", () => {
  it.each(Object.keys(minimisers))("%s: all of Müller–Brown, and of clusters of 4 to 7 atoms", (name) => {
    for (const { x, y, energy } of golden.plane.minima) {
      const start = atoms(1, [x + 0.05, y - 0.04, 0]);
      const simulation = minimisers[name](start, plane, { maxMove: 0.05 });
      const found = relax(simulation, start, { fmax: 1e-6, steps: 1000 });
      expect(found.converged).toBe(true);
      expect(Math.abs(found.energy - energy)).toBeLessThan(1e-9);
      expect(Math.hypot(found.structure.positions[0] - x, found.structure.positions[1] - y)).toBeLessThan(
        1e-6,
      );
    }
    for (const points of Object.values(golden.clusters))
      for (const { energy, positions } of points.filter(({ index }) => index === 0)) {
        const start = atoms(18, shaken(scaled(positions), 0.1, 1));
        const found = relax(minimisers[name](start, pairs, {}), start, { fmax: 1e-6, steps: 2000 });
        expect(found.converged).toBe(true);
        expect(Math.abs(found.energy - energy)).toBeLessThan(1e-9);
      }
  });
});

describe("saddle points to 1e-6, with exactly one negative eigenvalue", () => {
  for (const [name, search] of Object.entries(searches)) {
    it(`${name}: both of Müller–Brown`, () => {
      for (const { x, y, energy } of golden.plane.saddles) {
        const state = run<Search>(search(atoms(1, [x + 0.05, y - 0.05, 0]), plane), 1e-7, 100);
        expect(Math.hypot(state.positions[0] - x, state.positions[1] - y)).toBeLessThan(1e-6);
        expect(Math.abs(state.energy - energy)).toBeLessThan(1e-9);
        expectSaddle(atoms(1, state.positions), plane);
      }
    });

    it(`${name}: A + BC`, () => {
      const { ab, bc, energy } = golden.leps;
      const state = run<Search>(search(atoms(1, [0, 0, 0, 0.9, 0, 0, 1.9, 0.02, 0]), leps), 1e-7, 200);
      const length = (i: number) =>
        Math.hypot(...[0, 1, 2].map((k) => state.positions[3 * i + 3 + k] - state.positions[3 * i + k]));
      expect(Math.abs(length(0) - ab)).toBeLessThan(1e-6);
      expect(Math.abs(length(1) - bc)).toBeLessThan(1e-6);
      expect(Math.abs(state.energy - energy)).toBeLessThan(1e-9);
      expectSaddle(atoms(1, state.positions), leps);
    });

    it(`${name}: Lennard-Jones clusters of 4 to 7 atoms`, () => {
      // From a random direction the dimer may leave the nearest saddle point for another one.
      const near: boolean[] = [];
      for (const points of Object.values(golden.clusters)) {
        const saddles = points.filter(({ index }) => index === 1);
        for (const { energy, positions } of saddles) {
          const start = atoms(18, shaken(scaled(positions), 0.05, 1));
          const state = run<Search>(search(start, pairs), 1e-7, 100);
          expect(saddles.some((point) => Math.abs(point.energy - state.energy) < 1e-9)).toBe(true);
          expectSaddle(atoms(18, state.positions), pairs);
          expect(state.evaluations).toBeLessThanOrEqual(MOST[name]);
          near.push(Math.abs(energy - state.energy) < 1e-9);
        }
      }
      const share = near.filter(Boolean).length / near.length;
      expect(share).toBeGreaterThanOrEqual(name === "dimer" ? 0.75 : 1);
    });
  }
});

/** What both sides of a saddle point relax to. */
function ends(structure: Structure, potential: Potential, step: number): number[] {
  const H = exactHessian(structure, potential)!;
  const { modes } = vibrations(structure, H, { external: potential.external });
  return ([1, -1] as const).map((side) => {
    const simulation = reactionCoordinate(structure, potential, H, modes[0], side, { step });
    const state = simulation.init();
    while (!state.ended && state.step < 2000) simulation.step(state);
    const start = { ...structure, positions: state.positions };
    const found = relax(lbfgs(start, potential), start, { fmax: 1e-6, steps: 500 });
    expect(found.converged).toBe(true);
    return found.energy;
  });
}
const among = (energy: number, known: readonly { energy: number }[]) =>
  known.findIndex((point) => Math.abs(point.energy - energy) < 1e-8);

describe("reaction coordinates both ways end in minima", () => {
  it("Müller–Brown: each saddle point joins the shallow minimum with one of the others", () => {
    const joined = golden.plane.saddles.map(({ x, y }) =>
      ends(atoms(1, [x, y, 0]), plane, 0.02)
        .map((e) => among(e, golden.plane.minima))
        .toSorted((a, b) => a - b),
    );
    expect(joined).toEqual([
      [0, 2],
      [1, 2],
    ]);
  });

  it("Lennard-Jones clusters: minima of the list on both sides", () => {
    for (const n of ["4", "5", "6"]) {
      const points = golden.clusters[n];
      const minima = points.filter(({ index }) => index === 0);
      for (const { positions } of points.filter(({ index }) => index === 1))
        for (const energy of ends(atoms(18, scaled(positions)), pairs, 0.7))
          expect(among(energy, minima)).toBeGreaterThanOrEqual(0);
    }
  });
});
