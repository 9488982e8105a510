import { snapTerm } from "../../potentials/linear-snap.ts";
import { pairTable, tableNames } from "../../potentials/pair-table.ts";
import type { Model, Term } from "../../potentials/potential.ts";
import { zbl } from "../../potentials/zbl.ts";
import { ELEMENTS, elementsOf, findNumber, massOf, numberOf, symbolOf } from "../../structure/elements.ts";
import { pairKey, pairName } from "../../structure/statistics.ts";
import { invalid } from "../../error.ts";
import { readAce } from "../ace/read.ts";
import { Problems } from "../format.ts";
import { permuteChemistry } from "./chemistry.ts";
import { readCoefficients } from "./coefficients.ts";
import { LammpsCommands } from "./commands.ts";
import type { PairCoefficients } from "./commands.ts";
import { readParameters, toSnap } from "./parameters.ts";
import { commandsOf } from "./script.ts";
import type { Files } from "./script.ts";
import { inconsistency, readTable } from "./table.ts";

/** A model made of the files of LAMMPS, and what there is to say of them. */
export interface ReadPotential {
  readonly model: Model;
  readonly notes: readonly string[];
}

/** What is known of the lines of an input while they become terms. */
interface Reading {
  readonly commands: LammpsCommands;
  readonly files: Files;
  /** Element of each type. */
  readonly types: readonly string[];
  /** Atomic numbers of the model, ascending. */
  readonly elements: readonly number[];
  readonly notes: string[];
}

/** Terms of the styles that have a counterpart here, in the order in which they are summed. */
const READERS: readonly ((reading: Reading) => Term[])[] = [zblTerms, snapTerms, paceTerms, tableTerms];

/**
 * The model of the pair styles that a LAMMPS input (or a file to include) names. `elements`: the element of each type,
 * for types that neither a snap line nor a mass names.
 */
export function readPotential(file: string, files: Files, elements: readonly string[] = []): ReadPotential {
  const problems = new Problems();
  const commands = new LammpsCommands((place, expected, found) => problems.add(place, expected, found));
  const masses = new Map<number, number>();
  for (const { name, text, place } of commandsOf(file, files, problems)) {
    if (name === "pair_style") commands.pairStyle(text, place);
    else if (name === "pair_coeff") commands.pairCoeff(text, place);
    else if (name === "pair_modify") problems.add(place, "no pair_modify", text);
    else if (name === "units" && text !== "metal") problems.add(place, "units metal", text);
    else if (name === "mass") masses.set(...numbersOf(text));
  }
  if (commands.styles.length === 0) problems.add(file, "a pair_style", "none");
  problems.raise();
  const types = typesOf(commands, elements, masses, file);
  const reading: Reading = {
    commands,
    files,
    types,
    elements: elementsOf(types.map(numberOf)),
    notes: [],
  };
  const terms = READERS.flatMap((read) => read(reading));
  problems.raise();
  if (terms.length === 0) throw invalid(file, "a potential in its pair_coeff lines", "none");
  return {
    model: { elements: reading.elements, terms, provenance: { from: "LAMMPS" } },
    notes: reading.notes,
  };
}

/** The model of a `.snapcoeff` and its `.snapparam`. */
export function readSnap(coefficients: string, parameters: string, files: Files): ReadPotential {
  const elements = readCoefficients(textOf(files, coefficients, coefficients), coefficients);
  const line = `pair_coeff * * ${coefficients} ${parameters} ${elements.map((e) => e.symbol).join(" ")}`;
  return readPotential("input", { ...files, input: `pair_style snap\n${line}\n` });
}

const numbersOf = (text: string): [number, number] => {
  const [type, mass] = text.split(/\s+/).map(Number);
  return [type, mass];
};

function textOf(files: Files, name: string, place: string): string {
  const text = files[name];
  if (text === undefined) throw invalid(place, `the file ${name}`, "none of that name");
  return text;
}

/** Styles that name elements, with the number of files that they name before. */
const NAMING: Readonly<Record<string, number>> = { snap: 2, pace: 1 };

/** Elements that the words after the file names give to the types; NULL where none. */
const namesOf = ({ args, style }: PairCoefficients): readonly string[] => args.slice(NAMING[style.name]);

function typesOf(
  commands: LammpsCommands,
  given: readonly string[],
  masses: ReadonlyMap<number, number>,
  file: string,
): string[] {
  const lists = Object.keys(NAMING).flatMap((name) => commands.linesOf(name).map(namesOf));
  const count = Math.max(given.length, ...lists.map((l) => l.length), ...masses.keys());
  if (!(count > 0)) throw invalid(file, "the element of each type (--elements W,He)", "none");
  return Array.from({ length: count }, (_, t) => {
    const named = lists.map((list) => list[t]).filter((name) => name !== undefined && name !== "NULL");
    const known = new Set([...named, ...(given[t] === undefined ? [] : [given[t]])]);
    const mass = masses.get(t + 1);
    const [symbol = mass === undefined ? undefined : elementOfMass(mass)] = known;
    if (known.size > 1) throw invalid(`${file} type ${t + 1}`, "one element", [...known].join(", "));
    if (symbol === undefined || findNumber(symbol) === undefined)
      throw invalid(`${file} type ${t + 1}`, "a chemical symbol (--elements W,He)", symbol ?? "none");
    return symbol;
  });
}

