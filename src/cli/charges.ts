import type { Command } from "commander";
import { invalid } from "../error.ts";
import { buildTerm } from "../potentials/build.ts";
import type { Term } from "../potentials/potential.ts";
import { sum } from "../potentials/sum.ts";
import { elementsOf, findNumber } from "../structure/elements.ts";
import type { Frame } from "../structure/structure.ts";
import { hashOf } from "./engine.ts";
import type { Engine } from "./engine.ts";

/** What `withCharges` asks for. */
export interface ChargesFlag {
  readonly charges?: string;
}

/** Adds --charges to a command that has a use for a dipole. */
export const withCharges = (command: Command): Command =>
  command.option(
    "--charges <what>",
    "fixed point charges (e) that give a dipole: O=-0.82,H=0.41, or the name of a column of the structure file",
  );

/** The term of the potentials' table that the flag asks for. */
export function chargesTerm(text: string, { arrays, place }: Frame): Term {
  return { type: "charges", options: { charges: chargesOf(text, arrays, place) }, tensors: {} };
}

function chargesOf(text: string, arrays: Frame["arrays"], place: string): number[] | Record<string, number> {
  const column = arrays[text];
  if (column) {
    if (column.width === 1 && (column.kind === "real" || column.kind === "integer"))
      return Array.from(column.values as ArrayLike<number>);
    throw invalid(
      place,
      `one number for each atom in the column ${text}`,
      `${column.kind} × ${column.width}`,
    );
  }
  const pairs = text.split(",").map((word) => word.split("="));
  const known = pairs.every(
    ([symbol, q, more]) =>
      findNumber(symbol) !== undefined && q && Number.isFinite(Number(q)) && more === undefined,
  );
  if (known) return Object.fromEntries(pairs.map(([symbol, q]) => [symbol, Number(q)]));
  const columns = Object.keys(arrays);
  throw invalid(
    "--charges",
    `charges as in O=-0.82,H=0.41, or a column of ${place} (${columns.length ? columns.join(", ") : "it has none"})`,
    text,
  );
}

/** The engine with these charges added to its model, if any are given. */
export function withChargesOf(engine: Engine, { charges }: ChargesFlag, frame: Frame): Engine {
  if (charges === undefined) return engine;
  const { model, potential, device, program } = engine;
  if (potential.dipole === true)
    throw invalid("--charges", "a model without a dipole of its own", "one that tells one");
  const term = chargesTerm(charges, frame);
  const elements = program ? elementsOf(frame.structure.numbers) : model.elements;
  return {
    ...engine,
    // A run that goes on must have the same.
    hash: hashOf(`${engine.hash} ${JSON.stringify(term.options)}`),
    model: { ...model, terms: [...model.terms, term] },
    potential: sum(...potential.parts, buildTerm(term, elements, device)),
  };
}
