import { NumericalError } from "../../error.ts";
import { dot } from "../../math/minimise.ts";
import { symmetricEigen } from "../../math/symmetric-eigen.ts";
import type { Potential } from "../../potentials/potential.ts";
import type { Structure } from "../../structure/structure.ts";
import { exactHessian, hessian } from "../hessian.ts";
import { longest } from "../movers.ts";
import { projectOut } from "../rigid.ts";
import type { Simulation } from "../simulation.ts";
import { createSurface } from "../surface.ts";
import type { Point } from "../surface.ts";
import { held, heldDirections, times, updateHessian } from "./quadratic.ts";

/** Options of `prfo`. */
export interface PrfoOptions {
  /** Largest length of a step, Å; 0.1 at first and 0.2 at most by default. */
  readonly trust?: number;
  /**
   * Steps after which force constants are computed anew at the latest: by default 3 where they come from formulas, else
   * only when the updated ones foretell the forces badly.
   */
  readonly recompute?: number;
  /** Direction [n, 3] to climb along at first; the softest mode by default. */
  readonly direction?: Float64Array;
  readonly fixed?: readonly number[];
  /** Whether force constants come from the potential's formulas where it has them; true by default. */
  readonly exact?: boolean;
}

/** A saddle search under way: plain data. */
export interface PrfoState extends Point {
  step: number;
  maxForce: number;
  /** Force constants, computed then updated, [3n, 3n], eV/Å². */
  readonly H: Float64Array;
  /** Unit vector of the mode that is climbed, [n, 3]. */
  readonly mode: Float64Array;
  /** Its curvature, eV/Å². */
  curvature: number;
  trust: number;
  /** Steps since the force constants were computed. */
  age: number;
  /** Error of the change of the forces that the last step should have made, of that change. */
  surprise: number;
  evaluations: number;
}

/** Steps after which exact force constants are computed again; after which differences are, when they are bad. */
const [EXACT_FOR, PATIENCE] = [3, 5];
/** Errors of the forces, of their change, that are small and large. */
const [GOOD, BAD] = [0.3, 0.7];
/** A curvature above all of molecules, eV/Å²: for what is held. */
const STIFF = 1e4;

/**
 * Partitioned rational function optimisation to a first-order saddle point: up along one mode, down along all others,
 * each with its own shift; the mode is followed by overlap, the force constants by Bofill's update (J. Baker, J.
 * Comput. Chem. 7, 385 (1986), DOI 10.1002/jcc.540070402).
 */
export function prfo(
  structure: Structure,
  potential: Potential,
  options: PrfoOptions = {},
): Simulation<PrfoState> {
  const { trust = 0.2, recompute = EXACT_FOR, direction, fixed = [], exact = true } = options;
  const surface = createSurface(structure, potential);
  const n = structure.positions.length;
  const settle = (state: PrfoState) => {
    for (const i of fixed) state.forces.fill(0, 3 * i, 3 * i + 3);
    if (!Number.isFinite(state.energy))
      throw new NumericalError("the energy is not finite in a saddle search");
    state.maxForce = longest(state.forces);
  };
  const renew = (state: PrfoState) => {
    const here = { ...structure, positions: state.positions };
    const found = exact ? exactHessian(here, potential) : null;
    state.H.set(found ?? hessian(here, potential));
    if (!found) state.evaluations += 2 * n;
    state.age = 0;
    state.surprise = 0;
  };
  const formulas = exact && potential.curvature !== undefined;
  /** Whether the force constants have had their day. */
  const stale = ({ age, surprise }: PrfoState): boolean =>
    (age >= recompute && (formulas || options.recompute !== undefined)) ||
    (age >= PATIENCE && surprise > BAD);

  return {
    init() {
      const point = surface.start();
      const state: PrfoState = {
        ...point,
        step: 0,
        maxForce: 0,
        H: new Float64Array(n * n),
        mode: new Float64Array(n),
        curvature: 0,
        trust: trust / 2,
        age: 0,
        surprise: 0,
        evaluations: 1,
      };
      settle(state);
      renew(state);
      if (direction) state.mode.set(direction);
      return state;
    },
    step(state) {
      if (stale(state)) renew(state);
      const basis = heldDirections(structure, state.positions, potential, fixed);
      const { values, vectors } = symmetricEigen(held(state.H, basis, STIFF), n);
      const g = state.forces.map((f) => -f);
      projectOut(g, basis);
      const follow = modeToClimb(values, vectors, state.mode, state.age === 0 && !direction);
      state.mode.set(vectors.subarray(follow * n, (follow + 1) * n));
      state.curvature = values[follow];
      const s = rationalStep(g, values, vectors, follow);
      const length = Math.sqrt(dot(s, s));
      if (length > state.trust) for (let i = 0; i < n; i++) s[i] *= state.trust / length;
      for (let i = 0; i < n; i++) state.positions[i] += s[i];
      surface.evaluate(state);
      settle(state);
      state.evaluations++;
      const now = state.forces.map((f) => -f);
      projectOut(now, basis);
      adapt(
        state,
        s,
        now.map((x, i) => x - g[i]),
        trust,
      );
      state.step++;
      state.age++;
    },
  };
}

