import { invalid } from "../error.ts";
import { expOf } from "../formula/scalar.ts";
import { Random } from "../math/random.ts";
import type { Potential } from "../potentials/potential.ts";
import type { Structure } from "../structure/structure.ts";
import { kB } from "../structure/units.ts";
import { Chain, CHAIN } from "./chain.ts";
import { positive, prepare, refuseNaN } from "./dynamics.ts";
import type { Dynamics, DynamicsOptions, Motion } from "./dynamics.ts";
import { rampAt } from "./schedule.ts";
import type { Ramp } from "./schedule.ts";

/** What a thermostat that acts on the whole needs. */
export interface ThermostatOptions extends DynamicsOptions {
  /** K; a ramp where the thermostat bears one. */
  readonly temperature: Ramp;
  /** Time constant τ, fs. */
  readonly period: number;
  readonly seed?: number;
}

/** v ← α v. */
export function scale(values: Float64Array, factor: number): void {
  for (let i = 0; i < values.length; i++) values[i] *= factor;
}

function common(structure: Structure, potential: Potential, options: ThermostatOptions, bath: number) {
  const dt = positive("timestep", options.timestep, "fs");
  const tau = positive("period", options.period, "fs");
  positive("temperature", rampAt(options.temperature, 0), "K");
  const system = prepare(structure, potential, options, options.seed ?? 1, bath);
  return { dt, tau, system, freedom: heated(system) };
}

/** Degrees of freedom that a thermostat heats, refused where there are none: a lone free atom has only the motion of the whole. */
export function heated({ freedom }: Pick<Dynamics, "freedom">): number {
  if (freedom < 1) throw invalid("structure", "atoms that move against each other, for a thermostat", "none");
  return freedom;
}

/** One step of velocity Verlet. */
function verletStep(system: ReturnType<typeof prepare>, state: Motion, dt: number): void {
  system.kick(state, dt / 2);
  system.drift(state, dt);
  system.surface.evaluate(state);
  system.kick(state, dt / 2);
}

/**
 * Constant temperature by a Nosé–Hoover chain: deterministic, time-reversible; the invariant is the energy of atoms and
 * chain. The temperature is constant: see `Chain`.
 */
export function noseHoover(
  structure: Structure,
  potential: Potential,
  options: ThermostatOptions & { readonly temperature: number },
): Dynamics {
  const { dt, tau, system, freedom } = common(structure, potential, options, CHAIN);
  const chain = new Chain(freedom, tau);
  const T = options.temperature;
  const half = (state: Motion) =>
    scale(state.velocities, chain.advance(state.bath, system.kinetic(state), T, dt / 2));
  return {
    ...system,
    invariant: (state) => system.invariant(state) + chain.energy(state.bath, T),
    step(state) {
      half(state);
      verletStep(system, state, dt);
      half(state);
      state.step++;
      refuseNaN(state);
    },
  };
}

/**
 * The factor α of all velocities by which the kinetic energy K takes a step of its own stochastic dynamics towards its
 * canonical distribution (G. Bussi, D. Donadio, M. Parrinello, J. Chem. Phys. 126, 014101 (2007), DOI
 * 10.1063/1.2408420): α² = c + (1 − c)(R₁² + Σ R²) K̄/(f K) + 2 R₁ √(c (1 − c) K̄/(f K)), c = exp(−Δt/τ).
 */
export function rescaling(K: number, freedom: number, T: number, c: number, random: Random): number {
  const one = random.normal();
  let rest = 0;
  for (let k = 1; k < freedom; k++) rest += random.normal() ** 2;
  if (!(K > 0)) return 1;
  const ratio = (kB * T) / (2 * K);
  const square = c + (1 - c) * ratio * (one * one + rest) + 2 * one * Math.sqrt(c * (1 - c) * ratio);
  const sign = one + Math.sqrt(c / ((1 - c) * ratio)) < 0 ? -1 : 1;
  return sign * Math.sqrt(Math.max(0, square));
}

/** Constant temperature by stochastic velocity rescaling: see `rescaling`. The invariant is less the heat exchanged. */
export function bussi(structure: Structure, potential: Potential, options: ThermostatOptions): Dynamics {
  const { dt, tau, system, freedom } = common(structure, potential, options, 0);
  const random = new Random(options.seed ?? 1);
  const c = expOf(-dt / tau);
  return {
    ...system,
    step(state) {
      verletStep(system, state, dt);
      random.restore(state.random);
      const before = system.kinetic(state);
      scale(state.velocities, rescaling(before, freedom, rampAt(options.temperature, state.step), c, random));
      state.random = random.state();
      state.heat += system.kinetic(state) - before;
      state.step++;
      refuseNaN(state);
    },
  };
}

/**
 * Weak coupling: K relaxes to its mean with the time constant τ (H. J. C. Berendsen et al., J. Chem. Phys. 81, 3684
 * (1984), DOI 10.1063/1.448118). It samples no ensemble and drains fast modes into slow ones: for starting up only.
 */
export function berendsen(structure: Structure, potential: Potential, options: ThermostatOptions): Dynamics {
  const { dt, tau, system, freedom } = common(structure, potential, options, 0);
  return {
    ...system,
    step(state) {
      verletStep(system, state, dt);
      const K = system.kinetic(state);
      const wanted = (freedom * kB * rampAt(options.temperature, state.step)) / 2;
      if (K > 0) scale(state.velocities, Math.sqrt(Math.max(0, 1 + (dt / tau) * (wanted / K - 1))));
      state.heat += system.kinetic(state) - K;
      state.step++;
      refuseNaN(state);
    },
  };
}
