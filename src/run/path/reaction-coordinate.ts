import { NumericalError } from "../../error.ts";
import { dot } from "../../math/minimise.ts";
import { symmetricEigen } from "../../math/symmetric-eigen.ts";
import type { Potential } from "../../potentials/potential.ts";
import { masses as massesOf } from "../../structure/elements.ts";
import type { Structure } from "../../structure/structure.ts";
import { longest } from "../movers.ts";
import { updateHessian } from "../saddle/quadratic.ts";
import type { Simulation } from "../simulation.ts";
import { createSurface } from "../surface.ts";
import type { Point } from "../surface.ts";

/** Options of `reactionCoordinate`. */
export interface CoordinateOptions {
  /** Length of a step, √amu Å; 0.1 by default. */
  readonly step?: number;
  /** amu. */
  readonly masses?: Float64Array;
  /** Atoms that stay where they are; their rows and columns of the force constants are zero. */
  readonly fixed?: readonly number[];
}

/** A walk down from a saddle point under way: plain data. */
export interface CoordinateState extends Point {
  step: number;
  /** Length of the path since the saddle point, √amu Å. */
  length: number;
  maxForce: number;
  /** Mass-weighted force constants, updated, [3n, 3n], eV/(amu Å²). */
  readonly H: Float64Array;
  /** The energy no longer falls: the minimum is within a step. */
  ended: boolean;
}

/** Pieces of a step in which its length is added up. */
const PIECES = 1000;

/**
 * Intrinsic reaction coordinate from a saddle point down one side: the path of steepest descent in mass-weighted
 * coordinates, by the local quadratic approximation (M. Page, J. W. McIver, J. Chem. Phys. 88, 922 (1988), DOI
 * 10.1063/1.454172) with force constants that are updated on the way. `H` [3n, 3n], eV/Å², of the saddle point; `side`
 * 1 or −1 chooses where along the mode [n, 3] (displacements of the atoms) to go.
 */
export function reactionCoordinate(
  structure: Structure,
  potential: Potential,
  H: Float64Array,
  mode: Float64Array,
  side: 1 | -1,
  { step = 0.1, masses = massesOf(structure.numbers), fixed = [] }: CoordinateOptions = {},
): Simulation<CoordinateState> {
  const n = structure.positions.length;
  const root = Float64Array.from({ length: n }, (_, i) => Math.sqrt(masses[Math.floor(i / 3)]));
  const surface = createSurface(structure, potential);

  /** Energy and forces there; none on fixed atoms. */
  function look(state: CoordinateState): void {
    surface.evaluate(state);
    hold(state);
  }

  function hold({ forces }: Point): void {
    for (const i of fixed) forces.fill(0, 3 * i, 3 * i + 3);
  }

  /** Moves by s in mass-weighted coordinates, and learns from how the gradient changed. */
  function walk(state: CoordinateState, s: Float64Array): void {
    const before = state.forces.map((f, i) => -f / root[i]);
    for (let i = 0; i < n; i++) state.positions[i] += s[i] / root[i];
    look(state);
    if (!Number.isFinite(state.energy))
      throw new NumericalError("the energy on a reaction path is not finite");
    state.maxForce = longest(state.forces);
    state.length += Math.sqrt(dot(s, s));
    state.step++;
    updateHessian(
      state.H,
      s,
      state.forces.map((f, i) => -f / root[i] - before[i]),
    );
  }

  return {
    init() {
      const point = surface.start();
      hold(point);
      const weighted = H.map((h, k) => h / (root[Math.floor(k / n)] * root[k % n]));
      const fixed = { step: 0, length: 0, ended: false, H: weighted };
      return { ...point, ...fixed, maxForce: longest(point.forces) };
    },
    step(state) {
      if (state.ended) return;
      if (state.step === 0) {
        const u = mode.map((x, i) => x * root[i]);
        const length = Math.sqrt(dot(u, u));
        walk(
          state,
          u.map((x) => (side * step * x) / length),
        );
        return;
      }
      const energy = state.energy;
      const kept = { positions: state.positions.slice(), length: state.length };
      walk(state, descent(state, root, step));
      if (state.energy < energy) return;
      state.positions.set(kept.positions);
      state.length = kept.length;
      look(state);
      state.maxForce = longest(state.forces);
      state.ended = true;
    },
  };
}

/** q(t) − q(0) = Σ u g′ (e^{−λt} − 1)/λ with t such that the way is `step` long, or as far as it goes. */
function descent({ forces, H }: CoordinateState, root: Float64Array, step: number): Float64Array {
  const n = forces.length;
  const g = forces.map((f, i) => -f / root[i]);
  const { values, vectors } = symmetricEigen(H.slice(), n);
  const along = values.map((_, k) => dot(vectors.subarray(k * n, (k + 1) * n), g));
  const speed = (t: number) =>
    Math.sqrt(along.reduce((sum, a, k) => sum + (a * Math.exp(-values[k] * t)) ** 2, 0));
  const dt = step / speed(0) / PIECES;
  let [t, way] = [0, 0];
  // Near a minimum the speed dies before the way is done: then as far as ten times the time that it should take.
  for (let k = 0; way < step && k < 10 * PIECES; k++, t += dt) way += dt * speed(t + dt / 2);
  const s = new Float64Array(n);
  along.forEach((a, k) => {
    const x = values[k] * t;
    const c = Math.abs(x) < 1e-8 ? -a * t : (a * Math.expm1(-x)) / values[k];
    for (let i = 0; i < n; i++) s[i] += c * vectors[k * n + i];
  });
  return s;
}
