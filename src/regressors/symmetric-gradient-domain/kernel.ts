import { gradient } from "../../formula/derivative.ts";
import { max, mul, add, variable, type Expr } from "../../formula/expression.ts";
import { substitute } from "../../formula/lower.ts";
import { KernelFunction } from "../../kernels/function.ts";

/** Matérn 5/2 of scaled features z = x/σ, a function F of s = |z − z′|² (S. Chmiela et al., 10.1126/sciadv.1603015). */
const kernel = new KernelFunction({ name: "matern-5/2" }, 1);
const [{ variable: S }] = kernel.seen;

/** s; t = (z − z′)·b; |z|². */
const [s, t, square] = ["s", "t", "zz"].map(variable);

/** F′ and F″ by s. */
const at = (y: Expr, x: Expr): Expr => substitute(y, new Map([[variable(S), x]]));

/** What a point with weights b adds to the energy: ∂k/∂z′·b = −2 F′(s) t; its slopes by s, twice, and by t. */
const energy = mul(mul(-2, at(kernel.by(0), s)), t);
const [byS, byT] = gradient(energy, [s, t]);

/**
 * Over points: s less |z|² and t → 2 ∂E/∂s and ∂E/∂t, so that ∂E/∂z = Σ 2 ∂E/∂s (z − z′) + ∂E/∂t b; their sums are E and
 * Σ 2 ∂E/∂s.
 */
export const predictionSpec = {
  name: "gradient-domain prediction",
  varying: ["s", "t"],
  uniform: ["zz"],
  elementwise: [mul(2, byS), byT].map(withSquare),
  reduced: [energy, mul(2, byS)].map(withSquare),
};

/** ∂²k/∂z∂z′ = a·1 − b·d dᵀ with d = z − z′: a = −2 F′, b = 4 F″, over points. */
export const hessianSpec = {
  name: "gradient-domain Hessian",
  varying: ["s"],
  uniform: ["zz"],
  elementwise: [mul(-2, at(kernel.by(0), s)), mul(4, at(kernel.by(0, 0), s))].map(withSquare),
};

/** s as |z|² plus what the points say, at least 0. */
function withSquare(y: Expr): Expr {
  return substitute(y, new Map([[s, max(0, add(square, s))]]));
}
