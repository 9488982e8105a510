import type { output } from "zod";
import type { Device } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { add, exp, mul, sqrt, square, sub, variable, type Expr } from "../../formula/expression.ts";
import { functionOf } from "../../formula/javascript.ts";
import { symbolOf } from "../../structure/elements.ts";
import { pairKey, type PairStatistics } from "../../structure/statistics.ts";
import {
  array,
  enum as oneOf,
  literal,
  number,
  record,
  strictObject,
  string,
  tuple,
  union,
} from "../../zod.ts";
import { cutoff as cutoffFunction, cutoffNames, cutoffs } from "../cutoffs.ts";
import type { Descriptor, DescriptorMethod, FeaturePart } from "../descriptor.ts";
import { rij, rik, rjkSquared } from "../loops/angular.ts";
import { sumDescriptor, type AngularTerms, type CentreTerms } from "../loops/sum.ts";
import type { Term } from "../loops/term.ts";
import { digits, reach } from "../reach.ts";
import { withParts } from "./parts.ts";

const positive = number().positive();
const triple = tuple([positive, positive, number().min(0)]);

export const options = strictObject({
  cutoff: union([literal("auto"), positive])
    .default("auto")
    .meta({ unit: "Å", help: "Of both neighbours; auto: from the data" }),
  fade: oneOf(cutoffNames).default("cosine").meta({ help: "Cutoff function over the last `width`" }),
  width: positive.default(1).meta({ unit: "Å", help: "The cutoff function falls from cutoff − width on" }),
  size: oneOf(["small", "medium", "large"])
    .optional()
    .meta({ help: "Points that auto makes for a triplet of elements: 18, 60, 105; medium when left out" }),
  lengths: union([literal("auto"), tuple([positive, positive, positive])])
    .default("auto")
    .meta({ help: "θ of r_ij + r_ik (Å), (r_ij − r_ik)² (Å²), r_jk (Å); auto: from the points' spacing" }),
  delta: positive.default(0.3).meta({ unit: "eV", help: "δ: how large the energy of a triplet may be" }),
  points: union([literal("auto"), record(string(), array(triple))])
    .default("auto")
    .meta({
      unit: "Å",
      help: "Representative triplets [r_ij, r_ik, r_jk] by centre and neighbours, { Si:Si-Si: [[2.3, 2.4, 3.8], …] }",
    }),
});

export type Angle3bOptions = output<typeof options>;
type Triple = output<typeof triple>;

/**
 * Three-body kernel of GAP, A. P. Bartók, G. Csányi: DOI 10.1002/qua.24927, on q = (r_ij + r_ik, (r_ij − r_ik)², r_jk),
 * which no exchange of the neighbours changes: G_s = δ² f_s Σ_{j<k} f_c(r_ij) f_c(r_ik) exp(−½ Σ_d (q_d − q_sd)²/θ_d²).
 */
export const angle3b: DescriptorMethod<Angle3bOptions> = {
  name: "angle-3b",
  summary: "Kernel sums over triplets at representative triangles: the three-body term of GAP",
  options,
  resolve,
  build,
};

/** Points of one loop: more do not fit in the registers and caches of instructions. */
const POINTS = 24;

const GRIDS = { small: [3, 3], medium: [5, 4], large: [6, 5] } as const;

