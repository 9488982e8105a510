import {
  cos,
  exp,
  logistic,
  max,
  mul,
  neg,
  softplus,
  square,
  tanh,
  type Expr,
} from "../../formula/expression.ts";

/** One activation function: written once as an expression; every derivative is generated from it. */
export interface Activation {
  readonly f: (z: Expr) => Expr;
  /** Why the surface is not smooth, where it is not. */
  readonly kink?: string;
  /** Initial weights: Glorot (variance 2/(in+out)) for saturating functions, He (2/in) for rectifiers. */
  readonly start: "glorot" | "he";
}

/** Activation functions by name; a new one is one line. */
export const activations = {
  tanh: { f: tanh, start: "glorot" },
  logistic: { f: logistic, start: "glorot" },
  softplus: { f: softplus, start: "he" },
  silu: { f: (z) => mul(z, logistic(z)), start: "he" },
  gaussian: { f: (z) => exp(mul(-0.5, square(z))), start: "glorot" },
  cosine: { f: cos, start: "glorot" },
  "reverse-logistic": { f: (z) => logistic(neg(z)), start: "glorot" },
  exponential: { f: (z) => exp(neg(z)), start: "glorot" },
  harmonic: { f: square, start: "glorot" },
  linear: { f: (z) => z, start: "glorot" },
  relu: {
    f: (z) => max(z, 0),
    start: "he",
    kink: "relu has a kink at 0: forces jump there, so dynamics drifts and vibrations are ill-defined",
  },
} satisfies Record<string, Activation>;

export type ActivationName = keyof typeof activations;

export const activationNames = Object.keys(activations) as [ActivationName, ...ActivationName[]];
