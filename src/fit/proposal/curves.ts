import type { SymmetryFunction } from "../../descriptors/symmetry-functions/options.ts";
import { angularOf, isRadial, radialOf } from "../../descriptors/symmetry-functions/terms.ts";
import type { CutoffChoice } from "../../descriptors/acsf/terms.ts";
import { mul } from "../../formula/expression.ts";
import type { Expr } from "../../formula/expression.ts";
import { evaluate } from "../../formula/javascript.ts";

/** One function of x at the points asked for. */
export type Curve = Float64Array;

const product = (factors: readonly Expr[]): Expr => factors.reduce((a, b) => mul(a, b));

function sampled(outputs: readonly Expr[], points: readonly Readonly<Record<string, number>>[]): Curve[] {
  const curves = outputs.map(() => new Float64Array(points.length));
  for (const [k, point] of points.entries())
    for (const [t, y] of evaluate(outputs, point).entries()) curves[t][k] = y;
  return curves;
}

/** What a neighbour at distance r (Å) adds to each radial function. */
export function radialCurves(
  functions: readonly SymmetryFunction[],
  common: CutoffChoice,
  r: readonly number[],
): Curve[] {
  const terms = functions.flatMap((f) =>
    isRadial(f) ? [product(radialOf(f, common, "function").factors)] : [],
  );
  return sampled(
    terms,
    r.map((x) => ({ r: x })),
  );
}

/** What two neighbours at distances r (Å) with the angle θ (°) between them add to each angular function. */
export function angularCurves(
  functions: readonly SymmetryFunction[],
  common: CutoffChoice,
  at: readonly (readonly [r: number, angle: number])[],
): Curve[] {
  const terms = functions.flatMap((f) =>
    isRadial(f) ? [] : [product(angularOf(f, common, "function").factors)],
  );
  return sampled(
    terms,
    at.map(([r, angle]) => {
      const cosine = Math.cos((angle * Math.PI) / 180);
      return { rij: r, rik: r, rjk2: 2 * r * r * (1 - cosine), dot: r * r * cosine };
    }),
  );
}
