import type { output } from "zod";
import type { Device } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { exp, mul, square, sub, type Expr } from "../../formula/expression.ts";
import { functionOf } from "../../formula/javascript.ts";
import { symbolOf } from "../../structure/elements.ts";
import { pairKey, type PairStatistics } from "../../structure/statistics.ts";
import { array, enum as oneOf, literal, number, record, strictObject, string, union } from "../../zod.ts";
import { cutoff as cutoffFunction, cutoffNames, cutoffs } from "../cutoffs.ts";
import type { Descriptor, DescriptorMethod, FeaturePart } from "../descriptor.ts";
import { r } from "../loops/radial.ts";
import { sumDescriptor, type CentreTerms } from "../loops/sum.ts";
import type { Term } from "../loops/term.ts";
import { digits, reach } from "../reach.ts";
import { withParts } from "./parts.ts";

const positive = number().positive();

export const options = strictObject({
  cutoff: union([literal("auto"), positive])
    .default("auto")
    .meta({ unit: "Å", help: "auto: from the data" }),
  fade: oneOf(cutoffNames).default("cosine").meta({ help: "Cutoff function over the last `width`" }),
  width: positive.default(1).meta({ unit: "Å", help: "The cutoff function falls from cutoff − width on" }),
  size: oneOf(["small", "medium", "large"])
    .optional()
    .meta({ help: "Points that auto makes: 10, 20, 30; medium when left out" }),
  length: union([literal("auto"), positive])
    .default("auto")
    .meta({ unit: "Å", help: "θ of exp(−(r − r_s)²/2θ²); auto: one and a half times the points' spacing" }),
  delta: positive.default(1).meta({ unit: "eV", help: "δ: how large the energy of a pair may be" }),
  points: union([literal("auto"), record(string(), array(positive))])
    .default("auto")
    .meta({
      unit: "Å",
      help: "Representative distances r_s by pair, { Si-Si: [2.1, …] }; auto: even, from the data",
    }),
});

export type Distance2bOptions = output<typeof options>;

/**
 * Two-body kernel of GAP, A. P. Bartók, G. Csányi: DOI 10.1002/qua.24927. Features are the sums that a Gaussian process
 * over pairs needs, G_s = δ² f_c(r_s) Σ_pairs f_c(r) exp(−(r − r_s)²/2θ²): the energy is linear in them.
 */
export const distance2b: DescriptorMethod<Distance2bOptions> = {
  name: "distance-2b",
  summary: "Kernel sums over pairs at representative distances: the two-body term of GAP",
  options,
  resolve,
  build,
};

const COUNTS = { small: 10, medium: 20, large: 30 } as const;

function resolve(
  { size = "medium", ...given }: Distance2bOptions,
  statistics: PairStatistics,
): Distance2bOptions {
  const cutoff = given.cutoff === "auto" ? reach(statistics).radial : given.cutoff;
  const count = COUNTS[size];
  const { elements, shortest } = statistics;
  const pairs = elements.flatMap((a, k) => elements.slice(k).map((b) => [a, b] as const));
  const start = (a: number, b: number) => Math.min(shortest[pairKey(a, b)] ?? cutoff, 0.9 * cutoff);
  const even = (from: number) =>
    Array.from({ length: count }, (_, k) => digits(from + ((k + 0.2) * (cutoff - from)) / count));
  const points =
    given.points === "auto"
      ? Object.fromEntries(
          pairs
            .filter(([a, b]) => (shortest[pairKey(a, b)] ?? Infinity) < cutoff)
            .map(([a, b]) => [`${symbolOf(a)}-${symbolOf(b)}`, even(start(a, b))]),
        )
      : given.points;
  const first = Math.min(...Object.values(points).flat());
  const length = given.length === "auto" ? digits((1.5 * (cutoff - first)) / count) : given.length;
  return { ...given, cutoff, points, length };
}

function build(given: Distance2bOptions, elements: readonly number[], device: Device): Descriptor {
  const { cutoff, points, length, fade, delta } = given;
  if (cutoff === "auto" || points === "auto" || length === "auto")
    throw invalid("distance-2b", "explicit cutoff, length and points (resolve the options first)", given);
  const symbols = elements.map(symbolOf);
  const names = new Set(elements.flatMap((_, a) => elements.map((__, b) => `${symbols[a]}-${symbols[b]}`)));
  const stray = Object.keys(points).find((name) => !names.has(name));
  if (stray !== undefined) throw invalid("distance-2b.points", `pairs of ${symbols.join(", ")}`, stray);
  const fc = (x: Expr | number) =>
    cutoffFunction(fade, sub(x, 0), cutoff, Math.max(0, cutoff - given.width) / cutoff);
  const at = functionOf(fc(r), r.name);
  const edge = { cutoff, smoothness: cutoffs[fade].smoothness };
  const termsOf = (list: readonly number[]): Term[] =>
    list.map((rs) => ({
      factors: [mul(delta * delta * at(rs), fc(r)), exp(mul(-1 / (2 * length * length), square(sub(r, rs))))],
      ...edge,
      label: `2b r=${digits(rs)}`,
    }));
  const parts: FeaturePart[][] = [];
  const centres = elements.map((_, e): CentreTerms => {
    // Every pair belongs to the heavier of its two; like atoms find it twice.
    const own = elements.flatMap((__, s) => {
      if (s > e) return [];
      const list = points[`${symbols[e]}-${symbols[s]}`] ?? points[`${symbols[s]}-${symbols[e]}`];
      return list ? [{ s, list }] : [];
    });
    let first = 0;
    const radial = own.map(({ s, list }) => {
      const columns = list.map((___, k) => first + k);
      first += list.length;
      return { neighbour: s, terms: termsOf(list), target: { columns, weight: s === e ? 0.5 : 1 } };
    });
    const labels = own.flatMap(({ s, list }) => list.map((rs) => `2b ${symbols[s]} r=${digits(rs)}`));
    parts[e] = own.map(({ s, list }) => ({
      name: `2b ${symbols[e]}-${symbols[s]}`,
      size: list.length,
      covariance: Float64Array.from({ length: list.length ** 2 }, (___, k) => {
        const [p, q] = [list[Math.floor(k / list.length)], list[k % list.length]];
        return delta * delta * at(p) * at(q) * Math.exp(-((p - q) ** 2) / (2 * length * length));
      }),
    }));
    return { radial, angular: [], labels };
  });
  return withParts(sumDescriptor(elements, symbols, centres, device), parts);
}
