import type { Device } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { symbolOf } from "../../structure/elements.ts";
import type { PairStatistics } from "../../structure/statistics.ts";
import type { Descriptor, DescriptorMethod } from "../descriptor.ts";
import { sumDescriptor } from "../loops/sum.ts";
import type { AngularTerms } from "../loops/sum.ts";
import type { Term } from "../loops/term.ts";
import { neighbourhoodOf, occurring } from "../neighbourhoods.ts";
import { reach } from "../reach.ts";
import { autoAngular, autoRadial, gastegger, radialGrid } from "./grids.ts";
import { options } from "./options.ts";
import type { AcsfOptions } from "./options.ts";
import { angularTerm, radialTerm } from "./terms.ts";
import type { CutoffChoice } from "./terms.ts";

/** Atom-centred symmetry functions, Behler 2011: DOI 10.1063/1.3553717. */
export const acsf: DescriptorMethod<AcsfOptions> = {
  name: "acsf",
  summary: "Atom-centred symmetry functions G1–G5, resolved by element (Behler 2011)",
  options,
  resolve,
  build,
};

function resolve(given: AcsfOptions, statistics: PairStatistics): AcsfOptions {
  const { size = "medium", grid, ...rest } = given;
  const range = reach(statistics);
  const rc = given.cutoff.radius === "auto" ? range.radial : given.cutoff.radius;
  const makeRadial = () =>
    grid && grid.radial !== "auto" ? radialGrid(grid.radial, rc) : autoRadial(size, range, rc);
  const makeAngular = () =>
    grid && grid.angular !== "auto"
      ? gastegger(grid.angular, rc)
      : autoAngular(size, range, rc, given.cutoff.type);
  const radial = given.radial ?? makeRadial();
  const angular = given.angular ?? makeAngular();
  const neighbours = given.neighbours ?? occurring(statistics, longest(radial, rc), longest(angular, rc));
  return { ...rest, cutoff: { ...given.cutoff, radius: rc }, radial, angular, neighbours };
}

/** Largest cutoff of functions of which some have one of their own, Å. */
const longest = (functions: readonly { cutoff?: { radius: number } }[], rc: number): number =>
  functions.reduce((most, f) => Math.max(most, f.cutoff?.radius ?? rc), 0);

function build(given: AcsfOptions, elements: readonly number[], device: Device): Descriptor {
  const { radial, angular, convention } = given;
  const { type, radius } = given.cutoff;
  if (radius === "auto" || !radial || !angular)
    throw invalid("acsf", "explicit cutoff, radial and angular functions (resolve the options first)", given);
  const choice: CutoffChoice = { type, radius };
  const radialTerms = radial.map((f) => radialTerm(f, f.cutoff ?? choice));
  const angularRuns = runs(
    angular.map((f) => ({ narrow: f.type === "G4", term: angularTerm(f, f.cutoff ?? choice) })),
  );
  const neighbours = [...elements.keys()];
  const centres = neighbours.map((e) => {
    const sees = neighbourhoodOf(given.neighbours, elements, e, "acsf.neighbours");
    return {
      radial:
        radialTerms.length > 0
          ? neighbours.filter(sees.radial).map((neighbour) => ({ neighbour, terms: radialTerms }))
          : [],
      angular: elementPairs(neighbours.length, convention)
        .filter(([a, b]) => sees.angular(a, b))
        .flatMap((pair) => angularRuns.map((run): AngularTerms => ({ neighbours: pair, ...run }))),
    };
  });
  return sumDescriptor(elements, elements.map(symbolOf), centres, device);
}

/** Neighbouring functions of the same reach, which can share a loop: the order of the features stays the list's. */
function runs(functions: readonly { narrow: boolean; term: Term }[]): { narrow: boolean; terms: Term[] }[] {
  const found: { narrow: boolean; terms: Term[] }[] = [];
  for (const { narrow, term } of functions) {
    const last = found.at(-1);
    if (last && last.narrow === narrow && last.terms[0].cutoff === term.cutoff) last.terms.push(term);
    else found.push({ narrow, terms: [term] });
  }
  return found;
}

/** Pairs a ≤ b of element indices in the order of the convention. */
export function elementPairs(S: number, convention: AcsfOptions["convention"]): [number, number][] {
  const pairs: [number, number][] = [];
  for (let a = 0; a < S; a++) for (let b = a; b < S; b++) pairs.push([a, b]);
  return convention === "behler" ? pairs : pairs.toSorted((p, q) => p[1] - q[1] || p[0] - q[0]);
}
