import { describe, expect, test } from "vitest";
import { cluster, crystal, morse, wells } from "../../test/potentials.ts";
import { invariantFallsAs, isReversible, restartsIdentically, samples } from "../laws/integrator.ts";
import { masses as massesOf } from "../structure/elements.ts";
import type { Structure } from "../structure/structure.ts";
import { AMU_A2_FS2, kB } from "../structure/units.ts";
import { langevin, verlet } from "./dynamics.ts";
import type { Motion } from "./dynamics.ts";
import { degreesOfFreedom, thermalVelocities } from "./velocities.ts";

const T = 300;
/** 40 carbon atoms in wells with a period of about 22 fs. */
const k = 10;
const oscillators: Structure = {
  numbers: new Uint8Array(40).fill(6),
  positions: new Float64Array(120),
  cell: null,
  pbc: [false, false, false],
};
const spring = () => wells(oscillators.positions, k);
const omega = Math.sqrt(k / (12.011 * AMU_A2_FS2));

const make = (timestep: number) =>
  langevin(oscillators, spring(), { timestep, temperature: T, friction: 0.05, seed: 11 });

const nearlyFree = (timestep: number) =>
  langevin(oscillators, spring(), {
    timestep,
    temperature: T,
    friction: 1e-9,
    seed: 1,
    velocities: thermalVelocities(oscillators, T, { seed: 2 }),
  });

const line = (n: number): Structure => ({
  numbers: new Uint8Array(n).fill(8),
  positions: Float64Array.from({ length: 3 * n }, (_, i) => (1 + (i % 3)) * Math.floor(i / 3)),
  cell: null,
  pbc: [false, false, false],
});

const systems = { cluster, crystal };

for (const [name, structure] of Object.entries(systems)) {
  const velocities = () => thermalVelocities(structure(), T, { seed: 3 });
  const nve = (timestep: number) => verlet(structure(), morse(), { timestep, velocities: velocities() });
  const nvt = (timestep: number) =>
    langevin(structure(), morse(), {
      timestep,
      velocities: velocities(),
      temperature: T,
      friction: 0.02,
      seed: 5,
    });

  describe(`velocity Verlet, ${name}`, () => {
    test("the energy error falls as Δt²", () => {
      invariantFallsAs(nve, { timesteps: [1, 2, 4, 8], time: 400 });
    });
    test("it runs backwards to its start", () => {
      isReversible(nve(2), { steps: 200 });
    });
    test("a restart is identical to the bit, across rebuilt neighbour lists", () => {
      restartsIdentically(() => nve(4), { steps: 300 });
    });
    test("the total momentum stays zero", () => {
      const run = nve(2);
      const state = run.init();
      for (let i = 0; i < 200; i++) run.step(state);
      for (let c = 0; c < 3; c++) expect(Math.abs(momentum(state, run.masses, c))).toBeLessThan(1e-12);
    });
  });

  describe(`Langevin BAOAB, ${name}`, () => {
    test("a restart is identical to the bit, noise included", () => {
      restartsIdentically(() => nvt(2), { steps: 300 });
    });
    test("the invariant is kept though the thermostat exchanges heat", () => {
      const run = nvt(1);
      const state = run.init();
      const start = run.invariant(state);
      for (let i = 0; i < 2000; i++) run.step(state);
      expect(Math.abs(state.heat)).toBeGreaterThan(0.02);
      expect(Math.abs(run.invariant(state) - start)).toBeLessThan(0.1 * Math.abs(state.heat));
    });
  });
}

function momentum(state: Motion, masses: Float64Array, component: number): number {
  return masses.reduce((sum, m, i) => sum + m * state.velocities[3 * i + component], 0);
}

