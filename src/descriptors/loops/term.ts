import type { Device, Kernel } from "../../device/device.ts";
import { gradient, tangent } from "../../formula/derivative.ts";
import { add, mul, variable } from "../../formula/expression.ts";
import type { Expr } from "../../formula/expression.ts";

/** One feature as an expression of a loop's geometry. */
export interface Term {
  /**
   * The feature is the sum, over neighbours or pairs of neighbours, of the product of these. Factors that many terms
   * share come first: the derivative of Σ_t w_t·term_t is then formed from the factored sum.
   */
  readonly factors: readonly Expr[];
  /** The product is exactly 0 wherever a distance to the centre is this or more, Å. */
  readonly cutoff: number;
  /** How many derivatives are continuous there. */
  readonly smoothness: number;
  /** What it is, for reports: "G2 η=0.5 rs=1.2". */
  readonly label: string;
}

/** The compiled operations of a list of terms; see the loops for what they read and write. */
export interface TermKernels {
  /** Number of terms. */
  readonly count: number;
  /** reduced: Σ term_t. */
  readonly forward: Kernel;
  /** elementwise: ∂(Σ_t w_t·term_t)/∂x_v for each variable x_v; uniform w. */
  readonly pullback: Kernel;
  /** reduced: Σ_v ∂term_t/∂x_v·dx_v; the varying dx follow the varying x. */
  readonly pushforward: Kernel;
  /** elementwise: ∂term_t/∂x_v at t·variables + v; compiled when first used. */
  readonly jacobian: Kernel;
}

/** Compiles a list of terms that depend on `variables`. */
export function compileTerms(
  name: string,
  terms: readonly Term[],
  variables: readonly string[],
  device: Device,
): TermKernels {
  const x = variables.map(variable);
  const dx = variables.map((v) => `d_${v}`);
  const weights = terms.map((_, t) => `w${t}`);
  const values = terms.map(({ factors }) => product(factors));
  const seeds = new Map(x.map((v, k) => [v, variable(dx[k])]));
  const weighted = weightedSum(terms.map(({ factors }, t) => ({ weight: variable(weights[t]), factors })));
  let jacobian: Kernel | undefined;
  return {
    count: terms.length,
    forward: device.compile({ name: `${name} forward`, varying: variables, uniform: [], reduced: values }),
    pullback: device.compile({
      name: `${name} pullback`,
      varying: variables,
      uniform: weights,
      elementwise: gradient(weighted, x),
    }),
    pushforward: device.compile({
      name: `${name} pushforward`,
      varying: [...variables, ...dx],
      uniform: [],
      reduced: values.map((y) => tangent(y, seeds)),
    }),
    get jacobian() {
      jacobian ??= device.compile({
        name: `${name} jacobian`,
        varying: variables,
        uniform: [],
        elementwise: values.flatMap((y) => gradient(y, x)),
      });
      return jacobian;
    },
  };
}

const product = (factors: readonly Expr[]): Expr => factors.reduce((a, b) => mul(a, b));

interface Weighted {
  readonly weight: Expr;
  readonly factors: readonly Expr[];
}

/** Σ_t w_t Π_k f_tk with common leading factors taken out: f·(g·(w₁h₁ + w₂h₂) + …). */
function weightedSum(terms: readonly Weighted[]): Expr {
  const groups = new Map<Expr | null, Weighted[]>();
  for (const { weight, factors } of terms) {
    const head = factors[0] ?? null;
    const group = groups.get(head) ?? [];
    group.push({ weight, factors: factors.slice(1) });
    groups.set(head, group);
  }
  const parts = [...groups].map(([head, rest]) => {
    if (head === null) return rest.map(({ weight }) => weight).reduce((a, b) => add(a, b));
    return mul(head, weightedSum(rest));
  });
  return parts.reduce((a, b) => add(a, b));
}

/** Neighbouring terms go into one kernel, at most `limit` of them. */
export function split<T>(items: readonly T[], limit: number): T[][] {
  const count = Math.ceil(items.length / limit);
  const size = Math.ceil(items.length / count);
  return Array.from({ length: count }, (_, k) => items.slice(k * size, (k + 1) * size));
}
