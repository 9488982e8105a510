import { describe, expect, test } from "vitest";
import { cluster, crystal, morse } from "../../test/potentials.ts";
import { createDevice } from "../device/device.ts";
import { blockMean, invariantFallsAs, restartsIdentically, samples } from "../laws/integrator.ts";
import { buildTerm } from "../potentials/build.ts";
import { repeat, volume } from "../structure/cell.ts";
import type { Structure } from "../structure/structure.ts";
import { EV_A3_IN_GPA, kB } from "../structure/units.ts";
import { cellRescaling, martynaTobiasKlein } from "./barostats.ts";
import type { BarostatOptions, CellMotion } from "./barostats.ts";
import type { Dynamics, Motion } from "./dynamics.ts";
import { verlet } from "./dynamics.ts";
import { pressure } from "./observe.ts";
import { berendsen, bussi, noseHoover } from "./thermostats.ts";
import { degreesOfFreedom, thermalVelocities } from "./velocities.ts";

const T = 300;
const device = createDevice({ bytes: 2 ** 24 });
const start = (structure: Structure, seed = 3) => ({ velocities: thermalVelocities(structure, T, { seed }) });

const common = { timestep: 2, temperature: T, period: 60, seed: 5 };

const nvt = (timestep: number) =>
  noseHoover(crystal(), morse(), { ...common, timestep, period: 100, ...start(crystal()) });

describe("thermostats", () => {
  const make = {
    "Nosé–Hoover chain": () => noseHoover(cluster(), morse(), { ...common, ...start(cluster()) }),
    "velocity rescaling": () => bussi(cluster(), morse(), { ...common, ...start(cluster()) }),
  };

  test.each(Object.keys(make))("%s: a restart is identical to the bit", (name) => {
    restartsIdentically<Motion>(make[name as keyof typeof make], { steps: 200 });
  });

  test.each(Object.keys(make))("%s samples the kinetic energy, mean and fluctuation", (name) => {
    const run = make[name as keyof typeof make]();
    const freedom = degreesOfFreedom(cluster());
    const observe = (s: Motion) => (2 * run.kinetic(s)) / (freedom * kB);
    // Velocity Verlet is colder by (ωΔt)²/4, here below the error.
    const expected = { mean: T, variance: (2 * T ** 2) / freedom };
    samples(run, observe, { equilibration: 2000, steps: 40_000, expected, resolution: 0.03 });
  });

  test("a lone atom is refused: a thermostat has nothing to heat", () => {
    const alone = { ...cluster(), numbers: cluster().numbers.slice(0, 1), positions: new Float64Array(3) };
    for (const thermostat of [noseHoover, bussi, berendsen])
      expect(() => thermostat(alone, morse(), common)).toThrow("atoms that move against each other");
  });

  test("in an external field every velocity carries temperature, that of a lone atom too", () => {
    const well = buildTerm(
      { type: "double-well", options: { barrier: 0.02, distance: 0.8, stiffness: 1 }, tensors: {} },
      [1],
      device,
    );
    const atom: Structure = {
      numbers: Uint8Array.of(1),
      positions: Float64Array.of(-0.8, 0, 0),
      cell: null,
      pbc: [false, false, false],
    };
    const velocities = thermalVelocities(atom, T, { seed: 1, external: true });
    const still = verlet(atom, well, { timestep: 0.5, velocities });
    expect(still.freedom).toBe(3);
    expect((2 * still.kinetic(still.init())) / (3 * kB)).toBeCloseTo(T, 9);
    const run = bussi(atom, well, { ...common, timestep: 0.5, period: 20, velocities });
    const observe = (s: Motion) => (2 * run.kinetic(s)) / (3 * kB);
    const expected = { mean: T, variance: (2 * T ** 2) / 3 };
    samples(run, observe, { equilibration: 2000, steps: 40_000, expected, resolution: 0.06 });
  });

  test("atoms on each other are a failure of the computation, at the start", () => {
    const { numbers } = cluster();
    const together = { ...cluster(), positions: new Float64Array(3 * numbers.length) };
    expect(() => verlet(together, morse(), { timestep: 1 }).init()).toThrow("not finite at step 0");
  });

  test("Nosé–Hoover: the energy of atoms and chain is kept, its error falls as Δt²", () => {
    invariantFallsAs(nvt, { timesteps: [1, 2, 4, 8], time: 400 });
  });

  test("velocity rescaling: the distribution of the kinetic energy passes χ²", () => {
    const freedom = degreesOfFreedom(cluster());
    const run = bussi(cluster(), morse(), { ...common, period: 8, ...start(cluster()) });
    const state = run.init();
    for (let k = 0; k < 500; k++) run.step(state);
    // K/k_B T is a gamma variable of shape f/2; with an integer shape its distribution function is a finite sum.
    expect(freedom % 2).toBe(1);
    const bins = new Float64Array(10);
    const [draws, apart] = [1500, 20];
    for (let k = 0; k < draws; k++) {
      for (let i = 0; i < apart; i++) run.step(state);
      const u = gammaDistribution(run.kinetic(state) / (kB * T), freedom / 2);
      bins[Math.min(9, Math.floor(10 * u))]++;
    }
    const chi2 = bins.reduce((sum, n) => sum + (n - draws / 10) ** 2 / (draws / 10), 0);
    // 99.9 % of χ² with 9 degrees of freedom is 27.9.
    expect(chi2).toBeLessThan(27.9);
  });

  test("a ramp ends where it is to end, and Berendsen gets there without an ensemble", () => {
    const temperature = { from: 100, to: 600, steps: 3000 };
    for (const method of [bussi, berendsen]) {
      const run = method(crystal(), morse(), { ...common, temperature, period: 20, ...start(crystal()) });
      const state = run.init();
      for (let k = 0; k < 3000; k++) run.step(state);
      let sum = 0;
      for (let k = 0; k < 3000; k++) {
        run.step(state);
        sum += (2 * run.kinetic(state)) / (degreesOfFreedom(crystal()) * kB) / 3000;
      }
      expect(Math.abs(sum - 600)).toBeLessThan(80);
    }
  });
});

