import { regress } from "../run/observe.ts";
import type { Simulation } from "../run/simulation.ts";
import { demand, type Finding } from "./finding.ts";

/** The state that the laws of integrators look at. */
export interface Moving {
  readonly positions: Float64Array;
  readonly velocities: Float64Array;
}

/** An integrator with a conserved quantity, as a law asks for it. */
export type Integrator<State> = Simulation<State> & { invariant(state: State): number };

/** Largest |invariant − invariant at the start| over a run, eV. */
function wander<State>(integrator: Integrator<State>, steps: number): number {
  const state = integrator.init();
  const start = integrator.invariant(state);
  let most = 0;
  for (let k = 0; k < steps; k++) {
    integrator.step(state);
    most = Math.max(most, Math.abs(integrator.invariant(state) - start));
  }
  return most;
}

/**
 * The error of the invariant falls as Δtᵖ: runs of the same length in time at several steps; p is fitted to
 * log(largest error) against log(Δt) and must lie within 0.15 of `order`.
 */
export function invariantFallsAs<State>(
  make: (timestep: number) => Integrator<State>,
  options: { readonly timesteps: readonly number[]; readonly time: number; readonly order?: number },
): Finding {
  const { timesteps, time, order = 2 } = options;
  const errors = timesteps.map((dt) => wander(make(dt), Math.round(time / dt)));
  const { slope } = regress(timesteps.map(Math.log), errors.map(Math.log));
  const finding = {
    exponent: slope,
    expected: order,
    largest: Math.max(...errors),
    smallest: Math.min(...errors),
  };
  return demand(
    Math.min(...errors) > 1e-13 && Math.abs(slope - order) < 0.15,
    "invariant error ∝ Δt^p",
    finding,
  );
}

/** Forward, velocities turned round, the same number of steps again: back at the start within `tolerance` Å. */
export function isReversible<State extends Moving>(
  integrator: Simulation<State>,
  options: { readonly steps: number; readonly tolerance?: number },
): Finding {
  const { steps, tolerance = 1e-9 } = options;
  const state = integrator.init();
  const start = state.positions.slice();
  const largest = () => state.positions.reduce((m, x, i) => Math.max(m, Math.abs(x - start[i])), 0);
  for (let k = 0; k < steps; k++) integrator.step(state);
  const away = largest();
  for (let i = 0; i < state.velocities.length; i++) state.velocities[i] = -state.velocities[i];
  for (let k = 0; k < steps; k++) integrator.step(state);
  const finding = { away, left: largest(), tolerance };
  return demand(away > 1e3 * tolerance && finding.left < tolerance, "reversibility", finding);
}

const bits = (state: unknown): string =>
  JSON.stringify(state, (_, v: unknown) => {
    if (v instanceof Float64Array) return Array.from(new BigUint64Array(v.slice().buffer), String);
    return typeof v === "number" ? String(Object.is(v, -0) ? "-0" : v) : v;
  });

/**
 * A copy of the state at half time, continued by a new integrator, ends in the same bits as the run without a break.
 * `make` must give an integrator that knows nothing of the other's past.
 */
export function restartsIdentically<State>(
  make: () => Simulation<State>,
  options: { readonly steps: number },
): Finding {
  const whole = make();
  const state = whole.init();
  for (let k = 0; k < options.steps; k++) whole.step(state);
  const checkpoint = structuredClone(state);
  for (let k = 0; k < options.steps; k++) whole.step(state);
  const resumed = make();
  const before = bits(checkpoint);
  for (let k = 0; k < options.steps; k++) resumed.step(checkpoint);
  const finding = {
    identical: Number(bits(checkpoint) === bits(state)),
    moved: Number(bits(checkpoint) !== before),
  };
  return demand(finding.identical === 1 && finding.moved === 1, "restart identical to the bit", finding);
}

/** Mean and its statistical error by blocks, which absorb the correlation in time. */
export function blockMean(values: ArrayLike<number>, blocks = 20): { mean: number; error: number } {
  const size = Math.floor(values.length / blocks);
  const means = Array.from({ length: blocks }, (_, b) => {
    let sum = 0;
    for (let k = b * size; k < (b + 1) * size; k++) sum += values[k];
    return sum / size;
  });
  const mean = means.reduce((a, b) => a + b, 0) / blocks;
  const variance = means.reduce((a, b) => a + (b - mean) ** 2, 0) / (blocks - 1);
  return { mean, error: Math.sqrt(variance / blocks) };
}

const near = (x: number, y: number, error: number): boolean => Math.abs(x - y) < 4 * error;

/**
 * Two sampled averages agree with what theory says within four statistical errors, and the errors are small enough
 * for that to mean something: the average of `observe(state)` and of its squared deviation from `expected.mean`.
 */
export function samples<State>(
  integrator: Simulation<State>,
  observe: (state: State) => number,
  options: {
    readonly equilibration: number;
    readonly steps: number;
    readonly expected: { readonly mean: number; readonly variance: number };
    /** Largest relative statistical error of the mean that is accepted as evidence. */
    readonly resolution?: number;
  },
): Finding {
  const { equilibration, steps, expected, resolution = 0.02 } = options;
  const state = integrator.init();
  for (let k = 0; k < equilibration; k++) integrator.step(state);
  const values = new Float64Array(steps);
  for (let k = 0; k < steps; k++) {
    integrator.step(state);
    values[k] = observe(state);
  }
  const { mean, error } = blockMean(values);
  const fluctuation = blockMean(values.map((x) => (x - expected.mean) ** 2));
  const finding = {
    mean,
    meanError: error,
    meanExpected: expected.mean,
    variance: fluctuation.mean,
    varianceError: fluctuation.error,
    varianceExpected: expected.variance,
  };
  const holds =
    near(mean, expected.mean, error) &&
    near(fluctuation.mean, expected.variance, fluctuation.error) &&
    error < resolution * Math.abs(expected.mean) &&
    fluctuation.error < 0.15 * expected.variance;
  return demand(holds, "sampled average and fluctuation", finding);
}
