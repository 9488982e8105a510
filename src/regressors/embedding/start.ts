import { gradient } from "../../formula/derivative.ts";
import { variable } from "../../formula/expression.ts";
import { evaluate } from "../../formula/javascript.ts";
import { Random } from "../../math/random.ts";
import { linear } from "../linear/linear.ts";
import type { FeatureStatistics } from "../regressor.ts";
import { embeddingEnergy, type Share } from "./functions.ts";
import type { EmbeddingOptions } from "./options.ts";

/** E without β of an environment whose features are G, no core repulsion near. */
function energyAt(
  { type, densities }: EmbeddingOptions,
  weights: Float64Array,
  scale: Float64Array,
  G: Float64Array,
): number {
  const names = densities.map((_, p) => `rho${p}`);
  const rho = names.map((_, p) =>
    scale.reduce((sum, s, t) => sum + weights[t * densities.length + p] * s * G[t], 0),
  );
  const E = embeddingEnergy(type, densities, names.map(variable), null);
  return evaluate([E], Object.fromEntries(names.map((name, p) => [name, rho[p]])))[0];
}

/** Small random densities over features of unit spread; β takes away the energy of the mean environment. */
export function initialise(
  options: EmbeddingOptions,
  statistics: readonly FeatureStatistics[],
  energyScale: number,
  seed: number,
  shift = 0,
): Record<string, Float64Array> {
  const tensors: Record<string, Float64Array> = {};
  const D = options.densities.length;
  for (const [e, { mean, deviation }] of statistics.entries()) {
    const summed = mean.length - (options.core ? 1 : 0);
    const scale = Float64Array.from(deviation.subarray(0, summed), (s) => (s > 0 ? 1 / s : 0));
    const random = new Random(seed, "embedding", e);
    const spread = energyScale / Math.sqrt(Math.max(1, summed * D));
    const weights = random.normals(new Float64Array(summed * D)).map((x) => spread * x);
    const atMean = energyAt(options, weights, scale, mean);
    tensors[`${e}.bias`] = Float64Array.of(shift - atMean);
    tensors[`${e}.weights`] = weights;
    tensors[`${e}.scale`] = scale;
    tensors[`${e}.functions`] = Float64Array.from(
      options.densities.flatMap(({ weight, exponent }) => [weight, exponent]),
    );
    if (options.core) tensors[`${e}.core`] = Float64Array.of(options.coreCutoff, options.coreWidth);
  }
  return tensors;
}

/** Spread of a nonlinear density that starts at random, eV: where its function starts to bend. */
const START = 0.05;

/**
 * The densities whose exponent is 1 share a linear model's solution evenly; the others start at random, not so small
 * that their functions look linear, since the solution leaves no slope in any linear direction. What is linear in
 * them there is taken away again.
 */
export function adopt(
  options: EmbeddingOptions,
  from: {
    readonly name: string;
    readonly options: unknown;
    readonly tensors: Readonly<Record<string, Float64Array>>;
  },
  statistics: readonly FeatureStatistics[],
  seed: number,
): Record<string, Float64Array> | undefined {
  const { densities, type } = options;
  const D = densities.length;
  const straight = densities.filter(isStraight).length;
  if (from.name !== linear.name || straight === 0 || options.core) return undefined;
  if (linear.options.parse(from.options).quadratic) return undefined;
  const tensors = initialise(options, statistics, START, seed);
  const slopes = densities.map((share) => (isStraight(share) ? 0 : slopeAtZero(type, share)));
  for (const e of statistics.keys()) {
    const [beta, ...solution] = from.tensors[`${e}.coefficients`];
    const [theta, scale] = [tensors[`${e}.weights`], tensors[`${e}.scale`]];
    // A feature that did not vary stays as it is in the solution.
    scale.forEach((s, t) => (scale[t] = s === 0 ? 1 : s));
    for (let t = 0; t < scale.length; t++) {
      const bent = slopes.reduce((sum, slope, p) => sum + slope * theta[t * D + p], 0);
      for (const [p, share] of densities.entries())
        if (isStraight(share)) theta[t * D + p] = (solution[t] / scale[t] - bent) / (share.weight * straight);
    }
    const { mean } = statistics[e];
    const linearAtMean = solution.reduce((sum, c, t) => sum + c * mean[t], beta);
    tensors[`${e}.bias`][0] = linearAtMean - energyAt(options, theta, scale, mean);
  }
  return tensors;
}

const isStraight = ({ weight, exponent }: Share): boolean => exponent === 1 && weight !== 0;

/** d(w F)/dρ at ρ = 0. */
function slopeAtZero(type: EmbeddingOptions["type"], share: Share): number {
  const rho = variable("rho");
  return evaluate(gradient(embeddingEnergy(type, [share], [rho], null), [rho]), { rho: 0 })[0];
}
