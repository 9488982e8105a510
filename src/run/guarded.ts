import { dot, quasiNewtonStep } from "../math/minimise.ts";
import { longest } from "./movers.ts";

/** What L-BFGS under guard remembers: plain data, part of a checkpoint. */
export interface GuardedMemory {
  readonly steps: Float64Array[];
  readonly changes: Float64Array[];
  /** The last place that was accepted, and the forces there; empty before the first. */
  positions: Float64Array;
  forces: Float64Array;
  /** The move from there that is being tried; empty when whatever comes is accepted. */
  move: Float64Array;
  /** Whether it is a quasi-Newton move, or one along the forces. */
  quasi: boolean;
  /** Length of a move along the forces, Å²/eV. */
  rate: number;
  /** Moves along the forces still to come, and how many after the next refusal. */
  plain: number;
  penalty: number;
}

/** Pairs of steps that are remembered. */
const HISTORY = 15;
/** Curvature that is assumed before any is known, eV/Å²: that of a stiff bond. */
const CURVATURE = 70;
/** Moves along the forces after the first refusal; twice as many after every other. */
const PENALTY = 10;
/** A move along the forces may make them larger by this factor, where it is exact. */
const MUCH_WORSE = 2;
/** Error of a move along the forces, Å. */
const EXACT = 0.1;

export const guardedMemory = (): GuardedMemory => ({
  steps: [],
  changes: [],
  positions: new Float64Array(0),
  forces: new Float64Array(0),
  move: new Float64Array(0),
  quasi: false,
  rate: 1 / CURVATURE,
  plain: 1,
  penalty: PENALTY,
});

/** The forces have become others, as where an image begins to climb: nothing that was learned holds. */
export function forget(memory: GuardedMemory): void {
  memory.steps.length = memory.changes.length = 0;
  memory.move = new Float64Array(0);
}

/**
 * The next move [n, 3] for forces F that need not be the slope of an energy: bands, dimers. L-BFGS without a line search
 * (D. Sheppard, R. Terrell, G. Henkelman, J. Chem. Phys. 128, 134106 (2008), DOI 10.1063/1.2841941) as long as |F| does
 * not grow by more than the factor `worse`. Where it does, the move is taken back, the memory wiped, and for a while the path follows the forces, each
 * step as long as the change of F over the last allows (the adaptive integration of S. Makri, C. Ortner, J. R. Kermode, J.
 * Chem. Phys. 150, 094109 (2019), DOI 10.1063/1.5064465); twice as long at every further refusal.
 */
export function guardedMove(
  memory: GuardedMemory,
  positions: Float64Array,
  F: Float64Array,
  maxMove: number,
  worse: number,
): Float64Array {
  if (memory.move.length === 0) accept(memory, positions, F);
  else judge(memory, positions, F, worse);
  const move = proposal(memory);
  const far = longest(move);
  const part = far > maxMove ? maxMove / far : 1;
  for (let i = 0; i < move.length; i++) move[i] *= part;
  if (!memory.quasi) memory.rate *= part;
  memory.move = move;
  // From where the atoms are, which is not where they are to start from when the last move was refused.
  return move.map((d, i) => memory.positions[i] + d - positions[i]);
}

const size = (v: Float64Array): number => Math.sqrt(dot(v, v));

function accept(memory: GuardedMemory, positions: Float64Array, F: Float64Array): void {
  memory.positions = positions.slice();
  memory.forces = F.slice();
}

function judge(memory: GuardedMemory, positions: Float64Array, F: Float64Array, worse: number): void {
  const { move, forces } = memory;
  const [before, now] = [size(forces), size(F)];
  const y = forces.map((f, i) => f - F[i]);
  const along = dot(move, y);
  // The rate that the curvature along the move asks for, and the one that keeps the next step exact.
  const secant = along > 0 ? along / dot(y, y) : Infinity;
  if (memory.quasi) {
    if (now <= worse * before) learn(memory, move, y, along);
    if (secant < Infinity) memory.rate = secant;
    if (now <= worse * before) return accept(memory, positions, F);
    memory.plain = memory.penalty;
    memory.penalty *= 2;
    memory.steps.length = memory.changes.length = 0;
    memory.rate = Math.min(memory.rate, (0.25 * size(move)) / before);
    return;
  }
  const error = (memory.rate * longest(y)) / 2;
  const wanted = Math.min(secant, (memory.rate / 2) * Math.sqrt(EXACT / Math.max(error, Number.MIN_VALUE)));
  if (now <= before || (now <= MUCH_WORSE * before && error <= EXACT)) {
    memory.rate = Math.min(4 * memory.rate, Math.max(memory.rate / 4, wanted));
    memory.plain--;
    learn(memory, move, y, along);
    accept(memory, positions, F);
  } else memory.rate = Math.min(memory.rate / 4, Math.max(memory.rate / 10, wanted));
}

/** Takes up a pair; one that shows negative curvature wipes the memory. */
function learn({ steps, changes }: GuardedMemory, s: Float64Array, y: Float64Array, along: number): void {
  if (along > 0) {
    steps.push(s);
    changes.push(y);
  } else steps.length = changes.length = 0;
  if (steps.length > HISTORY) {
    steps.shift();
    changes.shift();
  }
}

function proposal(memory: GuardedMemory): Float64Array {
  const { forces, steps, changes, rate } = memory;
  memory.quasi = memory.plain <= 0 && steps.length > 0;
  if (memory.quasi) {
    const move = quasiNewtonStep({ gradient: forces.map((f) => -f), steps, changes });
    if (dot(move, forces) > 0) return move;
    forget(memory);
    memory.quasi = false;
  }
  return forces.map((f) => rate * f);
}
