import type { Device, Kernel } from "../../device/device.ts";
import { gradient, tangent } from "../../formula/derivative.ts";
import { add, mul, variable } from "../../formula/expression.ts";
import type { Expr } from "../../formula/expression.ts";
import type { Hoisted } from "./hoist.ts";

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
  /** reduced: Σ term_t; what was hoisted follows the varying x. */
  readonly forward: Kernel;
  /** elementwise: ∂(Σ_t w_t·term_t)/∂x_v for each variable x_v and for what was hoisted; uniform w. */
  readonly pullback: Kernel;
  /** reduced: Σ_v ∂term_t/∂x_v·dx_v; the varying dx follow the varying x. */
  readonly pushforward: Kernel;
  /** elementwise: ∂term_t/∂x_v at t·variables + v; compiled when first used. */
  readonly jacobian: Kernel;
}

/**
 * One kernel shares what its terms have in common, so as few as compile in reasonable time: on the silicon of
 * bench/descriptors.ts, 40 terms in pieces of 20 take three times as long in pullback as in one piece.
 */
const LIMIT = 128;

/** Compiles a list of terms that depend on `variables`, in pieces of at most LIMIT neighbouring terms. */
export function compilePieces(
  name: string,
  terms: readonly Term[],
  variables: readonly string[],
  device: Device,
  hoisted: Hoisted<Term> = { terms, functions: [], names: [] },
): TermKernels[] {
  const pieces = Math.ceil(terms.length / LIMIT);
  const size = Math.ceil(terms.length / pieces);
  return Array.from({ length: pieces }, (_, k) =>
    compileTerms(
      name,
      terms.slice(k * size, (k + 1) * size),
      variables,
      { ...hoisted, terms: hoisted.terms.slice(k * size, (k + 1) * size) },
      device,
    ),
  );
}

function compileTerms(
  name: string,
  terms: readonly Term[],
  variables: readonly string[],
  hoisted: Hoisted<Term>,
  device: Device,
): TermKernels {
  const x = variables.map(variable);
  const dx = variables.map((v) => `d_${v}`);
  const weights = terms.map((_, t) => `w${t}`);
  const values = terms.map(({ factors }) => product(factors));
  const seeds = new Map(x.map((v, k) => [v, variable(dx[k])]));
  const inner = [...variables, ...hoisted.names];
  const weighted = weightedSum(
    hoisted.terms.map(({ factors }, t) => ({ weight: variable(weights[t]), factors })),
  );
  let jacobian: Kernel | undefined;
  return {
    count: terms.length,
    forward: device.compile({
      name: `${name} forward`,
      varying: inner,
      uniform: [],
      reduced: hoisted.terms.map(({ factors }) => product(factors)),
    }),
    pullback: device.compile({
      name: `${name} pullback`,
      varying: inner,
      uniform: weights,
      elementwise: gradient(weighted, inner.map(variable)),
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
