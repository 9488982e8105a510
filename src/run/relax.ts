import { NumericalError, invalid } from "../error.ts";
import { lbfgsIteration, lbfgsState } from "../math/minimise.ts";
import type { Answer, LbfgsState as Minimiser } from "../math/minimise.ts";
import type { Potential } from "../potentials/potential.ts";
import type { Structure } from "../structure/structure.ts";
import { fireMemory, fireMove, longest } from "./movers.ts";
import type { FireMemory } from "./movers.ts";
import type { Simulation } from "./simulation.ts";
import { createSurface } from "./surface.ts";
import type { Point } from "./surface.ts";

/** Options of `fire` and `lbfgs`. */
export interface RelaxOptions {
  /** Longest move of an atom (FIRE) or change of a coordinate (L-BFGS) in a step, Å; 0.2 by default. */
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
  /** No further decrease can be found: converged to rounding. */
  stalled: boolean;
}

/** State of `fire`. */
export interface FireState extends Descent, FireMemory {}

/** State of `lbfgs`. */
export interface LbfgsState extends Descent {
  readonly minimiser: Minimiser;
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
    return longest(state.forces);
  };
  return {
    start(): Descent {
      const point = surface.start();
      return { ...point, step: 0, maxForce: settle(point), stalled: false };
    },
    evaluate(state: Descent): void {
      surface.evaluate(state);
      state.maxForce = settle(state);
    },
  };
}

/** FIRE: see `fireMove`. */
export function fire(
  structure: Structure,
  potential: Potential,
  options: RelaxOptions = {},
): Simulation<FireState> {
  const { maxMove = 0.2 } = options;
  const system = prepare(structure, potential, options);
  return {
    init: () => ({ ...system.start(), ...fireMemory(structure.positions.length) }),
    step(state) {
      const move = fireMove(state, state.forces, maxMove);
      for (let i = 0; i < move.length; i++) state.positions[i] += move[i];
      system.evaluate(state);
      state.step++;
    },
  };
}

/**
 * L-BFGS with a line search (strong Wolfe conditions) and a bound on the change of a coordinate in one step: the minimiser of
 * `math/minimise.ts` on the potential energy surface.
 */
export function lbfgs(
  structure: Structure,
  potential: Potential,
  options: RelaxOptions = {},
): Simulation<LbfgsState> {
  const { maxMove = 0.2 } = options;
  const system = prepare(structure, potential, options);

  /** Energy and gradient at x, in the state's own arrays. */
  function ask(state: LbfgsState, x: Float64Array): Answer {
    state.positions.set(x);
    system.evaluate(state);
    return { value: state.energy, gradient: state.forces.map((f) => -f) };
  }

  return {
    init() {
      const start = system.start();
      const minimiser = lbfgsState(start.positions);
      minimiser.gradient.set(start.forces.map((f) => -f));
      minimiser.scalars.set([start.energy, 0, 1]);
      return { ...start, minimiser };
    },
    step(state) {
      const { minimiser } = state;
      const iteration = lbfgsIteration(minimiser, { history: 30, maxStep: maxMove });
      let asked = iteration.next();
      while (!asked.done) asked = iteration.next(ask(state, asked.value));
      state.stalled = !asked.value;
      // The line search may have settled on a point before the last one it asked for.
      if (state.positions.some((x, i) => x !== minimiser.x[i])) ask(state, minimiser.x);
      state.step++;
    },
  };
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
  while (state.maxForce > options.fmax && state.step < options.steps && !state.stalled) {
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
