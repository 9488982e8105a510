import { embedding } from "./embedding/embedding.ts";
import { linear } from "./linear/linear.ts";
import { neuralNetwork } from "./neural-network/neural-network.ts";
import type { RegressorMethod } from "./regressor.ts";
import { sparseGaussianProcess } from "./sparse-gaussian-process/sparse-gaussian-process.ts";

/** Every regressor by name. */
export const regressors: Readonly<Record<string, RegressorMethod>> = {
  embedding,
  linear,
  "neural-network": neuralNetwork,
  "sparse-gaussian-process": sparseGaussianProcess,
};
