import { NOISE, dot, quasiNewtonStep } from "./minimise.ts";
import type { Answer } from "./minimise.ts";

/** Everything that L-BFGS within a trust radius remembers: plain data, so a copy of it is a checkpoint. */
export interface TrustState {
  /** The best point so far, [n], and the gradient there. */
  readonly x: Float64Array;
  readonly gradient: Float64Array;
  value: number;
  /** Longest step, in the caller's measure of length; 0 before the first. */
  radius: number;
  /** Last steps s and gradient changes y, oldest first, [≤ memory] of [n]. */
  readonly steps: Float64Array[];
  readonly changes: Float64Array[];
  /** s·y/y·P⁻¹y of the latest pairs, as many as were made with the present P. */
  readonly softness: number[];
}

/** Before the first iteration, at x with its value and gradient. */
export const trustState = (x: Float64Array, { value, gradient }: Answer): TrustState => ({
  x: x.slice(),
  gradient: gradient.slice(),
  value,
  radius: 0,
  steps: [],
  changes: [],
  softness: [],
});

/** How far to go, and in what metric. */
export interface TrustOptions {
  /** Longest step; the first may be half as long. */
  readonly maxStep: number;
  /** Length of a step, such as that of the longest move of an atom. */
  readonly length: (step: Float64Array) => number;
  /** Curvature assumed before any is known. */
  readonly curvature: number;
  /** P⁻¹ v: P is like the second derivative, but for a factor. */
  readonly precondition?: (v: Float64Array) => Float64Array;
}

/** Pairs remembered, and numbers in all of them. */
const [PAIRS, NUMBERS] = [100, 2 ** 25];
/** Steps refused one after another, at most. */
const REFUSALS = 12;

/**
 * One iteration of L-BFGS without a line search, in a trust radius: the step −H g, shortened to the radius, is taken
 * unless the value rises. Refused or not, it teaches H, and the radius learns from how the slope changed along it. H
 * starts from γ P⁻¹, γ such that nine in ten of the s·y/y·P⁻¹y in memory are smaller: a soft direction (J. Nocedal, DOI
 * 10.1090/S0025-5718-1980-0572855-7; D. C. Liu, J. Nocedal, DOI 10.1007/BF01589116). Asks for values and gradients at
 * the points it yields; changes the state in place; false when nothing decreases any more.
 */
export function* trustIteration(
  state: TrustState,
  options: TrustOptions,
): Generator<Float64Array, boolean, Answer> {
  const { maxStep, length } = options;
  if (state.radius === 0) state.radius = maxStep / 2;
  for (let refusals = 0; refusals < REFUSALS; refusals++) {
    const step = proposal(state, options);
    const full = length(step);
    const bounded = full > state.radius;
    if (bounded) for (let k = 0; k < step.length; k++) step[k] *= state.radius / full;
    const slope = dot(state.gradient, step);
    const at = state.x.map((v, k) => v + step[k]);
    const { value, gradient } = yield at.slice();
    const finite = Number.isFinite(value);
    if (finite) learn(state, step, gradient, options);
    const rise = finite ? value - state.value : Infinity;
    // What is left of the slope at the end of the step: 1 where the surface is straight, negative past a minimum.
    const left = finite ? dot(gradient, step) / slope : -Infinity;
    const far = Math.min(full, state.radius);
    if (rise <= 0 || (rise <= NOISE * Math.abs(state.value) && Math.abs(left) <= 1)) {
      state.radius = widened(state.radius, bounded, left, maxStep);
      state.x.set(at);
      state.gradient.set(gradient);
      state.value = value;
      return true;
    }
    // The parabola through both values and the first slope has its minimum at this part of the step.
    const part = -slope / (2 * (rise - slope));
    state.radius = far * Math.min(0.5, Math.max(0.1, part));
  }
  return false;
}

/** The radius after a step that went well. */
function widened(radius: number, bounded: boolean, left: number, most: number): number {
  if (left < -1) return radius / 2;
  if (bounded && left > 0.8) return Math.min(most, 1.2 * radius);
  // What refusals have made small recovers.
  return radius < most / 2 ? Math.min(most / 2, 2 * radius) : radius;
}

/** −H g; where rounding has spoilt the memory it is forgotten. */
function proposal(state: TrustState, { curvature, precondition = (v) => v }: TrustOptions): Float64Array {
  const { steps, changes, gradient, softness } = state;
  if (steps.length > 0 && softness.length === 0) softness.push(softnessOf(state, precondition));
  const gamma = softness.length > 0 ? soft(softness) : 1 / curvature;
  const start = (v: Float64Array) => precondition(v).map((u) => gamma * u);
  const step = quasiNewtonStep({ gradient, steps, changes }, start);
  if (dot(step, gradient) < 0) return step;
  steps.length = changes.length = softness.length = 0;
  return precondition(gradient.map((g) => -g / curvature));
}

/** Nine tenths are at most this: soft, but not as an odd one out. */
const soft = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(0.9 * values.length)];

/** Takes up a pair that shows positive curvature. */
function learn(
  state: TrustState,
  step: Float64Array,
  gradient: Float64Array,
  { precondition = (v) => v }: TrustOptions,
): void {
  const { steps, changes, softness } = state;
  const change = gradient.map((g, k) => g - state.gradient[k]);
  if (!(dot(step, change) > 1e-12 * Math.sqrt(dot(step, step) * dot(change, change)))) return;
  steps.push(step);
  changes.push(change);
  softness.push(softnessOf(state, precondition));
  if (steps.length > Math.min(PAIRS, Math.max(10, Math.floor(NUMBERS / step.length)))) {
    steps.shift();
    changes.shift();
  }
  while (softness.length > steps.length) softness.shift();
}

/** s·y/y·P⁻¹y of the last pair. */
function softnessOf({ steps, changes }: TrustState, precondition: (v: Float64Array) => Float64Array): number {
  const [s, y] = [steps[steps.length - 1], changes[changes.length - 1]];
  return dot(s, y) / dot(y, precondition(y));
}
