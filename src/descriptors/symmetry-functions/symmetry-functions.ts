import type { Device } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { numberOf, symbolOf } from "../../structure/elements.ts";
import type { PairStatistics } from "../../structure/statistics.ts";
import { acsf } from "../acsf/acsf.ts";
import type { AcsfOptions } from "../acsf/options.ts";
import type { CutoffChoice } from "../acsf/terms.ts";
import type { Descriptor, DescriptorMethod } from "../descriptor.ts";
import { sumDescriptor } from "../loops/sum.ts";
import type { AngularTerms, CentreTerms, RadialTerms } from "../loops/sum.ts";
import type { Term } from "../loops/term.ts";
import { fromAcsf } from "./from-acsf.ts";
import { options } from "./options.ts";
import type { SymmetryFunction, SymmetryFunctionsOptions } from "./options.ts";
import { angularOf, isNarrow, isRadial, radialOf } from "./terms.ts";

/**
 * Symmetry functions listed for each centre element: Behler 2011, DOI 10.1063/1.3553717; weighted by atomic numbers:
 * Gastegger 2018, DOI 10.1063/1.5019667; with compact support: Bircher 2021, DOI 10.1088/2632-2153/abf817.
 */
export const symmetryFunctions: DescriptorMethod<SymmetryFunctionsOptions> = {
  name: "symmetry-functions",
  summary: "Symmetry functions listed element by element: all those of n2p2 and RuNNer",
  options,
  resolve,
  build,
};

function resolve(given: SymmetryFunctionsOptions, statistics: PairStatistics): SymmetryFunctionsOptions {
  const { size, functions, cutoff } = given;
  const { type, radius } = cutoff;
  const set = acsf.resolve(acsf.options.parse({ size, cutoff: { type, radius } }), statistics);
  const resolved = set as AcsfOptions & { cutoff: { radius: number } };
  return {
    cutoff: { ...cutoff, radius: resolved.cutoff.radius },
    functions: functions ?? fromAcsf(resolved, statistics.elements).functions,
  };
}

/** Terms that one block can take, and the columns they go to. */
interface Group {
  readonly targets: readonly { readonly neighbours: readonly number[]; readonly weight: number }[];
  readonly narrow: boolean;
  readonly functions: SymmetryFunction[];
  readonly terms: Term[];
  readonly columns: number[];
}

function build(given: SymmetryFunctionsOptions, elements: readonly number[], device: Device): Descriptor {
  const { cutoff, functions } = given;
  if (cutoff.radius === "auto" || !functions)
    throw invalid(
      "symmetry-functions",
      "an explicit cutoff and functions (resolve the options first)",
      given,
    );
  const common: CutoffChoice = { ...cutoff, radius: cutoff.radius };
  const symbols = elements.map(symbolOf);
  const strangers = Object.keys(functions).filter((s) => !symbols.includes(s));
  if (strangers.length > 0)
    throw invalid("symmetry-functions.functions", `lists of ${symbols.join(", ")}`, strangers.join(", "));
  const shared = new Map<string, Term[]>();
  const centres = symbols.map((symbol) =>
    centreOf(functions[symbol] ?? [], symbol, common, elements, shared),
  );
  return sumDescriptor(elements, symbols, centres, device);
}

/** `shared`: lists of terms by content, so that equal lists are compiled once. */
function centreOf(
  functions: readonly SymmetryFunction[],
  symbol: string,
  common: CutoffChoice,
  elements: readonly number[],
  shared: Map<string, Term[]>,
): CentreTerms {
  const groups = new Map<string, Group>();
  const labels: string[] = [];
  for (const [column, f] of functions.entries()) {
    const place = `symmetry-functions.functions.${symbol}[${column}]`;
    const term = isRadial(f) ? radialOf(f, common, place) : angularOf(f, common, place);
    const targets = targetsOf(f, elements, place);
    const narrow = !isRadial(f) && isNarrow(f);
    const key = JSON.stringify([isRadial(f), narrow, term.cutoff, targets]);
    const group = groups.get(key) ?? { targets, narrow, functions: [], terms: [], columns: [] };
    groups.set(key, group);
    group.functions.push(f);
    group.terms.push(term);
    group.columns.push(column);
    labels.push(`${term.label} ${neighboursOf(f)?.join("-") ?? "all·Z"}`);
  }
  const radial: RadialTerms[] = [];
  const angular: AngularTerms[] = [];
  for (const { targets, narrow, functions: own, terms, columns } of groups.values()) {
    const key = JSON.stringify(own.map((f) => ({ ...f, neighbour: 0, neighbours: 0 })));
    const list = shared.get(key) ?? terms;
    shared.set(key, list);
    for (const { neighbours, weight } of targets) {
      const target = { columns, weight };
      const [a, b] = neighbours;
      if (b === undefined) radial.push({ neighbour: a, terms: list, target });
      else angular.push({ neighbours: [a, b], terms: list, narrow, target });
    }
  }
  return { radial, angular, labels };
}

/** Symbols of the neighbours a function is of; undefined when it is of all. */
const neighboursOf = (f: SymmetryFunction): readonly string[] | undefined =>
  isRadial(f) ? (f.neighbour === undefined ? undefined : [f.neighbour]) : f.neighbours;

/** Element indices of the neighbours that a function sums over, with their weights. */
function targetsOf(f: SymmetryFunction, elements: readonly number[], place: string): Group["targets"] {
  const named = neighboursOf(f);
  if (named) {
    const neighbours = named.map((s) => elements.indexOf(numberOf(s))).toSorted((a, b) => a - b);
    if (neighbours[0] >= 0) return [{ neighbours, weight: 1 }];
    throw invalid(
      `${place} neighbours`,
      `elements of the model (${elements.map(symbolOf).join(", ")})`,
      named,
    );
  }
  const all = elements.map((z, a) => ({ neighbours: [a], weight: z }));
  if (isRadial(f)) return all;
  return all.flatMap(({ neighbours: [a] }) =>
    elements.slice(a).map((z, d) => ({ neighbours: [a, a + d], weight: elements[a] * z })),
  );
}
