import { invalid } from "../error.ts";
import { expOf, logOf } from "../formula/scalar.ts";
import { Random } from "../math/random.ts";
import { symmetricEigen } from "../math/symmetric-eigen.ts";
import type { Potential } from "../potentials/potential.ts";
import { multiply, volume } from "../structure/cell.ts";
import type { Structure } from "../structure/structure.ts";
import { AMU_A2_FS2, EV_A3_IN_GPA, kB } from "../structure/units.ts";
import { Chain, CHAIN } from "./chain.ts";
import { drift, kick, positive, prepare, refuseNaN } from "./dynamics.ts";
import type { Dynamics, DynamicsOptions, Motion } from "./dynamics.ts";
import { rampAt } from "./schedule.ts";
import type { Ramp } from "./schedule.ts";
import { heated, rescaling, scale } from "./thermostats.ts";

/** What of the cell moves: its volume, its three lengths (for cells along x, y, z), or all of it. */
export type CellMotion = "isotropic" | "axes" | "full";

/** What a run at constant pressure needs. */
export interface BarostatOptions extends DynamicsOptions {
  /** K. */
  readonly temperature: number;
  /** Time constant of the temperature, fs. */
  readonly period: number;
  /** GPa. */
  readonly pressure: Ramp;
  /** Time constant of the pressure, fs. */
  readonly pressurePeriod: number;
  readonly cell?: CellMotion;
  readonly seed?: number;
  /** Isothermal compressibility, 1/GPa, for `cellRescaling`; 0.01 by default, it only sets the time scale. */
  readonly compressibility?: number;
}

function common(structure: Structure, potential: Potential, options: BarostatOptions, bath: number) {
  if (!structure.cell || !structure.pbc.every(Boolean))
    throw invalid("structure", "a cell periodic in three directions, for constant pressure", "another");
  const dt = positive("timestep", options.timestep, "fs");
  const T = positive("temperature", options.temperature, "K");
  const tau = positive("period", options.period, "fs");
  const tauP = positive("pressurePeriod", options.pressurePeriod, "fs");
  if (options.fixedBonds?.length || options.held?.length)
    throw invalid("what is held fixed", "dynamics at constant volume", "a barostat");
  const system = prepare(structure, potential, options, options.seed ?? 1, bath);
  const freedom = heated(system);
  const pressureAt = (step: number) => rampAt(options.pressure, step) / EV_A3_IN_GPA;
  return { dt, T, tau, tauP, system, freedom, pressureAt };
}

/** Σ m v ⊗ v, [3, 3], eV. */
function kineticTensor(masses: Float64Array, v: Float64Array): Float64Array {
  const out = new Float64Array(9);
  for (let i = 0; i < masses.length; i++)
    for (let a = 0; a < 3; a++)
      for (let b = 0; b < 3; b++) out[3 * a + b] += AMU_A2_FS2 * masses[i] * v[3 * i + a] * v[3 * i + b];
  return out;
}

const TRACE = [0, 4, 8];
const trace = (m: Float64Array): number => m[0] + m[4] + m[8];

/** Keeps of a tensor what may move. */
function allowed(m: Float64Array, cell: CellMotion): Float64Array {
  if (cell === "full") return m.map((_, k) => (m[k] + m[3 * (k % 3) + Math.floor(k / 3)]) / 2);
  const mean = trace(m) / 3;
  return m.map((x, k) => (TRACE.includes(k) ? (cell === "axes" ? x : mean) : 0));
}

/** Rows of vectors [n, 3] times a [3, 3] matrix, in place. */
function transform(vectors: Float64Array, m: Float64Array): void {
  for (let i = 0; i < vectors.length; i += 3) {
    const [x, y, z] = [vectors[i], vectors[i + 1], vectors[i + 2]];
    for (let b = 0; b < 3; b++) vectors[i + b] = x * m[b] + y * m[3 + b] + z * m[6 + b];
  }
}

