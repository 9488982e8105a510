import { dot } from "../../math/minimise.ts";
import type { LossParts } from "../loss.ts";
import { copyInto, lossWeights, type Optimiser, type Problem } from "../optimiser.ts";
import { NormalEquations } from "./normal.ts";

/** Smallest damped diagonal element, as a part of the mean one: parameters that nothing depends on stay where they are. */
const FLOOR = 1e-6;

const total = ({ energy, forces, stress }: LossParts): number => energy + forces + stress;

/**
 * Levenberg–Marquardt on the whole loss: (N + μ D) δ = −g/2 with the exact gradient g and the Gauss–Newton matrix N
 * of as many observations as the options say; a step is taken when the loss falls, and μ follows the ratio ϱ of the
 * fall to the predicted one: μ ← μ max(1/3, 1 − (2ϱ − 1)³), else μ ← ν μ, ν ← 2ν
 * (H. B. Nielsen, IMM-REP-1999-05; Levenberg, DOI 10.1090/qam/10666; Marquardt, DOI 10.1137/0111030).
 */
export function marquardt({
  gradients,
  start,
  groups,
  perBatch,
  options,
  seed,
  workspace,
}: Problem): Optimiser {
  if (!(workspace instanceof NormalEquations)) throw new TypeError("no normal equations (this is a bug)");
  const own = options.marquardt;
  const theta = start.slice();
  const gradient = new Float64Array(start.length);
  const trial = new Float64Array(start.length);
  /** μ and ν. */
  const damping = Float64Array.of(own.damping, 2);
  const lambda = { ...lossWeights(options, options.weights.energyEnd), huber: Infinity };
  const arrays = { parameters: theta, damping };
  const lossAt = async (x: Float64Array, to: Float64Array): Promise<LossParts> => {
    gradients.parameters.set(x);
    gradients.changed();
    return gradients.gradient(groups, lambda, to);
  };
  const fillMatrix = async (epoch: number): Promise<void> => {
    const choice = {
      energy: { count: 1, floor: 0 },
      forces: { count: own.forces, floor: 0 },
      stress: { count: own.stress, floor: 0 },
      kind: "random" as const,
      trials: 1,
      seed,
      epoch,
    };
    workspace.reset();
    for (let at = 0; at < groups.length; at += perBatch)
      // oxlint-disable-next-line no-await-in-loop -- a job takes all threads
      await workspace.add(await gradients.observe(groups.slice(at, at + perBatch), lambda, choice));
  };
  return {
    steps: 1,
    judged: theta,
    async step(epoch) {
      const loss = await lossAt(theta, gradient);
      await fillMatrix(epoch);
      const scale = 1 / gradients.weight(groups);
      for (let t = 0; t < own.trials; t++) {
        const mu = damping[0];
        const delta = gradient.map((g) => -g / 2);
        if (workspace.solve(scale, mu, FLOOR, delta)) {
          theta.forEach((x, k) => (trial[k] = x + delta[k]));
          // oxlint-disable-next-line no-await-in-loop -- the next damping depends on this loss
          const next = await lossAt(trial, new Float64Array(start.length));
          // L falls by −g·δ − δᵀNδ = −g·δ/2 + μ δᵀDδ ≥ −g·δ/2 in the model.
          const ratio = (total(loss) - total(next)) / (-0.5 * dot(gradient, delta));
          if (ratio > 0) {
            theta.set(trial);
            damping.set([Math.max(1e-12, mu * Math.max(1 / 3, 1 - (2 * ratio - 1) ** 3)), 2]);
            return { loss: next, rate: mu, finished: false };
          }
        }
        damping.set([mu * damping[1], 2 * damping[1]]);
      }
      return { loss, rate: damping[0], finished: damping[0] > 1e12 };
    },
    save: () => arrays,
    load: (saved) => Object.entries(arrays).forEach(([name, array]) => copyInto(array, saved[name], name)),
  };
}
