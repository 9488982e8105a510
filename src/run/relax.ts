import { NumericalError, invalid } from "../error.ts";
import { bfgsIteration, bfgsState } from "../math/bfgs.ts";
import type { BfgsState as Dense } from "../math/bfgs.ts";
import type { Answer } from "../math/minimise.ts";
import { trustIteration, trustState } from "../math/trust-lbfgs.ts";
import type { TrustState } from "../math/trust-lbfgs.ts";
import type { Potential } from "../potentials/potential.ts";
import type { Structure } from "../structure/structure.ts";
import { fireMemory, fireMove, longest } from "./movers.ts";
import type { FireMemory } from "./movers.ts";
import { exponentialPreconditioner } from "./preconditioner.ts";
import type { Metric, Preconditioner } from "./preconditioner.ts";
import type { Simulation } from "./simulation.ts";
import { createSurface } from "./surface.ts";
import type { Point } from "./surface.ts";

/** Options of `fire`, `lbfgs` and `bfgs`. */
export interface RelaxOptions {
  /** Longest move of an atom in a step (with `bfgs`: change of a coordinate), Å; 0.2 by default. */
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
  readonly minimiser: TrustState;
}

/** State of `preconditioned`. */
export interface PreconditionedState extends LbfgsState {
  /** Where the preconditioner was made. */
  metric: Metric;
}

/** State of `bfgs`. */
export interface BfgsState extends Descent {
  readonly minimiser: Dense;
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

/** Curvature assumed before any is known, eV/Å²: that of a stiff bond. */
export const CURVATURE = 70;

/** A relaxation by iterations that ask for values and gradients at points of their own. */
function asking<M extends { readonly x: Float64Array }>(
  system: ReturnType<typeof prepare>,
  begin: (x: Float64Array, answer: Answer) => M,
  iterate: (minimiser: M, state: Descent) => Generator<Float64Array, boolean, Answer>,
): Simulation<Descent & { readonly minimiser: M }> {
  /** Energy and gradient at x, in the state's own arrays. */
  function ask(state: Descent, x: Float64Array): Answer {
    state.positions.set(x);
    system.evaluate(state);
    return { value: state.energy, gradient: state.forces.map((f) => -f) };
  }
  return {
    init() {
      const start = system.start();
      const answer = { value: start.energy, gradient: start.forces.map((f) => -f) };
      return { ...start, minimiser: begin(start.positions, answer) };
    },
    step(state) {
      const { minimiser } = state;
      const iteration = iterate(minimiser, state);
      let asked = iteration.next();
      while (!asked.done) asked = iteration.next(ask(state, asked.value));
      state.stalled = !asked.value;
      // The iteration may have settled on a point before the last one it asked for.
      if (state.positions.some((x, i) => x !== minimiser.x[i])) ask(state, minimiser.x);
      state.step++;
    },
  };
}

/** L-BFGS in a trust radius, see `trustIteration`: the surest choice, and the one with the fewest evaluations. */
export function lbfgs(
  structure: Structure,
  potential: Potential,
  options: RelaxOptions = {},
): Simulation<LbfgsState> {
  const { maxMove = 0.2 } = options;
  const trust = { maxStep: maxMove, length: longest, curvature: CURVATURE };
  return asking(prepare(structure, potential, options), trustState, (state) => trustIteration(state, trust));
}

/**
 * The same in the metric of an `exponentialPreconditioner`: on crystals, surfaces and large molecules the evaluations
 * hardly grow with the size.
 */
export function preconditioned(
  structure: Structure,
  potential: Potential,
  options: RelaxOptions = {},
): Simulation<PreconditionedState> {
  const { maxMove = 0.2, fixed = [] } = options;
  let made: Preconditioner | undefined;
  /** The preconditioner of the state's own metric, so that a resumed run goes on to the same bits. */
  const present = ({ metric }: PreconditionedState): Preconditioner => {
    if (!made || metric.positions.some((x, i) => x !== made!.metric.positions[i]))
      made = exponentialPreconditioner(structure, metric, fixed);
    return made;
  };
  const inner = asking(prepare(structure, potential, options), trustState, (minimiser, descent) => {
    const state = descent as PreconditionedState;
    if (present(state).stale(minimiser.x)) {
      state.metric = { positions: minimiser.x.slice(), cell: state.metric.cell };
      minimiser.softness.length = 0;
    }
    const { apply, stiffness } = present(state);
    const curvature = CURVATURE / stiffness;
    return trustIteration(minimiser, { maxStep: maxMove, length: longest, curvature, precondition: apply });
  });
  return {
    ...inner,
    init() {
      const state = inner.init();
      return { ...state, metric: { positions: state.positions.slice(), cell: state.cell } };
    },
  };
}

/** BFGS with a line search, see `bfgsIteration`: memory and work grow as the square of the number of atoms. */
export function bfgs(
  structure: Structure,
  potential: Potential,
  options: RelaxOptions = {},
): Simulation<BfgsState> {
  const { maxMove = 0.2 } = options;
  return asking(
    prepare(structure, potential, options),
    (x, answer) => bfgsState(x, answer, CURVATURE),
    (state) => bfgsIteration(state, { maxStep: maxMove }),
  );
}

/** How far to relax, and who looks on. */
export interface RelaxUntil {
  /** eV/Å. */
  readonly fmax: number;
  readonly steps: number;
  readonly watch?: (state: Descent) => void;
  /** Asked before every step; true ends the relaxation. */
  readonly stop?: () => boolean;
}

/** Runs a relaxation until the largest force on an atom is below fmax (eV/Å), the steps are spent or `stop` says so. */
export function relax(simulation: Simulation<Descent>, structure: Structure, options: RelaxUntil): Relaxed {
  const { fmax, steps, watch, stop = () => false } = options;
  if (!(fmax > 0)) throw invalid("fmax", "a positive number in eV/Å", fmax);
  const state = simulation.init();
  watch?.(state);
  while (state.maxForce > fmax && state.step < steps && !state.stalled && !stop()) {
    simulation.step(state);
    watch?.(state);
  }
  return {
    structure: { ...structure, positions: state.positions },
    energy: state.energy,
    forces: state.forces,
    steps: state.step,
    maxForce: state.maxForce,
    converged: state.maxForce <= fmax,
  };
}