describe("what Langevin BAOAB samples", () => {
  const freedom = 120;
  const kinetic = (run: ReturnType<typeof make>) => (s: Motion) => (2 * run.kinetic(s)) / (freedom * kB);
  const potential = (s: Motion) => (2 * s.energy) / (freedom * kB);
  const expected = (factor: number) => ({ mean: T * factor, variance: (2 * (T * factor) ** 2) / freedom });

  test("positions of harmonic oscillators without error in Δt, even at ωΔt = 1", () => {
    samples(make(1 / omega), potential, { equilibration: 200, steps: 20_000, expected: expected(1) });
  });

  test("the temperature and its fluctuation, less the known (ωΔt)²/4 of its velocities", () => {
    for (const x of [0.1, 0.7]) {
      const run = make(x / omega);
      samples(run, kinetic(run), { equilibration: 500, steps: 20_000, expected: expected(1 - x ** 2 / 4) });
    }
  });

  test("the error of the invariant falls as Δt² at the same noise strength", () => {
    invariantFallsAs(nearlyFree, { timesteps: [0.25, 0.5, 1, 2], time: 60 });
  });

  test("the laws refuse what is wrong", () => {
    const run = make(0.7 / omega);
    const wrong = { equilibration: 500, steps: 20_000, expected: expected(1) };
    expect(() => samples(run, kinetic(run), wrong)).toThrow("sampled average and fluctuation does not hold");
    expect(() => isReversible(make(1), { steps: 50 })).toThrow("reversibility does not hold");
    expect(() => invariantFallsAs((dt) => make(dt), { timesteps: [0.5, 1, 2], time: 60, order: 4 })).toThrow(
      "Δt^p",
    );
  });
});

describe("velocities", () => {
  test("have the temperature, no drift and no rotation", () => {
    const structure = cluster();
    const masses = massesOf(structure.numbers);
    const v = thermalVelocities(structure, T, { seed: 1 });
    expect(degreesOfFreedom(structure)).toBe(9);
    expect(degreesOfFreedom(crystal())).toBe(21);
    const L = [0, 1, 2].map((c) => {
      const [a, b] = [(c + 1) % 3, (c + 2) % 3];
      const r = structure.positions;
      return masses.reduce(
        (sum, m, i) => sum + m * (r[3 * i + a] * v[3 * i + b] - r[3 * i + b] * v[3 * i + a]),
        0,
      );
    });
    for (const x of L) expect(Math.abs(x)).toBeLessThan(1e-12);
    const run = verlet(structure, morse(), { timestep: 1, velocities: v });
    expect((2 * run.kinetic(run.init())) / (9 * kB)).toBeCloseTo(T, 9);
  });

  test("a linear molecule has five motions of the whole, an atom three", () => {
    expect(degreesOfFreedom(line(3))).toBe(4);
    expect(degreesOfFreedom(line(1))).toBe(0);
    // Off the line by as much as a relaxation to 0.01 eV/Å leaves, and by as much as makes another molecule of it.
    const bent = (by: number) => ({
      ...line(3),
      positions: line(3).positions.map((x, i) => (i === 4 ? x + by : x)),
    });
    expect([1e-12, 1e-3, 0.1].map((by) => degreesOfFreedom(bent(by)))).toEqual([4, 4, 3]);
  });

  test("follow the Maxwell–Boltzmann distribution of each mass", () => {
    const many: Structure = {
      numbers: Uint8Array.from({ length: 4000 }, (_, i) => (i % 2 ? 1 : 8)),
      positions: Float64Array.from({ length: 12_000 }, (_, i) => i % 97),
      cell: null,
      pbc: [false, false, false],
    };
    const v = thermalVelocities(many, T, { seed: 9, exact: false });
    const masses = massesOf(many.numbers);
    for (const z of [1, 8]) {
      const x = [...v].filter((_, i) => many.numbers[Math.floor(i / 3)] === z);
      const scaled = x.map((u) => u * Math.sqrt((masses[many.numbers.indexOf(z)] * AMU_A2_FS2) / (kB * T)));
      const moment = (p: number) => scaled.reduce((s, u) => s + u ** p, 0) / scaled.length;
      expect(Math.abs(moment(2) - 1)).toBeLessThan(4 * Math.sqrt(2 / scaled.length));
      expect(Math.abs(moment(4) - 3)).toBeLessThan(4 * Math.sqrt(96 / scaled.length));
    }
  });
});

test("a surface that is no number stops the run and says at which step", () => {
  let calls = 0;
  const broken = (sound: number) => ({
    cutoff: 0,
    elements: null,
    evaluate: (_: unknown, __: unknown, out: { energy: number }) => (out.energy = calls++ < sound ? 0 : NaN),
  });
  const run = verlet(cluster(), broken(1), { timestep: 1 });
  const state = run.init();
  expect(() => run.step(state)).toThrow("step 1");
  expect(() => verlet(cluster(), broken(0), { timestep: 1 }).init()).toThrow("step 0");
});
