import { dot, quasiNewtonStep } from "../math/minimise.ts";

/** What a way of following forces remembers: plain data, part of a checkpoint. */
export interface FireMemory {
  /** [n, 3]; masses are 1. */
  readonly velocities: Float64Array;
  timestep: number;
  alpha: number;
  /** Steps since the power was last negative. */
  uphill: number;
  /** Steps done. */
  moves: number;
}

const [FIRST, LONGEST, SHORTEST] = [0.1, 1, 0.002];

export const fireMemory = (length: number): FireMemory => ({
  velocities: new Float64Array(length),
  timestep: FIRST,
  alpha: 0.25,
  uphill: 0,
  moves: 0,
});

/** Length of the longest of the vectors [n, 3]. */
export function longest(vectors: Float64Array): number {
  let most = 0;
  for (let i = 0; i < vectors.length; i += 3) {
    const square = vectors[i] ** 2 + vectors[i + 1] ** 2 + vectors[i + 2] ** 2;
    // Not `>`: a NaN must come out, not be passed over.
    if (!(square <= most)) most = square;
  }
  return Math.sqrt(most);
}

/** Shortens a move so that no atom goes further than `most`. */
export function limit(move: Float64Array, most: number): void {
  const far = longest(move);
  if (far > most) for (let i = 0; i < move.length; i++) move[i] *= most / far;
}

/**
 * The move of FIRE in its second version: dynamics with all masses alike, turned towards the forces while it goes
 * downhill, taken half a step back and stopped when it goes uphill (E. Bitzek et al., DOI
 * 10.1103/PhysRevLett.97.170201; J. Guénolé et al., DOI 10.1016/j.commatsci.2020.109584). Units of time are √(amu Å²/eV)
 * with unit masses.
 */
export function fireMove(memory: FireMemory, F: Float64Array, maxMove: number): Float64Array {
  const { velocities: v } = memory;
  const back = new Float64Array(v.length);
  if (dot(F, v) > 0) {
    if (++memory.uphill > 20) {
      memory.timestep = Math.min(1.1 * memory.timestep, LONGEST);
      memory.alpha *= 0.99;
    }
  } else if (memory.moves > 0) {
    if (memory.uphill > 0 || memory.timestep > SHORTEST)
      memory.timestep = Math.max(0.5 * memory.timestep, SHORTEST);
    memory.uphill = 0;
    memory.alpha = 0.25;
    for (let i = 0; i < v.length; i++) back[i] = -0.5 * memory.timestep * v[i];
    limit(back, maxMove / 2);
    v.fill(0);
  }
  for (let i = 0; i < v.length; i++) v[i] += memory.timestep * F[i];
  const turn = memory.alpha * Math.sqrt(dot(v, v) / Math.max(dot(F, F), Number.MIN_VALUE));
  for (let i = 0; i < v.length; i++) v[i] = (1 - memory.alpha) * v[i] + turn * F[i];
  const move = v.map((x) => memory.timestep * x);
  limit(move, maxMove);
  memory.moves++;
  for (let i = 0; i < move.length; i++) move[i] += back[i];
  return move;
}

/** What L-BFGS without a line search remembers. */
export interface QuasiNewtonMemory {
  readonly steps: Float64Array[];
  readonly changes: Float64Array[];
  /** Of the last move; empty before the first. */
  positions: Float64Array;
  forces: Float64Array;
}

export const quasiNewtonMemory = (): QuasiNewtonMemory => ({
  steps: [],
  changes: [],
  positions: new Float64Array(0),
  forces: new Float64Array(0),
});

/** Pairs of steps that are remembered. */
const HISTORY = 25;
/** Curvature that is assumed before any is known, eV/Å²: that of a stiff bond. */
const CURVATURE = 70;

/**
 * The move of L-BFGS without a line search, for forces that need not be the slope of an energy: bands, dimers. A pair
 * of steps that shows negative curvature wipes the memory (D. Sheppard, R. Terrell, G. Henkelman, J. Chem. Phys. 128,
 * 134106 (2008), DOI 10.1063/1.2841941).
 */
export function quasiNewtonMove(
  memory: QuasiNewtonMemory,
  positions: Float64Array,
  F: Float64Array,
  maxMove: number,
): Float64Array {
  const { steps, changes } = memory;
  if (memory.positions.length > 0) {
    const s = positions.map((x, i) => x - memory.positions[i]);
    const y = F.map((f, i) => memory.forces[i] - f);
    if (dot(s, y) > 0) {
      steps.push(s);
      changes.push(y);
    } else {
      steps.length = 0;
      changes.length = 0;
    }
    if (steps.length > HISTORY) {
      steps.shift();
      changes.shift();
    }
  }
  memory.positions = positions.slice();
  memory.forces = F.slice();
  const gradient = F.map((f) => -f);
  const move =
    steps.length === 0 ? F.map((f) => f / CURVATURE) : quasiNewtonStep({ gradient, steps, changes });
  limit(move, maxMove);
  return move;
}
