import { describe, expect, test } from "vitest";
import { cluster, crystal, morse } from "../../../test/potentials.ts";
import { invariantFallsAs, isReversible, restartsIdentically, samples } from "../../laws/integrator.ts";
import type { Structure } from "../../structure/structure.ts";
import { kB } from "../../structure/units.ts";
import { blockAverage } from "../analysis/blocks.ts";
import type { Bond } from "./fixed-bond.ts";
import { langevin, verlet } from "../dynamics.ts";
import type { Dynamics, Motion } from "../dynamics.ts";
import { ensembles } from "../ensembles.ts";
import { bussi, noseHoover } from "../thermostats.ts";
import { degreesOfFreedom, thermalVelocities } from "../velocities.ts";

const T = 300;
/** A triangle and a bond that hangs on it. */
const fixedBonds: readonly Bond[] = [
  { atoms: [0, 1] },
  { atoms: [1, 2] },
  { atoms: [0, 2] },
  { atoms: [4, 2], length: 2.45 },
];
const start = (structure: Structure) => ({
  fixedBonds,
  velocities: thermalVelocities(structure, T, { seed: 3, fixedBonds }),
});
const thermostat = { timestep: 4, temperature: T, period: 60, seed: 5 };
const make: Readonly<Record<string, () => Dynamics>> = {
  verlet: () => verlet(cluster(), morse(), { timestep: 4, ...start(cluster()) }),
  langevin: () => langevin(cluster(), morse(), { ...thermostat, friction: 0.02, ...start(cluster()) }),
  noseHoover: () => noseHoover(cluster(), morse(), { ...thermostat, ...start(cluster()) }),
  bussi: () => bussi(cluster(), morse(), { ...thermostat, ...start(cluster()) }),
};

/** Largest error of a length, Å, and of v_ij·r_ij, Å²/fs. */
function violation(run: Dynamics, state: Motion): { readonly length: number; readonly rate: number } {
  let [far, fast] = [0, 0];
  for (const { atoms, length } of run.constraints!.bonds) {
    const [i, j] = atoms;
    const r = [0, 1, 2].map((k) => state.positions[3 * j + k] - state.positions[3 * i + k]);
    const v = [0, 1, 2].map((k) => state.velocities[3 * j + k] - state.velocities[3 * i + k]);
    far = Math.max(far, Math.abs(Math.hypot(...r) - length));
    fast = Math.max(fast, Math.abs(r[0] * v[0] + r[1] * v[1] + r[2] * v[2]));
  }
  return { length: far, rate: fast };
}

const bonds = (...atoms: readonly [number, number][]) => ({
  timestep: 1,
  fixedBonds: atoms.map((pair) => ({ atoms: pair })),
});

describe("bonds of fixed length", () => {
  test.each(Object.keys(make))("%s keeps them to 1e-10 Å, and restarts to the bit", (name) => {
    const run = make[name]();
    const state = run.init();
    for (let k = 0; k < 500; k++) {
      run.step(state);
      const { length, rate } = violation(run, state);
      expect(length).toBeLessThan(1e-10);
      expect(rate).toBeLessThan(1e-12);
    }
    restartsIdentically<Motion>(make[name], { steps: 100 });
  });

  test("RATTLE is reversible and its energy error falls as Δt²", () => {
    isReversible(make["verlet"](), { steps: 200 });
    invariantFallsAs((timestep) => verlet(cluster(), morse(), { timestep, ...start(cluster()) }), {
      timesteps: [1, 2, 4, 8],
      time: 400,
    });
  });

  test.each(["langevin", "noseHoover", "bussi"])(
    "%s: the temperature of the motions that are left",
    (name) => {
      const run = make[name]();
      const whole = name === "langevin" ? 15 : degreesOfFreedom(cluster());
      const freedom = whole - 4;
      const expected = { mean: T, variance: (2 * T ** 2) / freedom };
      const observe = (s: Motion) => (2 * run.kinetic(s)) / (freedom * kB);
      samples(run, observe, { equilibration: 1000, steps: 12_000, expected, resolution: 0.06 });
    },
  );

  test("starting velocities have the temperature and change no bond", () => {
    const run = verlet(cluster(), morse(), {
      timestep: 1,
      fixedBonds: fixedBonds.slice(0, 3),
      velocities: thermalVelocities(cluster(), T, { seed: 3, fixedBonds: fixedBonds.slice(0, 3) }),
    });
    const state = run.init();
    expect((2 * run.kinetic(state)) / (6 * kB)).toBeCloseTo(T, 8);
    expect(violation(run, state).rate).toBeLessThan(1e-14);
  });

  test("the mean tension is the slope of the free energy: V′(r) − 2 k_B T/r for two atoms", () => {
    const r = 2.8;
    const dimer: Structure = {
      numbers: Uint8Array.of(18, 10),
      positions: Float64Array.of(0, 0, 0, r, 0, 0),
      cell: null,
      pbc: [false, false, false],
    };
    const run = langevin(dimer, morse(), {
      timestep: 2,
      temperature: T,
      friction: 0.05,
      seed: 2,
      fixedBonds: [{ atoms: [0, 1] }],
    });
    const state = run.init();
    const slope = -state.forces[3];
    const values = Float64Array.from({ length: 40_000 }, () => {
      run.step(state);
      return run.constraints!.tensions(state.positions, state.velocities, state.forces)[0];
    });
    const { mean, error } = blockAverage(values.subarray(1000));
    expect(error).toBeLessThan(5e-4);
    expect(Math.abs(mean - (slope - (2 * kB * T) / r))).toBeLessThan(3 * error);
  });

  test("a bond across the border of a cell is the near one", () => {
    const structure = crystal();
    structure.positions[0] += structure.cell![0];
    const run = verlet(structure, morse(), { timestep: 1, fixedBonds: [{ atoms: [0, 1] }] });
    expect(run.constraints!.bonds[0].length).toBeLessThan(2.8);
  });

  test("what cannot be is refused", () => {
    expect(() => verlet(cluster(), morse(), bonds([0, 9]))).toThrow("two different atoms of 1 … 5");
    expect(() => verlet(cluster(), morse(), bonds([0, 1], [1, 0]))).toThrow("every bond once");
    const options = {
      ...thermostat,
      friction: 1,
      pressure: 0,
      pressurePeriod: 1000,
      cell: "isotropic" as const,
    };
    const velocities = new Float64Array(24);
    expect(() => ensembles["npt"].make(crystal(), morse(), { ...options, velocities, fixedBonds })).toThrow(
      "constant volume",
    );
    const fast = verlet(cluster(), morse(), { timestep: 400, ...start(cluster()) });
    expect(() => fast.step(fast.init())).toThrow(/turns too far|do not settle/);
  });
});
