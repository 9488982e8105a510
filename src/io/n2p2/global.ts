import { invalid } from "../../error.ts";
import { symbolOf } from "../../structure/elements.ts";
import { NEIGHBOURS, parseFunction } from "./functions.ts";
import type { FunctionLine } from "./functions.ts";
import type { Setting, Settings } from "./settings.ts";

/**
 * RuNNer's lines for many functions at once, with the element index of the centre: global_symfunction_short for every
 * centre, element_symfunction_short for one, both for every neighbour or pair of neighbours.
 */
export function expandGlobal(settings: Settings, elements: readonly number[]): [number, FunctionLine][] {
  const symbols = elements.map(symbolOf);
  const expand = (line: Setting, words: readonly string[], centres: readonly number[]) =>
    neighboursOf(Number(words[0]), symbols).flatMap((named) => {
      const f = parseFunction([words[0], ...named, ...words.slice(1)], line);
      return centres.map((e): [number, FunctionLine] => [e, f]);
    });
  const ofElement = (line: Setting) => {
    const e = symbols.indexOf(line.words[0]);
    if (e < 0) throw invalid(line.place, `one of ${symbols.join(", ")}`, line.words.join(" "));
    return expand(line, line.words.slice(1), [e]);
  };
  return [
    ...settings
      .all("global_symfunction_short")
      .flatMap((line) => expand(line, line.words, [...elements.keys()])),
    ...settings.all("element_symfunction_short").flatMap(ofElement),
  ];
}

/** Neighbour elements, or pairs of them, that a function of a type can have. */
function neighboursOf(type: number, symbols: readonly string[]): string[][] {
  const count = NEIGHBOURS[type] ?? 0;
  if (count === 0) return [[]];
  if (count === 1) return symbols.map((s) => [s]);
  return symbols.flatMap((s, a) => symbols.slice(a).map((t) => [s, t]));
}
