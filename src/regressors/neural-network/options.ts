import { z } from "../../zod.ts";
import { invalid } from "../../error.ts";
import { activationNames } from "./activations.ts";
import type { ActivationName } from "./activations.ts";

/** Options of the feed-forward network; the same for every element. */
export const neuralNetworkOptions = z.strictObject({
  layers: z
    .array(z.int().min(1).max(4096))
    .max(16)
    .default([64, 64])
    .meta({ help: "Width of each hidden layer; [] is a linear model" }),
  activation: z
    .union([z.enum(activationNames), z.array(z.enum(activationNames))])
    .default("silu")
    .meta({ help: "Function of the hidden layers, or one for each; relu makes forces jump" }),
  output: z.enum(activationNames).default("linear").meta({ help: "Function of the output layer" }),
  residual: z
    .boolean()
    .default(false)
    .meta({ help: "Add a hidden layer's input to its output where both have the same width" }),
});

export type NeuralNetworkOptions = z.infer<typeof neuralNetworkOptions>;

/** The activation of each layer, the output's last. */
export function activationsOf({ layers, activation, output }: NeuralNetworkOptions): ActivationName[] {
  const hidden = typeof activation === "string" ? layers.map(() => activation) : activation;
  if (hidden.length === layers.length) return [...hidden, output];
  throw invalid("neural-network.activation", `${layers.length} names, one for each hidden layer`, activation);
}
