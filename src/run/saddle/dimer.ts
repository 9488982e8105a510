import { NumericalError } from "../../error.ts";
import { dot } from "../../math/minimise.ts";
import { Random } from "../../math/random.ts";
import type { Potential } from "../../potentials/potential.ts";
import type { Structure } from "../../structure/structure.ts";
import { forget, guardedMemory, guardedMove } from "../guarded.ts";
import type { GuardedMemory } from "../guarded.ts";
import { longest } from "../movers.ts";
import { projectOut } from "../rigid.ts";
import type { Simulation } from "../simulation.ts";
import { createSurface } from "../surface.ts";
import type { Point } from "../surface.ts";
import { heldDirections } from "./quadratic.ts";

/** Options of `dimer`. */
export interface DimerOptions {
  /** Half its length, Å; 0.005 by default. */
  readonly separation?: number;
  /** Turns in one step, at most; 4 by default. */
  readonly rotations?: number;
  /** Longest move of an atom in a step, Å; 0.1 by default. */
  readonly maxMove?: number;
  /** First direction [n, 3]; a random one by default. */
  readonly direction?: Float64Array;
  readonly seed?: number;
  readonly fixed?: readonly number[];
}

/** A dimer under way: plain data. */
export interface DimerState extends Point {
  step: number;
  maxForce: number;
  /** Unit vector of the dimer, [n, 3]. */
  readonly mode: Float64Array;
  /** Curvature along it, eV/Å². */
  curvature: number;
  evaluations: number;
  readonly lbfgs: GuardedMemory;
}

/** Growth of the forces at which a move is taken back: they change with the direction too, so only where it is far off. */
const WORSE = 10;
/** A turn by less than this, rad, is left out. */
const SMALL = 0.01;

/**
 * Two images close together turn into the direction of least curvature, and move up along it and down across it: to a
 * saddle point without force constants (G. Henkelman, H. Jónsson, J. Chem. Phys. 111, 7010 (1999), DOI
 * 10.1063/1.480097; angle by A. Heyden, A. T. Bell, F. J. Keil, J. Chem. Phys. 123, 224101 (2005), DOI
 * 10.1063/1.2104507; forces extrapolated after J. Kästner, P. Sherwood, DOI 10.1063/1.2815812).
 */
export function dimer(
  structure: Structure,
  potential: Potential,
  options: DimerOptions = {},
): Simulation<DimerState> {
  const { separation: h = 0.005, rotations = 4, maxMove = 0.1, direction, seed = 1, fixed = [] } = options;
  const surface = createSurface(structure, potential);
  const other = createSurface(structure, potential);
  const twin = other.start();

  const gradientAt = (state: DimerState, u: Float64Array, basis: readonly Float64Array[]): Float64Array => {
    for (let i = 0; i < u.length; i++) twin.positions[i] = state.positions[i] + h * u[i];
    other.evaluate(twin);
    state.evaluations++;
    const g = twin.forces.map((f) => -f);
    projectOut(g, basis);
    return g;
  };

  const settle = (state: DimerState) => {
    for (const i of fixed) state.forces.fill(0, 3 * i, 3 * i + 3);
    if (!Number.isFinite(state.energy))
      throw new NumericalError("the energy is not finite in a saddle search");
    state.maxForce = longest(state.forces);
  };

  /** Turns the dimer towards the direction of least curvature. */
  function turn(state: DimerState, basis: readonly Float64Array[]): void {
    const g0 = state.forces.map((f) => -f);
    projectOut(g0, basis);
    const N = state.mode;
    projectOut(N, basis);
    normalise(N);
    let g1 = gradientAt(state, N, basis);
    for (let k = 0; ; k++) {
      const change = g1.map((g, i) => (g - g0[i]) / h);
      const C = dot(change, N);
      state.curvature = C;
      if (k === rotations) return;
      // The turn is in the plane of N and the part of H N across it.
      const across = change.map((c, i) => C * N[i] - c);
      const size = Math.sqrt(dot(across, across));
      // C cannot fall by more than this turn promises.
      const slope = -2 * size;
      const angle = -0.5 * Math.atan(slope / (2 * Math.abs(C)));
      if (size === 0 || angle < SMALL) return;
      const theta = across.map((x) => x / size);
      const tried = N.map((x, i) => x * Math.cos(angle) + theta[i] * Math.sin(angle));
      const gTried = gradientAt(state, tried, basis);
      const curvature = dot(
        gTried.map((g, i) => (g - g0[i]) / h),
        tried,
      );
      // C(φ) = a₀/2 + a₁ cos 2φ + b₁ sin 2φ.
      const b1 = slope / 2;
      const a1 = (C - curvature + b1 * Math.sin(2 * angle)) / (1 - Math.cos(2 * angle));
      let best = 0.5 * Math.atan(b1 / a1);
      const at = (phi: number) => C - a1 + a1 * Math.cos(2 * phi) + b1 * Math.sin(2 * phi);
      if (at(best) > at(best + Math.PI / 2)) best += Math.PI / 2;
      const ratio = Math.sin(angle - best) / Math.sin(angle);
      const rest = Math.sin(best) / Math.sin(angle);
      const cosine = 1 - Math.cos(best) - Math.sin(best) * Math.tan(angle / 2);
      g1 = g1.map((g, i) => ratio * g + rest * gTried[i] + cosine * g0[i]);
      N.forEach((x, i) => (N[i] = x * Math.cos(best) + theta[i] * Math.sin(best)));
      normalise(N);
      if (Math.abs(best) < SMALL) {
        state.curvature = at(best);
        return;
      }
    }
  }

  return {
    init() {
      const point = surface.start();
      const mode =
        direction?.slice() ?? new Random(seed, "dimer").normals(new Float64Array(point.positions.length));
      for (const i of fixed) mode.fill(0, 3 * i, 3 * i + 3);
      const state: DimerState = {
        ...point,
        step: 0,
        maxForce: 0,
        mode,
        curvature: 0,
        evaluations: 2,
        lbfgs: guardedMemory(),
      };
      settle(state);
      return state;
    },
    step(state) {
      const basis = heldDirections(structure, state.positions, potential, fixed);
      turn(state, basis);
      const F = state.forces.slice();
      projectOut(F, basis);
      const along = dot(F, state.mode);
      let move: Float64Array;
      if (state.curvature > 0) {
        // Where the surface still curves upwards, straight up.
        const climb = state.mode.map((u) => -along * u);
        move = scaledTo(climb, maxMove);
        forget(state.lbfgs);
      } else {
        const pull = F.map((f, i) => f - 2 * along * state.mode[i]);
        move = guardedMove(state.lbfgs, state.positions, pull, maxMove, WORSE);
      }
      for (let i = 0; i < move.length; i++) state.positions[i] += move[i];
      surface.evaluate(state);
      state.evaluations++;
      settle(state);
      state.step++;
    },
  };
}

function normalise(v: Float64Array): void {
  const length = Math.sqrt(dot(v, v));
  for (let i = 0; i < v.length; i++) v[i] /= length;
}

/** The vector with the length that moves the farthest atom by `most`. */
function scaledTo(v: Float64Array, most: number): Float64Array {
  const far = longest(v);
  return far > 0 ? v.map((x) => (x * most) / far) : v;
}
