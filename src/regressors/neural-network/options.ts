import { z } from "../../zod.ts";
import { activationNames } from "./activations.ts";

/** Options of the feed-forward network; the same for every element. */
export const neuralNetworkOptions = z.strictObject({
  layers: z
    .array(z.int().min(1).max(4096))
    .max(16)
    .default([64, 64])
    .meta({ help: "Width of each hidden layer; [] is a linear model" }),
  activation: z
    .enum(activationNames)
    .default("silu")
    .meta({ help: "Function of the hidden layers; relu makes forces jump" }),
  residual: z
    .boolean()
    .default(false)
    .meta({ help: "Add a hidden layer's input to its output where both have the same width" }),
});

export type NeuralNetworkOptions = z.infer<typeof neuralNetworkOptions>;