/** P(shape, x), the regularised incomplete gamma function, by its series. */
function gammaDistribution(x: number, shape: number): number {
  let term = 1 / shape;
  let sum = term;
  for (let k = 1; k < 400; k++) {
    term *= x / (shape + k);
    sum += term;
  }
  return sum * Math.exp(shape * Math.log(x) - x - logGamma(shape));
}

/** ln Γ of a half integer above 0. */
function logGamma(x: number): number {
  let value = Number.isInteger(x) ? 0 : Math.log(Math.PI) / 2;
  for (let k = Number.isInteger(x) ? 1 : 0.5; k < x; k++) value += Math.log(k);
  return value;
}

/** 32 argon atoms in a cubic crystal, near its equilibrium at 40 K. */
const lennardJones = buildTerm(
  {
    type: "lennard-jones",
    options: { cutoff: 7, ending: "switched", pairs: { "Ar-Ar": { epsilon: 0.0104, sigma: 3.4 } } },
    tensors: {},
  },
  [18],
  device,
);
const argon = (): Structure => {
  const a = 5.42;
  const cell: Structure = {
    numbers: new Uint8Array(4).fill(18),
    positions: Float64Array.of(0, 0, 0, 0, a / 2, a / 2, a / 2, 0, a / 2, a / 2, a / 2, 0),
    cell: Float64Array.of(a, 0, 0, 0, a, 0, 0, 0, a),
    pbc: [true, true, true],
  };
  return repeat(cell, [2, 2, 2]);
};

const cold = 40;
const options = (more: Partial<BarostatOptions> = {}): BarostatOptions & { pressure: number } => ({
  timestep: 10,
  temperature: cold,
  period: 300,
  pressurePeriod: 1000,
  compressibility: 0.4,
  seed: 7,
  velocities: thermalVelocities(argon(), cold, { seed: 4 }),
  ...more,
  pressure: (more.pressure as number | undefined) ?? 0,
});

const rescaled = () => cellRescaling(argon(), lennardJones, options());

interface Averages {
  readonly V: { readonly mean: number; readonly error: number };
  readonly variance: { readonly mean: number; readonly error: number };
  readonly P: { readonly mean: number; readonly error: number };
}

/** Mean volume, its variance and the mean pressure of a run. */
function averages(run: Dynamics, steps: number): Averages {
  const state = run.init();
  for (let k = 0; k < 1500; k++) run.step(state);
  const [V, P] = [new Float64Array(steps), new Float64Array(steps)];
  for (let k = 0; k < steps; k++) {
    run.step(state);
    V[k] = volume(state.cell!);
    P[k] = pressure(run.kinetic(state), state.virial, V[k]);
  }
  const mean = blockMean(V);
  return { V: mean, variance: blockMean(V.map((v) => (v - mean.mean) ** 2)), P: blockMean(P) };
}

