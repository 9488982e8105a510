import { NOISE, dot, lineSearch } from "./minimise.ts";
import type { Answer, LbfgsOptions } from "./minimise.ts";

/** Everything BFGS remembers between iterations: plain data, so a copy of it is a checkpoint. */
export interface BfgsState {
  /** Current point, [n], and the gradient there. */
  readonly x: Float64Array;
  readonly gradient: Float64Array;
  /** Function there, number of iterations done, [2]. */
  readonly scalars: Float64Array;
  /** Inverse of the second derivative, as far as it is known, symmetric [n, n]. */
  readonly H: Float64Array;
}

/** Before the first iteration, at x with its value and gradient; H is 1/curvature. */
export function bfgsState(x: Float64Array, { value, gradient }: Answer, curvature: number): BfgsState {
  const n = x.length;
  const H = new Float64Array(n * n);
  for (let k = 0; k < n; k++) H[k * n + k] = 1 / curvature;
  return { x: x.slice(), gradient: gradient.slice(), scalars: Float64Array.of(value, 0), H };
}

/** H v, [n]. */
const times = (H: Float64Array, v: Float64Array): Float64Array =>
  v.map((_, k) => dot(H.subarray(k * v.length, (k + 1) * v.length), v));

/**
 * One iteration of BFGS with a line search (strong Wolfe conditions); the first H is scaled by s·y/y·y of the first step.
 * Asks as `lbfgsIteration` does; false when no further decrease can be found (J. Nocedal, S. J. Wright, Numerical
 * Optimization, algorithm 6.1, DOI 10.1007/978-0-387-40065-5).
 */
export function* bfgsIteration(
  state: BfgsState,
  options: Omit<LbfgsOptions, "history">,
): Generator<Float64Array, boolean, Answer> {
  const { x, gradient, scalars, H } = state;
  const direction = times(H, gradient).map((d) => -d);
  if (!(dot(direction, gradient) < 0)) return false;
  const found = yield* lineSearch(state, direction, { history: 0, noise: NOISE, ...options });
  if (!found) return false;
  const s = found.x.map((v, k) => v - x[k]);
  const y = found.gradient.map((v, k) => v - gradient[k]);
  if (dot(s, y) > 1e-12 * Math.sqrt(dot(s, s) * dot(y, y))) {
    if (scalars[1] === 0) rescale(H, dot(s, y) / dot(y, y));
    update(H, s, y);
  }
  const better = found.value < scalars[0] || dot(found.gradient, found.gradient) < dot(gradient, gradient);
  x.set(found.x);
  gradient.set(found.gradient);
  scalars[0] = found.value;
  scalars[1]++;
  return better;
}

/** A multiple of 1 with γ on the diagonal. */
function rescale(H: Float64Array, gamma: number): void {
  const factor = gamma / H[0];
  for (let k = 0; k < H.length; k++) H[k] *= factor;
}

/** H ← (1 − ρ s yᵀ) H (1 − ρ y sᵀ) + ρ s sᵀ, ρ = 1/y·s. */
function update(H: Float64Array, s: Float64Array, y: Float64Array): void {
  const n = s.length;
  const rho = 1 / dot(s, y);
  const Hy = times(H, y);
  const a = rho * (1 + rho * dot(y, Hy));
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) H[i * n + j] += a * s[i] * s[j] - rho * (Hy[i] * s[j] + s[i] * Hy[j]);
}
