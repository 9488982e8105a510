import { Random } from "../../math/random.ts";
import type { FeatureStatistics } from "../regressor.ts";
import { activations } from "./activations.ts";
import { tensorShapes, widthsOf } from "./layout.ts";
import { activationsOf } from "./options.ts";
import type { NeuralNetworkOptions } from "./options.ts";
import { featureScale } from "./scaling.ts";

/**
 * The first layer starts at this fraction of the usual weights. Those are made for independent inputs; features of
 * neighbouring functions rise and fall together, and full weights start, and end, with a surface far too rough: see
 * docs/regressors/neural-network.md.
 */
const FIRST = 0.15;

/**
 * Normal random weights with the variance of Glorot and Bengio (PMLR 9, 249 (2010)), 2/(in + out), or of He et al.
 * (DOI 10.1109/ICCV.2015.123), 2/in, whichever suits the activation; the output layer has 1/in, and the first layer of several
 * FIRST times its deviation. Biases are zero.
 */
export function initialise(
  options: NeuralNetworkOptions,
  statistics: readonly FeatureStatistics[],
  energyScale: number,
  seed: number,
  energyShift = 0,
): Record<string, Float64Array> {
  const tensors: Record<string, Float64Array> = {};
  statistics.forEach((s, e) => {
    const widths = widthsOf(options, s.mean.length);
    const { trainable } = tensorShapes(e, widths);
    for (const [name, length] of trainable) tensors[name] = new Float64Array(length);
    for (let l = 1; l < widths.length; l++) {
      const weights = tensors[`${e}.weights.${l}`];
      const deviation = weightDeviation(options, widths, l);
      new Random(seed, "neural-network", e, l).normals(weights);
      for (let i = 0; i < weights.length; i++) weights[i] *= deviation;
    }
    tensors[`${e}.mean`] = Float64Array.from(s.mean);
    tensors[`${e}.scale`] = featureScale(s);
    tensors[`${e}.output`] = Float64Array.of(energyScale, energyShift);
  });
  return tensors;
}

function weightDeviation(options: NeuralNetworkOptions, widths: readonly number[], l: number): number {
  const [inputs, outputs] = [widths[l - 1], widths[l]];
  if (l === widths.length - 1) return Math.sqrt(1 / inputs);
  return (
    (l === 1 ? FIRST : 1) *
    Math.sqrt(2 / (activations[activationsOf(options)[l - 1]].start === "he" ? inputs : inputs + outputs))
  );
}
