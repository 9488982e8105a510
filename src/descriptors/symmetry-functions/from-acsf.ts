import { invalid } from "../../error.ts";
import { symbolOf } from "../../structure/elements.ts";
import { elementPairs } from "../acsf/acsf.ts";
import type { AcsfOptions } from "../acsf/options.ts";
import { neighbourhoodOf } from "../neighbourhoods.ts";
import type { SymmetryFunction, SymmetryFunctionsOptions } from "./options.ts";

/** The functions of resolved acsf options, element by element, in the order of acsf's features. */
export function fromAcsf(
  { cutoff, radial, angular, convention, neighbours }: AcsfOptions,
  elements: readonly number[],
): SymmetryFunctionsOptions & { functions: NonNullable<SymmetryFunctionsOptions["functions"]> } {
  if (cutoff.radius === "auto" || !radial || !angular)
    throw invalid(
      "acsf",
      "explicit cutoff, radial and angular functions (resolve the options first)",
      cutoff,
    );
  const symbols = elements.map(symbolOf);
  const listOf = (e: number): SymmetryFunction[] => {
    const sees = neighbourhoodOf(neighbours, elements, e, "acsf.neighbours");
    const one = symbols.filter((_, a) => sees.radial(a));
    const two = elementPairs(elements.length, convention).filter(([a, b]) => sees.angular(a, b));
    return [
      ...one.flatMap((neighbour) => radial.map((f): SymmetryFunction => ({ ...f, neighbour }))),
      ...two.flatMap(([a, b]) =>
        angular.map((f): SymmetryFunction => ({ ...f, neighbours: [symbols[a], symbols[b]] })),
      ),
    ];
  };
  return {
    cutoff: { ...cutoff, radius: cutoff.radius },
    functions: Object.fromEntries(symbols.map((s, e) => [s, listOf(e)])),
  };
}
