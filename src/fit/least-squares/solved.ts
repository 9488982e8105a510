import { lossWeights, type Problem, type Step } from "../optimiser.ts";

/** A block of rows has been taken up, and others are to come. */
export const UNSOLVED: Step = { loss: { energy: 0, forces: 0, stress: 0 }, rate: 1, finished: false };

/** The last of `rounds` steps: the parameters are those of the solution, with the loss that they have. */
export async function solved(
  { gradients, groups, options }: Problem,
  theta: Float64Array,
  rounds: number,
): Promise<Step> {
  gradients.parameters.set(theta);
  gradients.changed();
  const lambda = lossWeights(options, options.weights.energyEnd);
  const { energy, forces, stress } = await gradients.gradient(groups, lambda, new Float64Array(theta.length));
  // Reports show means over the steps of an epoch, of which this one alone has a loss.
  const loss = { energy: rounds * energy, forces: rounds * forces, stress: rounds * stress };
  return { loss, rate: 1, finished: true };
}
