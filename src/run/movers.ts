import { dot } from "../math/minimise.ts";

/** What FIRE remembers: plain data, part of a checkpoint. */
export interface FireMemory {
  /** [n, 3]; masses are 1. */
  readonly velocities: Float64Array;
  timestep: number;
  alpha: number;
  /** Curvatures |ΔF|/|Δx| of the latest moves, eV/Å². */
  readonly curvatures: number[];
  /** The last move, and the forces before it, [n, 3]. */
  readonly lastMove: Float64Array;
  readonly lastForces: Float64Array;
}

const [FIRST, LONGEST] = [0.1, 1];
/** Part of the velocity that is turned towards the forces. */
const TURN = 0.25;
/** Curvatures that are remembered. */
const REMEMBERED = 20;

export const fireMemory = (length: number): FireMemory => ({
  velocities: new Float64Array(length),
  timestep: FIRST,
  alpha: TURN,
  curvatures: [],
  lastMove: new Float64Array(length),
  lastForces: new Float64Array(length),
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
 * The move of FIRE: dynamics with all masses alike, turned towards the forces, its timestep growing while it goes
 * downhill (E. Bitzek et al., DOI 10.1103/PhysRevLett.97.170201; half a step back when it goes uphill: J. Guénolé et
 * al., DOI 10.1016/j.commatsci.2020.109584). Two things are different, and halve the steps: uphill, only the velocity
 * against the forces is taken away, so that soft motions go on when a stiff one turns round; and the timestep stays below
 * 1/√k, k the largest curvature of late, half of where a leapfrog becomes unstable. Forces that are not the `gradient` of
 * an energy could drive it round in circles: then it stops as the original does. Units of time are √(amu Å²/eV) with unit
 * masses.
 */
export function fireMove(
  memory: FireMemory,
  F: Float64Array,
  maxMove: number,
  { gradient = true }: { readonly gradient?: boolean } = {},
): Float64Array {
  const { velocities: v } = memory;
  lookBack(memory, F);
  const power = dot(F, v);
  const moved = dot(memory.lastMove, memory.lastMove) > 0;
  const back = new Float64Array(v.length);
  if (power > 0) {
    memory.timestep = Math.min(1.1 * memory.timestep, LONGEST);
    memory.alpha *= 0.99;
  } else if (moved) {
    memory.timestep *= 0.8;
    memory.alpha = TURN;
    for (let i = 0; i < v.length; i++) back[i] = -0.5 * memory.timestep * v[i];
    limit(back, maxMove / 2);
    const against = power / Math.max(dot(F, F), Number.MIN_VALUE);
    for (let i = 0; i < v.length; i++) v[i] = gradient ? v[i] - against * F[i] : 0;
  }
  const stiffness = Math.max(...memory.curvatures, 1 / LONGEST ** 2);
  memory.timestep = Math.min(memory.timestep, 1 / Math.sqrt(stiffness));
  accelerate(memory, F);
  const move = v.map((x) => memory.timestep * x);
  const far = longest(move);
  const part = far > maxMove ? maxMove / far : 1;
  for (let i = 0; i < v.length; i++) {
    v[i] *= part;
    move[i] = part * move[i] + back[i];
  }
  memory.lastMove.set(move);
  memory.lastForces.set(F);
  return move;
}

/** The curvature along the last move. */
function lookBack({ lastMove, lastForces, curvatures }: FireMemory, F: Float64Array): void {
  const moved = dot(lastMove, lastMove);
  if (moved === 0) return;
  const change = F.map((f, i) => f - lastForces[i]);
  curvatures.push(Math.sqrt(dot(change, change) / moved));
  if (curvatures.length > REMEMBERED) curvatures.shift();
}

/** v ← v + Δt F, then turned towards the forces. */
function accelerate({ velocities: v, timestep, alpha }: FireMemory, F: Float64Array): void {
  for (let i = 0; i < v.length; i++) v[i] += timestep * F[i];
  const turn = alpha * Math.sqrt(dot(v, v) / Math.max(dot(F, F), Number.MIN_VALUE));
  for (let i = 0; i < v.length; i++) v[i] = (1 - alpha) * v[i] + turn * F[i];
}
