import type { Box } from "./derivative-free.ts";
import { symmetricEigen } from "./symmetric-eigen.ts";

/** q(s) = g·s + ½ sᵀH s; H [n, n] symmetric. */
export interface Quadratic {
  readonly g: Float64Array;
  readonly H: Float64Array;
}

/** q(s). */
export function quadraticAt({ g, H }: Quadratic, s: Float64Array): number {
  const n = s.length;
  let q = 0;
  for (let i = 0; i < n; i++) {
    let row = 0;
    for (let j = 0; j < n; j++) row += H[i * n + j] * s[j];
    q += s[i] * (g[i] + row / 2);
  }
  return q;
}

/** A step, and the least curvature of the model along the directions that were free. */
export interface Step {
  readonly s: Float64Array;
  readonly curvature: number;
}

/**
 * argmin q(s) with |s| ≤ radius and lower ≤ s ≤ upper. Variables that a step would take out of the box are put on
 * its wall and stay there, and the rest is solved again exactly by its eigenvalues (J. J. Moré, D. C. Sorensen,
 * SIAM J. Sci. Stat. Comput. 4, 553 (1983), DOI 10.1137/0904038), so every step stays in the box.
 */
export function trustRegionStep(q: Quadratic, radius: number, { lower, upper }: Box): Step {
  const n = q.g.length;
  const s = new Float64Array(n);
  // At a wall with a slope that leads out, a variable has nowhere to go.
  const free = Array.from({ length: n }, (_, i) => i).filter(
    (i) => !((lower[i] >= 0 && q.g[i] > 0) || (upper[i] <= 0 && q.g[i] < 0)),
  );
  let curvature = 0;
  while (free.length > 0) {
    const held = s.slice();
    for (const i of free) held[i] = 0;
    const room = Math.sqrt(Math.max(0, radius ** 2 - held.reduce((sum, x) => sum + x * x, 0)));
    const part = ball(restrict(q, free, held), room);
    curvature = part.curvature;
    free.forEach((i, k) => (s[i] = part.s[k]));
    const out = free.filter((i) => s[i] < lower[i] || s[i] > upper[i]);
    if (out.length === 0) break;
    for (const i of out) {
      s[i] = Math.min(upper[i], Math.max(lower[i], s[i]));
      free.splice(free.indexOf(i), 1);
    }
  }
  return { s, curvature };
}

/** The model of the free variables where the others are held. */
function restrict({ g, H }: Quadratic, free: readonly number[], held: Float64Array): Quadratic {
  const n = g.length;
  const m = free.length;
  const part = { g: new Float64Array(m), H: new Float64Array(m * m) };
  free.forEach((i, a) => {
    part.g[a] = g[i];
    for (let j = 0; j < n; j++) part.g[a] += H[i * n + j] * held[j];
    free.forEach((j, b) => (part.H[a * m + b] = H[i * n + j]));
  });
  return part;
}

/** argmin q(s) with |s| ≤ radius: s = −(H + μ)⁻¹ g with the least μ ≥ 0 that is long enough. */
function ball({ g, H }: Quadratic, radius: number): Step {
  const n = g.length;
  const { values, vectors } = symmetricEigen(H.slice(), n);
  const along = Float64Array.from({ length: n }, (_, k) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += vectors[k * n + i] * g[i];
    return sum;
  });
  const least = values[n - 1];
  const scale = Math.max(Math.abs(values[0]), Math.abs(least));
  const length = (mu: number): number =>
    Math.sqrt(along.reduce((sum, a, k) => (a === 0 ? sum : sum + (a / (values[k] + mu)) ** 2), 0));
  const floor = Math.max(0, -least);
  const components = new Float64Array(n);
  const tiny = 1e-14 * scale;
  const fill = (mu: number) =>
    along.forEach((a, k) => (components[k] = a === 0 ? 0 : -a / Math.max(values[k] + mu, Number.MIN_VALUE)));
  if (least > tiny && length(0) <= radius) fill(0);
  else if (length(floor + tiny) < radius) {
    // The hard case: along the softest direction there is nothing to gain at first order, so go to the edge.
    fill(floor + tiny);
    const short = components.reduce((sum, c) => sum + c * c, 0) - components[n - 1] ** 2;
    const edge = Math.sqrt(Math.max(0, radius ** 2 - short));
    if (least < -tiny) components[n - 1] = along[n - 1] > 0 ? -edge : edge;
  } else fill(multiplier(length, floor, radius, g));
  const s = new Float64Array(n);
  for (let k = 0; k < n; k++) for (let i = 0; i < n; i++) s[i] += components[k] * vectors[k * n + i];
  return { s, curvature: least };
}

/** μ > floor with |s(μ)| = radius, by bisection: |s| falls as μ rises, and |s(floor + |g|/radius)| ≤ radius. */
function multiplier(length: (mu: number) => number, floor: number, radius: number, g: Float64Array): number {
  let low = floor;
  let high = floor + Math.sqrt(g.reduce((sum, x) => sum + x * x, 0)) / Math.max(radius, Number.MIN_VALUE);
  for (let k = 0; k < 100 && high - low > 1e-15 * high; k++) {
    const middle = (low + high) / 2;
    if (length(middle) > radius) low = middle;
    else high = middle;
  }
  return high;
}
