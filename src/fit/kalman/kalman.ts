import { expOf } from "../../formula/scalar.ts";
import type { LossParts } from "../loss.ts";
import type { ObservationChoice } from "../observations.ts";
import { copyInto, lossWeights, miniBatches, type Optimiser, type Problem } from "../optimiser.ts";
import { Covariance } from "./covariance.ts";
import type { KalmanOptions } from "./options.ts";

/** Numbers of the state: schedule, unit, last epoch's RMS errors, sums of this one's. */
const STATE = { q: 0, eta: 1, lambda: 2, unit: 3, rms: 4, sum: 7, steps: 10, size: 11 } as const;
const PARTS = ["energy", "forces", "stress"] as const;

/** q, η, λ and the errors that thresholds are measured by. */
class Schedule {
  readonly state = new Float64Array(STATE.size);
  readonly #options: KalmanOptions;
  /** Factors of q and η in one update. */
  readonly #fall: number;
  readonly #rise: number;

  constructor(options: KalmanOptions, steps: number) {
    this.#options = options;
    this.#fall = expOf(-options.qtau / steps);
    this.#rise = expOf(options.etatau / steps);
    this.state[STATE.q] = options.q0;
    this.state[STATE.eta] = options.eta;
    this.state[STATE.lambda] = options.lambda;
    this.state[STATE.unit] = options.unit === "auto" ? 0 : options.unit;
  }

  /** R and λ of the present update; R in the units of the observations. */
  get noise(): { variance: number; forget: number; rate: number } {
    const { eta, lambda, unit } = STATE;
    const [s, square] = [this.state, this.state[unit] ** 2];
    return this.#options.type === "standard"
      ? { variance: square / s[eta], forget: 1, rate: s[eta] }
      : { variance: square * s[lambda], forget: s[lambda], rate: s[lambda] };
  }

  /** Smallest scaled error that is wanted, of each part. */
  get floors(): Record<(typeof PARTS)[number], number> {
    const { energyThreshold, forceThreshold } = this.#options;
    const [energy, forces, stress] = this.state.subarray(STATE.rms, STATE.rms + 3);
    return {
      energy: energyThreshold * energy,
      forces: forceThreshold * forces,
      stress: forceThreshold * stress,
    };
  }

  /** Takes the losses of an update into account, at the first step of an epoch after those of the last are closed. */
  see(loss: LossParts, first: boolean): void {
    const s = this.state;
    if (first && s[STATE.steps] > 0) {
      PARTS.forEach((_, k) => (s[STATE.rms + k] = Math.sqrt(s[STATE.sum + k] / s[STATE.steps])));
      s.fill(0, STATE.sum, STATE.steps + 1);
    }
    PARTS.forEach((part, k) => (s[STATE.sum + k] += loss[part]));
    s[STATE.steps]++;
    if (s[STATE.unit] === 0) s[STATE.unit] = Math.sqrt(loss.energy + loss.forces + loss.stress) || 1;
  }

  /** After an update: q ← max(q e^{−qtau/steps}, qmin), η ← min(η e^{etatau/steps}, etamax), λ ← ν λ + 1 − ν. */
  advance(): void {
    const { qmin, etamax, nu } = this.#options;
    const s = this.state;
    s[STATE.q] = Math.max(qmin, s[STATE.q] * this.#fall);
    s[STATE.eta] = Math.min(etamax, s[STATE.eta] * this.#rise);
    s[STATE.lambda] = nu * s[STATE.lambda] + 1 - nu;
  }
}

/**
 * The multi-stream extended Kalman filter: the energies and some force components of all frames of a mini-batch are
 * one measurement. Its noise R is in units of the loss of loss.ts with the final λ_E, so that it minimises the same.
 */
export function kalman(problem: Problem): Optimiser {
  const { gradients, start, options, seed, workspace: covariance } = problem;
  if (!(covariance instanceof Covariance)) throw new TypeError("no covariance (this is a bug)");
  const { steps, batch } = miniBatches(problem);
  const own = options.kalman;
  const theta = start.slice();
  const schedule = new Schedule(own, steps);
  const lambda = { ...lossWeights(options, options.weights.energyEnd), huber: Infinity };
  covariance.reset(1 / own.epsilon);
  const blocks = Object.fromEntries(covariance.blocks.map((P, b) => [`covariance.${b}`, P]));
  const arrays = { parameters: theta, schedule: schedule.state, ...blocks };
  const choiceOf = (epoch: number): ObservationChoice => {
    const floor = schedule.floors;
    return {
      energy: { count: 1, floor: floor.energy },
      forces: { count: own.forces, floor: floor.forces },
      stress: { count: own.stress, floor: floor.stress },
      kind: own.observe,
      trials: own.trials,
      seed,
      epoch,
    };
  };
  return {
    steps,
    judged: theta,
    async step(epoch, step) {
      gradients.parameters.set(theta);
      gradients.changed();
      const seen = await gradients.observe(batch(epoch, step), lambda, choiceOf(epoch));
      schedule.see(seen.loss, step === 0);
      const { variance, forget, rate } = schedule.noise;
      if (seen.count > 0) await covariance.update(seen, theta, variance, forget, schedule.state[STATE.q]);
      schedule.advance();
      return { loss: seen.loss, rate, finished: false };
    },
    save: () => arrays,
    load: (saved) => Object.entries(arrays).forEach(([name, array]) => copyInto(array, saved[name], name)),
  };
}
