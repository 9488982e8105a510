import { NumericalError, invalid } from "../error.ts";
import type { Potential } from "../potentials/potential.ts";
import type { Structure } from "../structure/structure.ts";
import type { Simulation } from "./simulation.ts";
import { createSurface } from "./surface.ts";
import type { Point } from "./surface.ts";

/** Options of `fire` and `lbfgs`. */
export interface RelaxOptions {
  /** Longest move of an atom in a step, Å; 0.2 by default. */
  readonly maxMove?: number;
  /** Added to the cutoff of the neighbour list, Å; 0.5 by default. */
  readonly skin?: number;
  /** Atoms that stay where they are. */
  readonly fixed?: readonly number[];
}

/** A relaxation under way: plain data. */
export interface Descent extends Point {
  step: number;
  /** Largest force on an atom, eV/Å. */
  maxForce: number;
}

/** State of `fire`. */
export interface FireState extends Descent {
  readonly velocities: Float64Array;
  timestep: number;
  alpha: number;
  /** Steps since the power was last negative. */
  uphill: number;
}

/** State of `lbfgs`. */
export interface LbfgsState extends Descent {
  /** Last moves s and changes of force y = −ΔF, newest last, each [n, 3]. */
  moves: Float64Array[];
  changes: Float64Array[];
}

/** How a relaxation ended. */
export interface Relaxed {
  readonly structure: Structure;
  readonly energy: number;
  readonly forces: Float64Array;
  readonly steps: number;
  readonly maxForce: number;
  /** Whether the force criterion was met. */
  readonly converged: boolean;
}

/** Largest |F_i|, eV/Å. */
export function largestForce(forces: Float64Array): number {
  let most = 0;
  for (let i = 0; i < forces.length; i += 3) {
    const f2 = forces[i] ** 2 + forces[i + 1] ** 2 + forces[i + 2] ** 2;
    if (!(f2 <= most)) most = f2;
  }
  return Math.sqrt(most);
}

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, i) => sum + x * b[i], 0);

function prepare(structure: Structure, potential: Potential, options: RelaxOptions) {
  const surface = createSurface(structure, potential, options.skin);
  const fixed = options.fixed ?? [];
  const n = structure.numbers.length;
  for (const i of fixed)
    if (!(Number.isInteger(i) && i >= 0 && i < n)) throw invalid("fixed", `atom numbers 0 … ${n - 1}`, i);
  const settle = (state: Point): number => {
    for (const i of fixed) state.forces.fill(0, 3 * i, 3 * i + 3);
    if (!Number.isFinite(state.energy))
      throw new NumericalError(`the energy is ${state.energy} in a relaxation`);
    return largestForce(state.forces);
  };
  return {
    start(): Descent {
      const point = surface.start();
      return { ...point, step: 0, maxForce: settle(point) };
    },
    evaluate(state: Descent): void {
      surface.evaluate(state);
      state.maxForce = settle(state);
    },
  };
}

/** Shortens a move so that no atom goes further than `most`. */
function limit(move: Float64Array, most: number): void {
  const longest = largestForce(move);
  if (longest > most) for (let i = 0; i < move.length; i++) move[i] *= most / longest;
}

/**
 * FIRE in its second version: dynamics with all masses alike, turned towards the forces while it goes downhill, taken
 * half a step back and stopped when it goes uphill (E. Bitzek et al., DOI 10.1103/PhysRevLett.97.170201; J. Guénolé
 * et al., DOI 10.1016/j.commatsci.2020.109584). Units of time are √(amu Å²/eV) with unit masses.
 */
export function fire(
  structure: Structure,
  potential: Potential,
  options: RelaxOptions = {},
): Simulation<FireState> {
  const { maxMove = 0.2 } = options;
  const system = prepare(structure, potential, options);
  const [first, longest, shortest] = [0.1, 1, 0.002];
  return {
    init: () => ({
      ...system.start(),
      velocities: new Float64Array(structure.positions.length),
      timestep: first,
      alpha: 0.25,
      uphill: 0,
    }),
    step(state) {
      const { positions, forces: F, velocities: v } = state;
      if (dot(F, v) > 0) {
        if (++state.uphill > 20) {
          state.timestep = Math.min(1.1 * state.timestep, longest);
          state.alpha *= 0.99;
        }
      } else if (state.step > 0) {
        if (state.uphill > 0 || state.timestep > shortest)
          state.timestep = Math.max(0.5 * state.timestep, shortest);
        state.uphill = 0;
        state.alpha = 0.25;
        for (let i = 0; i < v.length; i++) positions[i] -= 0.5 * state.timestep * v[i];
        v.fill(0);
      }
      for (let i = 0; i < v.length; i++) v[i] += state.timestep * F[i];
      const turn = state.alpha * Math.sqrt(dot(v, v) / Math.max(dot(F, F), Number.MIN_VALUE));
      for (let i = 0; i < v.length; i++) v[i] = (1 - state.alpha) * v[i] + turn * F[i];
      const move = v.map((x) => state.timestep * x);
      limit(move, maxMove);
      for (let i = 0; i < move.length; i++) positions[i] += move[i];
      system.evaluate(state);
      state.step++;
    },
  };
}

