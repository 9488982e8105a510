/** Σ x_k y_k, summed in order. */
export function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < x.length; k++) sum += x[k] * y[k];
  return sum;
}

/** Differences of a value below this part of it can be taken for noise: there the slopes decide. */
export const NOISE = 1e-9;

/** Everything L-BFGS remembers between iterations: plain data, so a copy of it is a checkpoint. */
export interface LbfgsState {
  /** Current point, [n]. */
  readonly x: Float64Array;
  /** Gradient there, [n]. */
  readonly gradient: Float64Array;
  /** Function there, number of iterations done, first evaluation done (0 or 1), [3]. */
  readonly scalars: Float64Array;
  /** Last steps s and gradient changes y, oldest first, [≤ history] of [n]. */
  readonly steps: Float64Array[];
  readonly changes: Float64Array[];
}

/** Before the first evaluation. */
export const lbfgsState = (x: Float64Array): LbfgsState => ({
  x: x.slice(),
  gradient: new Float64Array(x.length),
  scalars: new Float64Array(3),
  steps: [],
  changes: [],
});

/** How far to go. */
export interface LbfgsOptions {
  /** Pairs remembered. */
  readonly history: number;
  /** Sufficient decrease and curvature constants of the strong Wolfe conditions, 0 < c1 < c2 < 1. */
  readonly c1?: number;
  readonly c2?: number;
  /** Longest step in any one variable. */
  readonly maxStep?: number;
  /** Evaluations in one line search. */
  readonly evaluations?: number;
  /**
   * A rise of the value by this part of it is noise: then the slope alone decides (approximate Wolfe conditions, W. W.
   * Hager, H. Zhang, DOI 10.1137/030601880); 0 by default.
   */
  readonly noise?: number;
}

/** Value at the asked point; its gradient [n] is read before the next question. */
export interface Answer {
  readonly value: number;
  readonly gradient: Float64Array;
}

/** A point of a line: step length, value, slope. */
interface Point {
  readonly a: number;
  readonly f: number;
  readonly d: number;
}

/**
 * One iteration: asks for the function at the points it yields, the caller answers with value and gradient, so that
 * the function may be computed anywhere, also asynchronously. Changes the state in place; returns false when no
 * further decrease can be found (converged to rounding). Two loop recursion with the scaling s·y/y·y:
 * J. Nocedal, Math. Comp. 35, 773 (1980), https://doi.org/10.1090/S0025-5718-1980-0572855-7.
 */
export function* lbfgsIteration(
  state: LbfgsState,
  options: LbfgsOptions,
): Generator<Float64Array, boolean, Answer> {
  const { x, gradient, scalars, steps, changes } = state;
  if (scalars[2] === 0) {
    const { value, gradient: g } = yield x.slice();
    scalars[0] = value;
    scalars[2] = 1;
    gradient.set(g);
  }
  const direction = quasiNewtonStep(state);
  if (!(dot(direction, gradient) < 0)) {
    // Rounding has spoilt the memory: forget it and go down the slope.
    steps.length = changes.length = 0;
    for (let k = 0; k < x.length; k++) direction[k] = -gradient[k];
  }
  const found = yield* lineSearch(state, direction, options);
  if (!found) return false;
  const step = found.x.map((v, k) => v - x[k]);
  const change = found.gradient.map((v, k) => v - gradient[k]);
  if (dot(step, change) > 1e-12 * Math.sqrt(dot(step, step) * dot(change, change))) {
    steps.push(step);
    changes.push(change);
    if (steps.length > options.history) {
      steps.shift();
      changes.shift();
    }
  }
  const decreased = found.value < scalars[0];
  x.set(found.x);
  gradient.set(found.gradient);
  scalars[0] = found.value;
  scalars[1]++;
  return decreased;
}

/** −H g by the two loops over the pairs in memory; `start` multiplies by what H is before all of them. */
export function quasiNewtonStep(
  { gradient, steps, changes }: Pick<LbfgsState, "gradient" | "steps" | "changes">,
  start: (v: Float64Array) => Float64Array = (v) => scaled(v, { gradient, steps, changes }),
): Float64Array {
  let q: Float64Array = gradient.map((g) => -g);
  const alpha = new Float64Array(steps.length);
  for (let i = steps.length - 1; i >= 0; i--) {
    alpha[i] = dot(steps[i], q) / dot(steps[i], changes[i]);
    for (let k = 0; k < q.length; k++) q[k] -= alpha[i] * changes[i][k];
  }
  q = start(q);
  for (let i = 0; i < steps.length; i++) {
    const beta = alpha[i] - dot(changes[i], q) / dot(steps[i], changes[i]);
    for (let k = 0; k < q.length; k++) q[k] += beta * steps[i][k];
  }
  return q;
}

