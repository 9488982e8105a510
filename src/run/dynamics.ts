import { NumericalError, invalid } from "../error.ts";
import { expOf } from "../formula/scalar.ts";
import { Random } from "../math/random.ts";
import type { RandomState } from "../math/random.ts";
import type { Potential } from "../potentials/potential.ts";
import { masses as massesOf } from "../structure/elements.ts";
import type { Structure } from "../structure/structure.ts";
import { AMU_A2_FS2, kB } from "../structure/units.ts";
import { kineticEnergy } from "./observe.ts";
import { rampAt } from "./schedule.ts";
import type { Ramp } from "./schedule.ts";
import type { Simulation } from "./simulation.ts";
import { createSurface } from "./surface.ts";
import type { Point, Surface } from "./surface.ts";

/** Moving atoms: plain data; a copy of it is a checkpoint from which the run goes on identical to the bit. */
export interface Motion extends Point {
  step: number;
  /** [n, 3], Å/fs. */
  readonly velocities: Float64Array;
  /** Energy that the thermostat has given since the start, eV. */
  heat: number;
  /** State of the random numbers. */
  random: RandomState;
  /** Variables of a thermostat and a barostat, where they have any. */
  readonly bath: Float64Array;
}

/** What dynamics needs beside the structure and the potential. */
export interface DynamicsOptions {
  /** fs. */
  readonly timestep: number;
  /** [n, 3], Å/fs; at rest by default. */
  readonly velocities?: Float64Array;
  /** Added to the cutoff of the neighbour list, Å; 0.5 by default. */
  readonly skin?: number;
  /** [n], amu; standard atomic weights by default. */
  readonly masses?: Float64Array;
}

/** What Langevin dynamics needs on top. */
export interface LangevinOptions extends DynamicsOptions {
  /** K. */
  readonly temperature: Ramp;
  /** γ, 1/fs. */
  readonly friction: number;
  readonly seed: number;
}

/** A run of dynamics with what is needed to observe it. */
export interface Dynamics extends Simulation<Motion> {
  /** [n], amu. */
  readonly masses: Float64Array;
  /** E_kin, eV. */
  kinetic(state: Motion): number;
  invariant(state: Motion): number;
  readonly surface: Surface;
}

/**
 * Constant energy, velocity Verlet (W. C. Swope et al., J. Chem. Phys. 76, 637 (1982), DOI 10.1063/1.442716):
 * v += ½Δt f/m, r += Δt v, v += ½Δt f/m. Time-reversible and symplectic; the energy error is O(Δt²).
 */
export function verlet(structure: Structure, potential: Potential, options: DynamicsOptions): Dynamics {
  const dt = positive("timestep", options.timestep, "fs");
  const system = prepare(structure, potential, options, 0);
  return {
    ...system,
    step(state) {
      kick(state, system.masses, dt / 2);
      drift(state, dt);
      system.surface.evaluate(state);
      kick(state, system.masses, dt / 2);
      state.step++;
      refuseNaN(state);
    },
  };
}

/**
 * Constant temperature, Langevin equation by the splitting BAOAB (B. Leimkuhler, C. Matthews, Appl. Math. Res. Express
 * 2013, 34, DOI 10.1093/amrx/abs010): half kick, half drift, v ← c₁v + √(1−c₁²) √(k_B T/m) ξ with c₁ = exp(−γΔt), half
 * drift, half kick. Positions of harmonic oscillators are sampled without error in Δt. The invariant is the total
 * energy less the heat that the noise and the friction have exchanged.
 */
export function langevin(structure: Structure, potential: Potential, options: LangevinOptions): Dynamics {
  const dt = positive("timestep", options.timestep, "fs");
  positive("temperature", rampAt(options.temperature, 0), "K");
  const gamma = positive("friction", options.friction, "1/fs");
  const system = prepare(structure, potential, options, options.seed);
  const { masses } = system;
  const c1 = expOf(-gamma * dt);
  /** Widths of the noise at 1 K. */
  const widths = masses.map((m) => Math.sqrt(((1 - c1 * c1) * kB) / (m * AMU_A2_FS2)));
  const random = new Random(options.seed);

  function exchangeHeat(state: Motion): void {
    const { velocities } = state;
    const before = kineticEnergy(masses, velocities);
    random.restore(state.random);
    const root = Math.sqrt(rampAt(options.temperature, state.step));
    for (let i = 0; i < velocities.length; i++)
      velocities[i] = c1 * velocities[i] + root * widths[Math.floor(i / 3)] * random.normal();
    state.random = random.state();
    state.heat += kineticEnergy(masses, velocities) - before;
  }

  return {
    ...system,
    step(state) {
      kick(state, masses, dt / 2);
      drift(state, dt / 2);
      exchangeHeat(state);
      drift(state, dt / 2);
      system.surface.evaluate(state);
      kick(state, masses, dt / 2);
      state.step++;
      refuseNaN(state);
    },
  };
}

/** What every integrator stands on; `bath` numbers are kept for its thermostat and barostat. */
export function prepare(
  structure: Structure,
  potential: Potential,
  options: DynamicsOptions,
  seed: number,
  bath = 0,
) {
  const masses = options.masses ?? massesOf(structure.numbers);
  const surface = createSurface(structure, potential, options.skin);
  const { velocities = new Float64Array(structure.positions.length) } = options;
  if (velocities.length !== structure.positions.length)
    throw invalid("velocities", `${structure.positions.length} numbers`, velocities.length);
  const kinetic = (state: Motion) => kineticEnergy(masses, state.velocities);
  return {
    masses,
    surface,
    kinetic,
    invariant: (state: Motion) => state.energy + kinetic(state) - state.heat,
    init: (): Motion => ({
      ...surface.start(),
      step: 0,
      velocities: velocities.slice(),
      heat: 0,
      random: new Random(seed, "dynamics").state(),
      bath: new Float64Array(bath),
    }),
  };
}

/** v += Δt f/m. */
export function kick({ velocities, forces }: Motion, masses: Float64Array, dt: number): void {
  for (let i = 0; i < velocities.length; i++)
    velocities[i] += (dt * forces[i]) / (masses[Math.floor(i / 3)] * AMU_A2_FS2);
}

/** r += Δt v. */
export function drift({ positions, velocities }: Motion, dt: number): void {
  for (let i = 0; i < positions.length; i++) positions[i] += dt * velocities[i];
}

export function positive(name: string, x: number, unit: string): number {
  if (!(x > 0 && Number.isFinite(x))) throw invalid(name, `a positive number in ${unit}`, String(x));
  return x;
}

export function refuseNaN(state: Motion): void {
  if (Number.isFinite(state.energy)) return;
  throw new NumericalError(
    `the energy is ${state.energy} at step ${state.step}: the atoms left the potential's reach`,
  );
}