function resolve({ size = "medium", ...given }: Angle3bOptions, statistics: PairStatistics): Angle3bOptions {
  const cutoff = given.cutoff === "auto" ? reach(statistics).angular : given.cutoff;
  const [n, m] = GRIDS[size];
  const { elements, shortest } = statistics;
  const from = (a: number, b: number) => Math.min(shortest[pairKey(a, b)] ?? cutoff, 0.9 * cutoff);
  const step = (a: number, b: number) => (cutoff - from(a, b)) / n;
  const levels = (a: number, b: number) =>
    Array.from({ length: n }, (_, k) => from(a, b) + (k + 0.3) * step(a, b));
  const grid = (e: number, a: number, b: number): Triple[] =>
    levels(e, a).flatMap((p, k) =>
      levels(e, b)
        .filter((_, j) => a !== b || j >= k)
        .flatMap((q) => {
          const [low, high] = [Math.max(Math.abs(p - q), Math.min(p + q, from(a, b))), p + q];
          return Array.from({ length: m }, (_, i): Triple => [
            digits(p),
            digits(q),
            digits(low + ((i + 0.3) * (high - low)) / m),
          ]);
        }),
    );
  const pairs = elements.flatMap((a, k) => elements.slice(k).map((b) => [a, b] as const));
  const points =
    given.points === "auto"
      ? Object.fromEntries(
          elements.flatMap((e) =>
            pairs
              .filter(([a, b]) => [a, b].every((z) => (shortest[pairKey(e, z)] ?? Infinity) < cutoff))
              .map(([a, b]) => [`${symbolOf(e)}:${symbolOf(a)}-${symbolOf(b)}`, grid(e, a, b)]),
          ),
        )
      : given.points;
  const widest = Math.max(...pairs.map(([a, b]) => step(a, b)));
  const lengths =
    given.lengths === "auto"
      ? ([2 * widest, 2 * widest * widest * n, 2 * widest].map(digits) as [number, number, number])
      : given.lengths;
  return { ...given, cutoff, points, lengths };
}

const x = variable("x");

/** What the kernel compares: r_ij + r_ik, (r_ij − r_ik)², r_jk. */
const q = ([a, b, c]: Triple): number[] => [a + b, (a - b) ** 2, c];

function build(given: Angle3bOptions, elements: readonly number[], device: Device): Descriptor {
  const { cutoff, points, lengths, fade, delta } = given;
  if (cutoff === "auto" || points === "auto" || lengths === "auto")
    throw invalid("angle-3b", "explicit cutoff, lengths and points (resolve the options first)", given);
  const symbols = elements.map(symbolOf);
  const fc = (x: Expr) => cutoffFunction(fade, x, cutoff, Math.max(0, cutoff - given.width) / cutoff);
  const fading = functionOf(fc(x), "x");
  const shown = (p: Triple) => fading(p[0]) * fading(p[1]);
  const edge = { cutoff, smoothness: cutoffs[fade].smoothness };
  const both = mul(fc(rij), fc(rik));
  const variables = [add(rij, rik), square(sub(rij, rik)), sqrt(rjkSquared)];
  const gaussian = (d: number, x: Expr, at: number) =>
    exp(mul(-1 / (2 * lengths[d] ** 2), square(sub(x, at))));
  const termsOf = (list: readonly Triple[]): Term[] =>
    list.map((p) => ({
      factors: [
        both,
        mul(
          delta * delta * shown(p),
          mul(gaussian(0, variables[0], q(p)[0]), gaussian(1, variables[1], q(p)[1])),
        ),
        gaussian(2, variables[2], q(p)[2]),
      ],
      ...edge,
      label: `3b ${p.join(" ")}`,
    }));
  const covarianceOf = (list: readonly Triple[]) => {
    const [at, height] = [list.map(q), list.map(shown)];
    return Float64Array.from({ length: list.length ** 2 }, (_, k) => {
      const [a, b] = [Math.floor(k / list.length), k % list.length];
      const s = lengths.reduce((sum, theta, d) => sum + ((at[a][d] - at[b][d]) / theta) ** 2, 0);
      return delta * delta * height[a] * height[b] * Math.exp(-s / 2);
    });
  };
  const parts: FeaturePart[][] = [];
  const centres = elements.map((_, e): CentreTerms => {
    const angular: AngularTerms[] = [];
    parts[e] = [];
    for (const [a] of elements.entries())
      for (let b = a; b < elements.length; b++) {
        const [one, two] = [symbols[a], symbols[b]];
        const name = `${symbols[e]}:${one}-${two}`;
        const list = points[name];
        if (!list || list.length === 0) continue;
        for (let k = 0; k < list.length; k += POINTS)
          angular.push({ neighbours: [a, b], terms: termsOf(list.slice(k, k + POINTS)), narrow: false });
        parts[e].push({ name: `3b ${name}`, size: list.length, covariance: covarianceOf(list) });
      }
    return { radial: [], angular };
  });
  return withParts(sumDescriptor(elements, symbols, centres, device), parts);
}