/**
 * The eigenvector that is most like the mode climbed so far; the softest at the start, and where fresh force constants leave
 * no doubt: where it alone is negative.
 */
function modeToClimb(
  values: Float64Array,
  vectors: Float64Array,
  mode: Float64Array,
  fresh: boolean,
): number {
  const n = mode.length;
  const alone = values[n - 1] < 0 && values[n - 2] >= 0;
  if (dot(mode, mode) === 0 || (fresh && alone)) return n - 1;
  let [best, most] = [n - 1, -1];
  for (let k = 0; k < n; k++) {
    const overlap = Math.abs(dot(vectors.subarray(k * n, (k + 1) * n), mode));
    if (overlap > most) [best, most] = [k, overlap];
  }
  return best;
}

/** −Σ u (u·g)/(λ − shift): shift λ_p above for the mode climbed, λ_n below for the others. */
function rationalStep(
  g: Float64Array,
  values: Float64Array,
  vectors: Float64Array,
  follow: number,
): Float64Array {
  const n = g.length;
  const along = values.map((_, k) => dot(vectors.subarray(k * n, (k + 1) * n), g));
  const [b, f] = [values[follow], along[follow]];
  const up = b / 2 + Math.sqrt(b * b + 4 * f * f) / 2;
  const down = lowestShift(values, along, follow);
  const s = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    const c = k === follow ? climb(b, f, up) : along[k] && -along[k] / (values[k] - down);
    if (c !== 0) for (let i = 0; i < n; i++) s[i] += c * vectors[k * n + i];
  }
  return s;
}

/** Longest step along the mode climbed before the trust radius shortens all, Å. */
const FARTHEST = 1;

/** f/(λ_p − b); where a valley has no slope along its bottom, by symmetry or at a minimum, it is long, either way. */
function climb(b: number, f: number, up: number): number {
  if (f === 0) return b > 0 ? FARTHEST : 0;
  return Math.max(-FARTHEST, Math.min(FARTHEST, f / (up - b)));
}

/** λ_n < min(0, least other eigenvalue) with Σ f²/(λ_n − b) = λ_n, by bisection. */
function lowestShift(values: Float64Array, along: Float64Array, follow: number): number {
  let least = 0;
  let size = 0;
  values.forEach((b, k) => {
    if (k === follow) return;
    least = Math.min(least, b);
    size += along[k] ** 2;
  });
  const gap = (shift: number) =>
    values.reduce(
      (sum, b, k) => (k === follow || along[k] === 0 ? sum : sum + along[k] ** 2 / (shift - b)),
      0,
    ) - shift;
  let high = least;
  let low = least - Math.sqrt(size) - 1;
  for (let k = 0; k < 200 && high - low > 1e-14 * Math.max(1, Math.abs(low)); k++) {
    const middle = (low + high) / 2;
    // Left of the poles the sum falls from 0 to −∞ while −shift falls too: one change of sign.
    if (gap(middle) > 0) low = middle;
    else high = middle;
  }
  return low;
}

/** Bofill's update by a step s that changed the gradient by y, and a trust radius after how well that was foretold. */
function adapt(state: PrfoState, s: Float64Array, y: Float64Array, most: number): void {
  const expected = times(state.H, s);
  const error = y.map((x, i) => x - expected[i]);
  state.surprise = Math.sqrt(dot(error, error) / Math.max(dot(y, y), Number.MIN_VALUE));
  if (state.surprise < GOOD) state.trust = Math.min(most, 1.5 * state.trust);
  else if (state.surprise > BAD) state.trust = Math.max(most / 30, 0.5 * state.trust);
  updateHessian(state.H, s, y);
}