/**
 * Limited-memory BFGS with a bound on the length of a step (J. Nocedal, DOI 10.1090/S0025-5718-1980-0572855-7): moves
 * along H F, where H is built from the last 30 moves; 1/70 Å²/eV along a direction not yet seen. A step that raises the
 * energy by more than rounding is halved until it does not.
 */
export function lbfgs(
  structure: Structure,
  potential: Potential,
  options: RelaxOptions = {},
): Simulation<LbfgsState> {
  const { maxMove = 0.2 } = options;
  const memory = 30;
  const system = prepare(structure, potential, options);
  return {
    init: () => ({ ...system.start(), moves: [], changes: [] }),
    step(state) {
      const before = { x: state.positions.slice(), F: state.forces.slice(), E: state.energy };
      const move = direction(state);
      if (!(dot(move, state.forces) > 0)) {
        state.moves = [];
        state.changes = [];
        move.set(state.forces.map((f) => f / 70));
      }
      limit(move, maxMove);
      const slack = 1e-12 * (1 + Math.abs(before.E));
      for (let attempt = 0; attempt < 12; attempt++) {
        for (let i = 0; i < move.length; i++) state.positions[i] = before.x[i] + move[i];
        system.evaluate(state);
        if (state.energy <= before.E + slack) break;
        for (let i = 0; i < move.length; i++) move[i] /= 2;
      }
      remember(state, move, before.F, memory);
      state.step++;
    },
  };
}

/** Two-loop recursion: H F. */
function direction({ forces, moves, changes }: LbfgsState): Float64Array {
  const q = forces.slice();
  const a = new Float64Array(moves.length);
  const rho = moves.map((s, k) => 1 / dot(s, changes[k]));
  for (let k = moves.length - 1; k >= 0; k--) {
    a[k] = rho[k] * dot(moves[k], q);
    for (let i = 0; i < q.length; i++) q[i] -= a[k] * changes[k][i];
  }
  const last = changes.length - 1;
  const scale = last < 0 ? 1 / 70 : dot(moves[last], changes[last]) / dot(changes[last], changes[last]);
  for (let i = 0; i < q.length; i++) q[i] *= scale;
  for (let k = 0; k < moves.length; k++) {
    const b = rho[k] * dot(changes[k], q);
    for (let i = 0; i < q.length; i++) q[i] += (a[k] - b) * moves[k][i];
  }
  return q;
}

/** Keeps a pair (s, y) only where the curvature along s is positive, so that H stays positive definite. */
function remember(state: LbfgsState, move: Float64Array, forces: Float64Array, memory: number): void {
  const change = forces.map((f, i) => f - state.forces[i]);
  if (!(dot(move, change) > 1e-10 * dot(move, move))) return;
  state.moves = [...state.moves, move].slice(-memory);
  state.changes = [...state.changes, change].slice(-memory);
}

/** Runs a relaxation until the largest force on an atom is below fmax (eV/Å) or the steps are spent. */
export function relax(
  simulation: Simulation<Descent>,
  structure: Structure,
  options: { readonly fmax: number; readonly steps: number; readonly watch?: (state: Descent) => void },
): Relaxed {
  if (!(options.fmax > 0)) throw invalid("fmax", "a positive number in eV/Å", options.fmax);
  const state = simulation.init();
  options.watch?.(state);
  while (state.maxForce > options.fmax && state.step < options.steps) {
    simulation.step(state);
    options.watch?.(state);
  }
  return {
    structure: { ...structure, positions: state.positions },
    energy: state.energy,
    forces: state.forces,
    steps: state.step,
    maxForce: state.maxForce,
    converged: state.maxForce <= options.fmax,
  };
}