/** f of a symmetric matrix through its eigenvalues. */
function functionOf(m: Float64Array, f: (x: number) => number): Float64Array {
  const { values, vectors } = symmetricEigen(m.slice(), 3);
  const out = new Float64Array(9);
  for (let k = 0; k < 3; k++) {
    const y = f(values[k]);
    for (let a = 0; a < 3; a++)
      for (let b = 0; b < 3; b++) out[3 * a + b] += y * vectors[3 * k + a] * vectors[3 * k + b];
  }
  return out;
}

/** sinh(x)/x, by its series where x is small. */
const sinhc = (x: number): number => {
  const y = x * x;
  return Math.abs(x) < 0.05
    ? 1 + (y / 6) * (1 + (y / 20) * (1 + (y / 42) * (1 + y / 72)))
    : (expOf(x) - expOf(-x)) / (2 * x);
};

/** Numbers of the bath: chain of the atoms, chain of the cell, velocity of the cell [3, 3]. */
const CELL = 2 * CHAIN;

/**
 * Constant pressure and temperature by the extended system of Martyna, Tobias and Klein, each of atoms and cell on a
 * Nosé–Hoover chain: dr = v + v_g r, dv = F/m − (v_g + tr v_g/f) v, W dv_g = V (P − P₀) + 2K/f, dh = v_g h with W = (f +
 * 3) k_B T τ²/3 (G. J. Martyna, D. J. Tobias, M. L. Klein, J. Chem. Phys. 101, 4177 (1994), DOI 10.1063/1.467468; steps
 * of M. E. Tuckerman et al., J. Phys. A 39, 5629 (2006), DOI 10.1088/0305-4470/39/19/S18). The cell does not turn: v_g is
 * symmetric. The invariant is the energy of all of it plus P₀ V.
 */
export function martynaTobiasKlein(
  structure: Structure,
  potential: Potential,
  options: BarostatOptions & { readonly pressure: number },
): Dynamics {
  const { dt, T, tau, tauP, system, freedom, pressureAt } = common(structure, potential, options, CELL + 9);
  const { masses } = system;
  const motion = options.cell ?? "isotropic";
  const W = ((freedom + 3) * kB * T * tauP ** 2) / 3;
  const cellFreedom = { isotropic: 1, axes: 3, full: 6 }[motion];
  const chain = new Chain(freedom, tau);
  const cellChain = new Chain(cellFreedom, tauP);
  const P0 = pressureAt(0);
  const bathOf = ({ bath }: Motion) => ({
    atoms: bath.subarray(0, CHAIN),
    cell: bath.subarray(CHAIN, CELL),
    vg: bath.subarray(CELL),
  });
  const cellKinetic = (vg: Float64Array) => (W / 2) * vg.reduce((sum, x) => sum + x * x, 0);

  function thermostats(state: Motion): void {
    const { atoms, cell, vg } = bathOf(state);
    scale(vg, cellChain.advance(cell, cellKinetic(vg), T, dt / 2));
    scale(state.velocities, chain.advance(atoms, system.kinetic(state), T, dt / 2));
  }

  /** Half a step of the cell's velocity under V (P − P₀) + 2K/f. */
  function pushCell(state: Motion): void {
    const { vg } = bathOf(state);
    const G = kineticTensor(masses, state.velocities).map((k, i) => k + state.virial[i]);
    const twice = 2 * system.kinetic(state);
    for (const k of TRACE) G[k] += twice / freedom - P0 * volume(state.cell!);
    allowed(G, motion).forEach((g, k) => (vg[k] += ((dt / 2) * g) / W));
  }

  /** Half a step of the atoms' velocities under the forces and the moving cell. */
  function kickAtoms(state: Motion): void {
    const { vg } = bathOf(state);
    const drag = vg.map((x, k) => x + (TRACE.includes(k) ? trace(vg) / freedom : 0));
    const decay = functionOf(drag, (x) => expOf((-x * dt) / 2));
    const kicked = functionOf(drag, (x) => expOf((-x * dt) / 4) * sinhc((x * dt) / 4));
    const impulse = state.forces.map((f, i) => ((dt / 2) * f) / (masses[Math.floor(i / 3)] * AMU_A2_FS2));
    transform(state.velocities, decay);
    transform(impulse, kicked);
    for (let i = 0; i < impulse.length; i++) state.velocities[i] += impulse[i];
  }

  function move(state: Motion): void {
    const { vg } = bathOf(state);
    const grow = functionOf(vg, (x) => expOf(x * dt));
    const glide = functionOf(vg, (x) => expOf((x * dt) / 2) * sinhc((x * dt) / 2));
    const flight = state.velocities.map((v) => v * dt);
    transform(state.positions, grow);
    transform(flight, glide);
    for (let i = 0; i < flight.length; i++) state.positions[i] += flight[i];
    state.cell!.set(multiply(state.cell!, grow));
  }

  return {
    ...system,
    invariant(state) {
      const { atoms, cell, vg } = bathOf(state);
      const own = system.invariant(state) + cellKinetic(vg) + P0 * volume(state.cell!);
      return own + chain.energy(atoms, T) + cellChain.energy(cell, T);
    },
    step(state) {
      thermostats(state);
      pushCell(state);
      kickAtoms(state);
      move(state);
      system.surface.evaluate(state);
      kickAtoms(state);
      pushCell(state);
      thermostats(state);
      state.step++;
      refuseNaN(state);
    },
  };
}