function elementOfMass(mass: number): string | undefined {
  for (let z = 1; z <= ELEMENTS; z++) if (Math.abs(massOf(z) / mass - 1) < 1e-3) return symbolOf(z);
  return undefined;
}

function zblTerms({ commands, types }: Reading): Term[] {
  const options = commands.zbl(types);
  return options ? [{ type: zbl.name, options, tensors: {} }] : [];
}

function snapTerms({ commands, files, types, elements, notes }: Reading): Term[] {
  return commands.linesOf("snap").map((line) => {
    const [coefficients, parameters] = line.args;
    const blocks = readCoefficients(textOf(files, coefficients, line.place), coefficients);
    const settings = readParameters(textOf(files, parameters, line.place), parameters);
    const order = [...new Set(namesOf(line).filter((name) => name !== "NULL"))];
    const own = order.map((symbol) => {
      const block = blocks.find((b) => b.symbol === symbol);
      if (!block)
        throw invalid(
          coefficients,
          `coefficients of ${symbol}`,
          blocks.map((b) => b.symbol),
        );
      return block;
    });
    if (namesOf(line).length !== types.length)
      throw invalid(line.place, `an element or NULL for each of ${types.length} types`, namesOf(line).length);
    const unseen = elements.filter((z) => !order.includes(symbolOf(z)));
    if (unseen.length > 0 && settings.chemflag)
      throw invalid(line.place, "no NULL with chemflag 1", unseen.map(symbolOf));
    const left = blocks.filter((b) => !order.includes(b.symbol)).map((b) => b.symbol);
    if (left.length > 0) notes.push(`${coefficients}: ${left.join(", ")} not used by ${line.place}`);
    // Elements that the style does not see weigh nothing and have no energy.
    const silent = unseen.map((z) => ({ symbol: symbolOf(z), radius: 0.5, weight: 0 }));
    const snap = toSnap(settings, [...own, ...silent], parameters, own.length);
    const count = own[0].coefficients.length;
    const found = elements.map(
      (z) => own.find((b) => b.symbol === symbolOf(z))?.coefficients ?? new Float64Array(count),
    );
    const size = settings.chemflag ? order.length : 1;
    const permuted = permuteChemistry(found, size, order.map(numberOf), settings.quadraticflag);
    return snapTerm({ options: snap, quadratic: settings.quadraticflag, coefficients: permuted });
  });
}

function paceTerms({ commands, files, types, elements }: Reading): Term[] {
  return commands.linesOf("pace").flatMap((line) => {
    const [file] = line.args;
    const model = readAce(textOf(files, file, line.place), file);
    const seen = elementsOf(namesOf(line).map((name, t) => (name === "NULL" ? 0 : numberOf(types[t]))));
    if (seen.join() !== model.elements.join() || seen.join() !== elements.join())
      throw invalid(
        line.place,
        `the elements ${model.elements.map(symbolOf).join(", ")}, all of them`,
        namesOf(line),
      );
    return [...model.terms];
  });
}

function tableTerms({ commands, files, types, elements, notes }: Reading): Term[] {
  const lines = commands.linesOf("table");
  if (lines.length === 0) return [];
  const pairs: Record<string, { cutoff: number } | null> = {};
  const tensors: Record<string, Float64Array> = {};
  for (const a of elements) for (const b of elements) pairs[pairKey(a, b)] = null;
  for (const line of lines) {
    const [file, keyword, cut] = line.args;
    const table = readTable(textOf(files, file, line.place), keyword, file);
    const last = table.r.length - 1;
    for (const [i, j] of commands.pairs(line, types.length)) {
      const key = pairKey(numberOf(types[i]), numberOf(types[j]));
      const names = tableNames(key);
      pairs[key] = { cutoff: cut === undefined ? table.r[last] : Number(cut) };
      tensors[names.r] = table.r;
      tensors[names.energy] = table.energy;
      tensors[names.slopes] = Float64Array.of(-table.force[0], -table.force[last]);
      const { error, r } = inconsistency(table);
      if (error > 1e-3)
        notes.push(
          `${file} ${keyword}: for ${pairName(key)} forces are the slope of the energies, which at ${r.toFixed(3)} Å is ${(100 * error).toPrecision(2)} % off the table's own forces`,
        );
    }
  }
  return [{ type: pairTable.name, options: { pairs }, tensors }];
}
