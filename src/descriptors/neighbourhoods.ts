import type { output } from "zod";
import { invalid } from "../error.ts";
import { numberOf, symbolOf } from "../structure/elements.ts";
import { pairKey, tripletKey } from "../structure/statistics.ts";
import type { PairStatistics } from "../structure/statistics.ts";
import { array, literal, record, string, union } from "../zod.ts";

/** The option that says which elements, and which pairs of elements, each centre has functions for. */
export const neighbourhoods = union([literal("all"), record(string(), array(string()))])
  .optional()
  .meta({
    help: "Elements and pairs of elements (C, C-H) that each centre has functions for; left out, a fit takes those that occur in its data, a model all",
  });

/** "all", or by symbol of the centre: symbols and pairs of symbols. */
export type Neighbourhoods = output<typeof neighbourhoods>;

/**
 * The neighbourhoods that occur in the data within the cutoffs (Å) of radial and of angular functions. Functions of
 * others would be 0 for every atom; a network multiplies such features by 0 and they cost as much as any other. "all"
 * where nothing can be left out, and where the statistics reach less far than the functions.
 */
export function occurring(statistics: PairStatistics, radial: number, angular: number): Neighbourhoods {
  const { elements, cutoff, shortest, triplets } = statistics;
  if (Math.max(radial, angular) > cutoff) return "all";
  const pairs = elements.flatMap((a, k) => elements.slice(k).map((b) => [a, b] as const));
  const found = elements.map((centre) => [
    ...elements.filter((z) => shortest[pairKey(centre, z)] < radial).map(symbolOf),
    ...pairs.filter(([a, b]) => triplets[tripletKey(centre, a, b)] < angular).map(nameOf),
  ]);
  const most = elements.length + pairs.length;
  if (found.every((list) => list.length === most)) return "all";
  // An atom that is always alone still needs a feature.
  const known = elements.flatMap((centre, e) =>
    found[e].length > 0 ? [[symbolOf(centre), found[e]] as const] : [],
  );
  return Object.fromEntries(known);
}

const nameOf = ([a, b]: readonly [number, number]): string => `${symbolOf(a)}-${symbolOf(b)}`;

/** Which neighbours (element indices) the centre of index e has functions for; `place` names the option in errors. */
export function neighbourhoodOf(
  given: Neighbourhoods,
  elements: readonly number[],
  e: number,
  place: string,
): { radial: (neighbour: number) => boolean; angular: (a: number, b: number) => boolean } {
  const symbols = elements.map(symbolOf);
  if (given === undefined || given === "all") return { radial: () => true, angular: () => true };
  const strangers = Object.keys(given).filter((symbol) => !symbols.includes(symbol));
  if (strangers.length > 0) throw invalid(place, `lists of ${symbols.join(", ")}`, strangers.join(", "));
  const list = given[symbols[e]];
  if (!list) return { radial: () => true, angular: () => true };
  const known = new Set(list.map((entry) => keyOf(entry, symbols, `${place}.${symbols[e]}`)));
  return {
    radial: (a) => known.has(String(elements[a])),
    angular: (a, b) => known.has(pairKey(elements[a], elements[b])),
  };
}

/** "C" → "6", "H-C" → "1-6". */
function keyOf(entry: string, symbols: readonly string[], place: string): string {
  const parts = entry.split("-");
  if (parts.length > 2 || !parts.every((part) => symbols.includes(part)))
    throw invalid(place, `one or two of ${symbols.join(", ")}, joined by -`, entry);
  const [a, b] = parts.map(numberOf);
  return b === undefined ? String(a) : pairKey(a, b);
}