/**
 * Constant pressure by stochastic cell rescaling, temperature by stochastic velocity rescaling: with ε = ln V,
 * dε = −(β/τ)(P₀ − P − k_B T/V) dt + √(2 k_B T β/(V τ)) dW; positions scale as V^⅓, velocities as V^−⅓ (M. Bernetti, G.
 * Bussi, J. Chem. Phys. 153, 114107 (2020), DOI 10.1063/5.0020514). Isotropic. The invariant is the energy plus P₀ V less
 * heat and the cell's work, which is taken from the virials before and after, so it holds to O(Δt).
 */
export function cellRescaling(
  structure: Structure,
  potential: Potential,
  options: BarostatOptions,
): Dynamics {
  if (options.cell && options.cell !== "isotropic")
    throw invalid("cell", "isotropic for stochastic cell rescaling", options.cell);
  const { dt, T, tau, tauP, system, freedom, pressureAt } = common(structure, potential, options, 0);
  const { masses } = system;
  const beta = (options.compressibility ?? 0.01) * EV_A3_IN_GPA;
  const c = expOf(-dt / tau);
  const random = new Random(options.seed ?? 1);

  const thermostat = (state: Motion) => {
    const before = system.kinetic(state);
    scale(state.velocities, rescaling(before, freedom, T, c, random));
    state.heat += system.kinetic(state) - before;
  };

  /** Scales cell, positions and velocities; returns ln of the length's factor. */
  function rescale(state: Motion): number {
    const V = volume(state.cell!);
    const P = (2 * system.kinetic(state) + trace(state.virial)) / (3 * V);
    const fall = -(beta / tauP) * (pressureAt(state.step) - P - (kB * T) / V) * dt;
    const noise = Math.sqrt((2 * kB * T * beta * dt) / (V * tauP)) * random.normal();
    const third = (fall + noise) / 3;
    const factor = expOf(third);
    scale(state.positions, factor);
    scale(state.cell!, factor);
    scale(state.velocities, 1 / factor);
    return third;
  }

  return {
    ...system,
    invariant: (state) =>
      state.energy +
      system.kinetic(state) +
      pressureAt(state.step) * volume(state.cell!) -
      kB * T * logOf(volume(state.cell!)) -
      state.heat,
    step(state) {
      kick(state, masses, dt / 2);
      drift(state, dt);
      random.restore(state.random);
      const before = { K: system.kinetic(state), W: trace(state.virial), V: volume(state.cell!) };
      const third = rescale(state);
      system.surface.evaluate(state);
      const V = volume(state.cell!);
      // What the cell's own move has done to K + U + P V − k_B T ln V.
      const work = -third * ((before.W + trace(state.virial)) / 2);
      const rest = pressureAt(state.step) * (V - before.V) - kB * T * 3 * third;
      state.heat += system.kinetic(state) - before.K + work + rest;
      kick(state, masses, dt / 2);
      thermostat(state);
      state.random = random.state();
      state.step++;
      refuseNaN(state);
    },
  };
}