describe("barostats", () => {
  test.each(["isotropic", "axes", "full"] as CellMotion[])(
    "Martyna–Tobias–Klein, %s: the invariant's error falls as Δt², a restart is identical to the bit",
    (cell) => {
      const npt = (timestep: number) =>
        martynaTobiasKlein(argon(), lennardJones, options({ timestep, cell }));
      invariantFallsAs(npt, { timesteps: [5, 10, 20], time: 800 });
      restartsIdentically<Motion>(() => npt(10), { steps: 60 });
    },
  );

  test("cell rescaling: a restart is identical to the bit, the invariant wanders little", () => {
    restartsIdentically<Motion>(rescaled, { steps: 60 });
    const run = rescaled();
    const state = run.init();
    const before = run.invariant(state);
    for (let k = 0; k < 2000; k++) run.step(state);
    expect(Math.abs(state.heat)).toBeGreaterThan(0.01);
    expect(Math.abs(run.invariant(state) - before)).toBeLessThan(0.01);
  });

  test("a molecule has no pressure", () => {
    expect(() => martynaTobiasKlein(cluster(), morse(), options())).toThrow(/periodic in three/);
  });

  test("the axes of a strained cell find back to each other from 0.5 Å apart, and a full cell stays without turning", () => {
    const strained = argon();
    strained.cell!.set([11.1, 0, 0, 0.3, 10.6, 0, 0, 0, 10.84]);
    const run = martynaTobiasKlein(strained, lennardJones, options({ cell: "full", pressurePeriod: 300 }));
    const state = run.init();
    const lengths = new Float64Array(3);
    for (let k = 0; k < 4000; k++) {
      run.step(state);
      if (k >= 1000)
        for (let a = 0; a < 3; a++)
          lengths[a] += Math.hypot(...state.cell!.subarray(3 * a, 3 * a + 3)) / 3000;
    }
    for (let a = 0; a < 3; a++) expect(Math.abs(lengths[a] - lengths[(a + 1) % 3])).toBeLessThan(0.17);
  });

  test("both keep the pressure, agree with each other, and their fluctuations give the compressibility", () => {
    const steps = 4000;
    const runs = [
      averages(martynaTobiasKlein(argon(), lennardJones, options()), steps),
      averages(cellRescaling(argon(), lennardJones, options({ pressurePeriod: 200 })), steps),
    ];
    for (const { P, V } of runs) {
      // The mean of the instantaneous pressure is P₀ (for the rescaling less k_B T/⟨V⟩, below the error).
      expect(Math.abs(P.mean)).toBeLessThan(4 * P.error + (kB * cold * EV_A3_IN_GPA) / V.mean);
      expect(P.error).toBeLessThan(0.005);
    }
    const [a, b] = runs;
    expect(Math.abs(a.V.mean - b.V.mean)).toBeLessThan(4 * Math.hypot(a.V.error, b.V.error));
    expect(a.V.error).toBeLessThan(0.005 * a.V.mean);
    // κ_T = −(1/V) ∂V/∂P from the mean volumes at two pressures, and from ⟨δV²⟩/(k_B T V).
    const squeezed = averages(martynaTobiasKlein(argon(), lennardJones, options({ pressure: 0.04 })), steps);
    const slope = (-2 * (squeezed.V.mean - a.V.mean)) / (a.V.mean + squeezed.V.mean) / 0.04;
    const slopeError =
      (Math.hypot(squeezed.V.error, a.V.error) * slope) / Math.abs(squeezed.V.mean - a.V.mean);
    for (const { variance, V } of runs) {
      const unit = kB * cold * EV_A3_IN_GPA * V.mean;
      const kappa = variance.mean / unit;
      // Between both pressures the crystal stiffens a little: the slope is that of the middle.
      expect(Math.abs(kappa - slope)).toBeLessThan(
        4 * Math.hypot(variance.error / unit, slopeError) + 0.1 * slope,
      );
    }
  }, 60_000);
});

test("constant energy is left as it was: the cell does not move", () => {
  const run = verlet(crystal(), morse(), { timestep: 2, ...start(crystal()) });
  const state = run.init();
  for (let k = 0; k < 20; k++) run.step(state);
  expect(state.cell).toEqual(crystal().cell);
});
