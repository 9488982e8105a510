import type { Device, Kernel, KernelSpec } from "../../device/device.ts";
import { gradient, tangent } from "../../formula/derivative.ts";
import { add, mul, variable } from "../../formula/expression.ts";
import type { Expr } from "../../formula/expression.ts";
import type { Precision } from "../../formula/formats.ts";

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
  /** elementwise: the coefficients of ∂(Σ_t w_t·term_t); uniform w. */
  readonly pullback: Kernel;
  /** reduced: Σ_v ∂term_t/∂x_v·dx_v. */
  readonly pushforward: Kernel;
  /** elementwise: coefficients of ∂term_t one term after another; varying the variables; compiled when first used. */
  readonly jacobian: Kernel;
}

/** What the terms of a loop are written in, and what becomes of their derivatives. */
export interface Geometry {
  readonly name: string;
  readonly precision: Precision;
  /** The variables of the terms. */
  readonly variables: readonly string[];
  /** The variables of the hoisted terms: these, then values of functions. */
  readonly inner: readonly string[];
  /** Varying inputs of the kernels, in the order of the loop's arrays; the tangent of x is d_x. */
  readonly inputs: Readonly<Record<"forward" | "pullback" | "pushforward", readonly string[]>>;
  /** Derivatives by the inner variables, or by the variables alone, as the coefficients that the loop spreads. */
  readonly coefficients: (derivatives: readonly Expr[]) => readonly Expr[];
}

/**
 * One kernel shares what its terms have in common, so as few as compile in reasonable time: on the silicon of
 * bench/descriptors.ts, 40 terms in pieces of 20 take three times as long in pullback as in one piece.
 */
const LIMIT = 128;

/** Compiles a list of terms, and the same with functions taken out of them, in pieces of at most LIMIT neighbouring terms. */
export function compilePieces(
  geometry: Geometry,
  terms: readonly Term[],
  hoisted: readonly Term[],
  device: Device,
): TermKernels[] {
  const pieces = Math.ceil(terms.length / LIMIT);
  const size = Math.ceil(terms.length / pieces);
  const piece = (list: readonly Term[], k: number) => list.slice(k * size, (k + 1) * size);
  return Array.from({ length: pieces }, (_, k) =>
    compileTerms(geometry, piece(terms, k), piece(hoisted, k), device),
  );
}

function compileTerms(
  { name, precision, variables, inner, inputs, coefficients }: Geometry,
  terms: readonly Term[],
  hoisted: readonly Term[],
  device: Device,
): TermKernels {
  const weights = terms.map((_, t) => `w${t}`);
  const values = hoisted.map(({ factors }) => product(factors));
  const weighted = weightedSum(hoisted.map(({ factors }, t) => ({ weight: variable(weights[t]), factors })));
  const seeds = new Map(inner.map((v) => [variable(v), variable(`d_${v}`)]));
  const compile = (
    what: string,
    varying: readonly string[],
    rest: Pick<KernelSpec, "elementwise" | "reduced"> & { uniform?: readonly string[] },
  ) => device.compile({ name: `${name} ${what}`, precision, varying, uniform: [], ...rest });
  let [pushforward, jacobian]: (Kernel | undefined)[] = [];
  return {
    count: terms.length,
    forward: compile("forward", inputs.forward, { reduced: values }),
    pullback: compile("pullback", inputs.pullback, {
      uniform: weights,
      elementwise: coefficients(gradient(weighted, inner.map(variable))),
    }),
    get pushforward() {
      return (pushforward ??= compile("pushforward", inputs.pushforward, {
        reduced: values.map((y) => tangent(y, seeds)),
      }));
    },
    get jacobian() {
      return (jacobian ??= compile("jacobian", variables, {
        elementwise: terms.flatMap(({ factors }) =>
          coefficients(gradient(product(factors), variables.map(variable))),
        ),
      }));
    },
  };
}

const product = (factors: readonly Expr[]): Expr => factors.reduce((a, b) => mul(a, b));

/** A term of a weighted sum. */
export interface Weighted {
  readonly weight: Expr;
  readonly factors: readonly Expr[];
}

/** Σ_t w_t Π_k f_tk with common leading factors taken out: f·(g·(w₁h₁ + w₂h₂) + …). */
export function weightedSum(terms: readonly Weighted[]): Expr {
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