/** v times s·y/y·y of the last pair; without one, a first step of length about 1/|g|. */
function scaled(
  v: Float64Array,
  { gradient, steps, changes }: Pick<LbfgsState, "gradient" | "steps" | "changes">,
): Float64Array {
  const last = steps.length - 1;
  const scale =
    last < 0
      ? Math.min(1, 1 / Math.sqrt(dot(gradient, gradient)))
      : dot(steps[last], changes[last]) / dot(changes[last], changes[last]);
  return v.map((x) => scale * x);
}

/** Minimum of the cubic through two points with slopes, kept inside the bracket's inner 80 %. */
function cubic(p: Point, q: Point): number {
  const low = Math.min(p.a, q.a);
  const width = Math.abs(q.a - p.a);
  const t = p.d + q.d - (3 * (p.f - q.f)) / (p.a - q.a);
  const root = t * t - p.d * q.d;
  const s = Math.sqrt(Math.max(0, root)) * Math.sign(q.a - p.a);
  const a = q.a - ((q.a - p.a) * (q.d + s - t)) / (q.d - p.d + 2 * s);
  const inside = root >= 0 && Number.isFinite(a) ? a : low + width / 2;
  return Math.max(low + 0.1 * width, Math.min(low + 0.9 * width, inside));
}

/** Where a line search ended. */
export interface Found {
  readonly x: Float64Array;
  readonly value: number;
  readonly gradient: Float64Array;
}

/**
 * A step that satisfies the strong Wolfe conditions f(a) ≤ f(0) + c1 a f′(0), |f′(a)| ≤ c2 |f′(0)|: bracket, then
 * zoom (Nocedal and Wright, Numerical Optimization, algorithms 3.5 and 3.6, https://doi.org/10.1007/978-0-387-40065-5).
 * When the evaluations run out, the best point with a decrease; undefined when there is none.
 */
export function* lineSearch(
  { x, gradient, scalars }: Pick<LbfgsState, "x" | "gradient" | "scalars">,
  direction: Float64Array,
  { c1 = 1e-4, c2 = 0.9, maxStep = Infinity, evaluations = 20, noise = 0 }: LbfgsOptions,
): Generator<Float64Array, Found | undefined, Answer> {
  const start: Point = { a: 0, f: scalars[0], d: dot(direction, gradient) };
  const longest = maxStep / direction.reduce((m, d) => Math.max(m, Math.abs(d)), 0);
  let best: Found | undefined;
  let low = start;
  let high: Point | undefined;
  let a = Math.min(1, longest);
  for (let count = 0; count < evaluations; count++) {
    const at = x.map((v, k) => v + a * direction[k]);
    const { value, gradient: g } = yield at.slice();
    const finite = Number.isFinite(value);
    const point: Point = finite ? { a, f: value, d: dot(direction, g) } : { a, f: Infinity, d: 0 };
    const enough =
      value <= start.f + c1 * a * start.d ||
      (noise > 0 && value <= start.f + noise * Math.abs(start.f) && point.d <= (2 * c1 - 1) * start.d);
    if (finite && value < (best?.value ?? start.f)) best = { x: at, value, gradient: g.slice() };
    if (enough && Math.abs(point.d) <= -c2 * start.d) return { x: at, value, gradient: g.slice() };
    if (!enough || point.f >= low.f) high = point;
    else {
      if (high ? point.d * (high.a - low.a) >= 0 : point.d >= 0) high = low;
      low = point;
    }
    if (!high && a >= longest) return best;
    a = nextStep(low, high, longest);
    if (high && Math.abs(high.a - low.a) < 1e-15 * Math.max(1, Math.abs(low.a))) break;
  }
  return best;
}

function nextStep(low: Point, high: Point | undefined, longest: number): number {
  if (!high) return Math.min(longest, 2.5 * low.a);
  return Number.isFinite(high.f) ? cubic(low, high) : low.a + 0.2 * (high.a - low.a);
}

/** Runs iterations on a function that answers at once, until `stop` says so or nothing decreases; returns the state. */
export function minimise(
  x: Float64Array,
  f: (x: Float64Array, gradient: Float64Array) => number,
  stop: (state: LbfgsState) => boolean,
  options: LbfgsOptions = { history: 20 },
): LbfgsState {
  const state = lbfgsState(x);
  const gradient = new Float64Array(x.length);
  for (let going = true; going && !stop(state);) {
    const iteration = lbfgsIteration(state, options);
    let asked = iteration.next();
    while (!asked.done) asked = iteration.next({ value: f(asked.value, gradient), gradient });
    going = asked.value;
  }
  return state;
}
