import { NumericalError, invalid } from "../error.ts";
import { expOf } from "../formula/scalar.ts";
import { Random } from "../math/random.ts";
import type { RandomState } from "../math/random.ts";
import type { Potential } from "../potentials/potential.ts";
import { masses as massesOf } from "../structure/elements.ts";
import type { Structure } from "../structure/structure.ts";
import { AMU_A2_FS2, kB } from "../structure/units.ts";
import { Constraints } from "./constraints/constraints.ts";
import type { Fixed } from "./constraints/constraints.ts";
import { kineticEnergy } from "./observe.ts";
import { rampAt } from "./schedule.ts";
import type { Ramp } from "./schedule.ts";
import type { Simulation } from "./simulation.ts";
import { createSurface } from "./surface.ts";
import type { Point, Surface } from "./surface.ts";
import { degreesOfFreedom } from "./velocities.ts";

/** Moving atoms: plain data; a copy of it is a checkpoint from which the run goes on identical to the bit. */
export interface Motion extends Point {
  step: number;
  /** [n, 3], Å/fs. */
  readonly velocities: Float64Array;
  /** Energy that the thermostat, and the hills of metadynamics, have given since the start, eV. */
  heat: number;
  /** State of the random numbers. */
  random: RandomState;
  /** Variables of a thermostat and a barostat, where they have any. */
  readonly bath: Float64Array;
  /** Centres and heights (eV) of metadynamics' hills, [hills, variables + 1], where it is at work. */
  hills?: Float64Array;
}

/** What dynamics needs beside the structure and the potential. */
export interface DynamicsOptions extends Fixed {
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
  /** Velocities that carry temperature: 3n less what is held fixed and the motions of the whole that nothing changes. */
  readonly freedom: number;
  /** E_kin, eV. */
  kinetic(state: Motion): number;
  invariant(state: Motion): number;
  readonly surface: Surface;
  /** Where bonds or variables are held fixed. */
  readonly constraints?: Constraints;
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
      system.kick(state, dt / 2);
      system.drift(state, dt);
      system.surface.evaluate(state);
      system.kick(state, dt / 2);
      state.step++;
      refuseNaN(state);
    },
  };
}

/**
 * Constant temperature, Langevin equation by the splitting BAOAB (B. Leimkuhler, C. Matthews, Appl. Math. Res. Express
 * 2013, 34, DOI 10.1093/amrx/abs010): half kick, half drift, v ← c₁v + √(1−c₁²) √(k_B T/m) ξ with c₁ = exp(−γΔt), half
 * drift, half kick. Positions of harmonic oscillators are sampled without error in Δt. The invariant is the total
 * energy less the heat that the noise and the friction have exchanged. Bonds of fixed length hold after every part of the
 * step (B. Leimkuhler, C. Matthews, Proc. R. Soc. A 472, 20160138 (2016), DOI 10.1098/rspa.2016.0138).
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
    system.constraints?.rattle(state.positions, velocities);
    state.heat += kineticEnergy(masses, velocities) - before;
  }

  return {
    ...system,
    // The noise moves the whole too.
    freedom: structure.positions.length - (system.constraints?.count ?? 0),
    step(state) {
      system.kick(state, dt / 2);
      system.drift(state, dt / 2);
      exchangeHeat(state);
      system.drift(state, dt / 2);
      system.surface.evaluate(state);
      system.kick(state, dt / 2);
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
  const { velocities = new Float64Array(structure.positions.length) } = options;
  const all = new Constraints(structure, options, masses);
  const constraints = all.count > 0 ? all : undefined;
  const surface = createSurface(constraints?.applied(structure) ?? structure, potential, options.skin);
  if (velocities.length !== structure.positions.length)
    throw invalid("velocities", `${structure.positions.length} numbers`, velocities.length);
  const kinetic = (state: Motion) => kineticEnergy(masses, state.velocities);
  const { external } = potential;
  return {
    masses,
    freedom: degreesOfFreedom(structure, masses, { external, held: options.held }) - all.count,
    surface,
    kinetic,
    ...(constraints && { constraints }),
    /** v += Δt f/m, less what would change what is held fixed. */
    kick(state: Motion, dt: number): void {
      kick(state, masses, dt);
      constraints?.rattle(state.positions, state.velocities);
    },
    /** r += Δt v, with what is held fixed set right. */
    drift(state: Motion, dt: number): void {
      constraints?.remember(state.positions);
      drift(state, dt);
      constraints?.shake(state.positions, state.velocities, dt);
      constraints?.rattle(state.positions, state.velocities);
    },
    invariant: (state: Motion) => state.energy + kinetic(state) - state.heat,
    init(): Motion {
      const start = surface.start();
      const v = velocities.slice();
      constraints?.rattle(start.positions, v);
      const rest = { step: 0, velocities: v, heat: 0, bath: new Float64Array(bath) };
      const state = { ...start, ...rest, random: new Random(seed, "dynamics").state() };
      refuseNaN(state);
      return state;
    },
  };
}

/** v += Δt f/m. */
export function kick({ velocities, forces }: Motion, masses: Float64Array, dt: number): void {
  for (let i = 0; i < masses.length; i++) {
    const m = masses[i] * AMU_A2_FS2;
    for (let k = 3 * i; k < 3 * i + 3; k++) velocities[k] += (dt * forces[k]) / m;
  }
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
  if (Number.isFinite(state.energy) && state.forces.every(Number.isFinite)) return;
  throw new NumericalError(
    `the energy or a force is not finite at step ${state.step}: the atoms left the potential's reach`,
  );
}
