import { describe, expect, it } from "vitest";
import { wells } from "../../../test/potentials.ts";
import { Random } from "../../math/random.ts";
import type { Potential } from "../../potentials/potential.ts";
import type { Structure } from "../../structure/structure.ts";
import { EV_A3_IN_GPA, kB } from "../../structure/units.ts";
import { langevin } from "../dynamics.ts";
import { thermalVelocities } from "../velocities.ts";
import { fluctuations } from "./fluctuations.ts";

const random = new Random(5, "fluctuations");

/** Within four errors, which must be small. */
function agrees({ mean, error }: { mean: number; error: number }, exact: number, small: number): void {
  expect(error).toBeGreaterThan(0);
  expect(error).toBeLessThan(small * exact);
  expect(Math.abs(mean - exact)).toBeLessThan(4 * error);
}

const atoms: Structure = {
  numbers: new Uint8Array(6).fill(14),
  positions: Float64Array.from({ length: 18 }, (_, k) => 3 * Math.floor(k / 3) + (k % 3)),
  cell: null,
  pbc: [false, false, false],
};

/** Potential energies of Langevin dynamics after its start. */
function sampled(potential: Potential, temperature: number, steps: number): Float64Array {
  const velocities = thermalVelocities(atoms, temperature, { seed: 2 });
  const options = { timestep: 4, velocities, temperature, friction: 0.02, seed: 4 };
  const run = langevin(atoms, potential, options);
  const state = run.init();
  for (let k = 0; k < steps / 10; k++) run.step(state);
  return Float64Array.from({ length: steps / 5 }, () => {
    for (let k = 0; k < 5; k++) run.step(state);
    return state.energy;
  });
}

describe("heat capacity", () => {
  it("of a harmonic crystal by Langevin dynamics is 3N k_B", () => {
    const energies = sampled(wells(atoms.positions, 4), 400, 60_000);
    const { heatCapacity } = fluctuations({ energies, temperature: 400, freedom: 18 });
    agrees(heatCapacity, 18 * kB, 0.05);
    expect(heatCapacity.correlation).toBeGreaterThan(1);
  });

  it("of atoms in wells k x⁴ is ¾ k_B for each coordinate", () => {
    const quartic: Potential = {
      cutoff: 0,
      elements: null,
      evaluate({ positions }, _, out) {
        positions.forEach((x, i) => {
          const d = x - atoms.positions[i];
          out.energy += 30 * d ** 4;
          out.forces[i] -= 120 * d ** 3;
        });
      },
    };
    const energies = sampled(quartic, 400, 60_000);
    agrees(fluctuations({ energies, temperature: 400, freedom: 18 }).heatCapacity, 13.5 * kB, 0.05);
  });

  it("of an ideal gas at constant pressure: C_p, κ = 1/p, α = 1/T", () => {
    // Volumes of N atoms at p, T: V^N e^{−pV/k_BT}, the sum of N + 1 exponential variables.
    const [N, T, pressure] = [20, 300, 0.01];
    const p = pressure / EV_A3_IN_GPA;
    const volumes = Float64Array.from({ length: 20_000 }, () => {
      let V = 0;
      for (let k = 0; k <= N; k++) V -= (Math.log(1 - random.uniform()) * kB * T) / p;
      return V;
    });
    const energies = new Float64Array(volumes.length);
    const found = fluctuations({ energies, temperature: T, freedom: 3 * N, volumes, pressure });
    agrees(found.heatCapacity, (1.5 * N + N + 1) * kB, 0.01);
    agrees(found.compressibility!, 1 / pressure, 0.02);
    agrees(found.expansion!, 1 / T, 0.02);
  });

  it("asks for a temperature and enough records", () => {
    const energies = new Float64Array(100);
    expect(() => fluctuations({ energies, temperature: 0, freedom: 3 })).toThrow(/temperature/);
    const few = energies.subarray(0, 10);
    expect(() => fluctuations({ energies: few, temperature: 300, freedom: 3 })).toThrow(/64 or more/);
  });
});
