import { invalid } from "../../error.ts";
import { CubicSpline } from "../../math/cubic-spline.ts";
import { isExpansion } from "../../potentials/expansion.ts";
import { isolatedAtoms } from "../../potentials/isolated-atoms.ts";
import { linearSnap } from "../../potentials/linear-snap.ts";
import { pairTable, tableNames } from "../../potentials/pair-table.ts";
import type { Model, Term } from "../../potentials/potential.ts";
import { symmetricSnap } from "../../potentials/snap-symmetry.ts";
import { zbl } from "../../potentials/zbl.ts";
import { symbolOf } from "../../structure/elements.ts";
import { pairName } from "../../structure/statistics.ts";
import { writeYace } from "../ace/write.ts";
import { writeCoefficients } from "./coefficients.ts";
import type { ElementCoefficients } from "./coefficients.ts";
import { writeParameters } from "./parameters.ts";
import type { Files } from "./script.ts";
import { writeTable } from "./table.ts";

/** A pair style of LAMMPS with its pair_coeff lines, and the files that they name. */
export interface LammpsStyle {
  /** "zbl 4 4.8" */
  readonly style: string;
  /** Types, and what follows the name of the style: ["1 1", "74 74"]. */
  readonly coefficients: readonly (readonly [types: string, args: string])[];
  readonly files: Files;
}

/** What a term is written from. */
export interface LammpsContext {
  /** Atomic number of each type, ascending. */
  readonly elements: readonly number[];
  /** Stem of file names. */
  readonly name: string;
  readonly title: string;
  /** Energies of the isolated atoms, eV; the first style that can carry them takes them and sets them to 0. */
  readonly shifts: Float64Array;
}

/** A potential in LAMMPS's own words. */
export interface LammpsPotential {
  readonly files: Files;
  /** pair_style and pair_coeff lines. */
  readonly commands: readonly string[];
}

type Writer = (term: Term, context: LammpsContext) => LammpsStyle[] | undefined;

/** Each knows some terms; the first one that gives anything counts. */
const WRITERS: readonly Writer[] = [zblStyles, tableStyles, snapStyles, paceStyles];

/** The files and lines of a model; a term that LAMMPS has no style for is an error. Atom types are the elements in their order. */
export function writePotential({ elements, terms }: Model, name: string, title: string): LammpsPotential {
  const shifts = new Float64Array(elements.length);
  const rest = terms.filter((term) => !addShifts(term, elements, shifts));
  const context: LammpsContext = { elements, name, title, shifts };
  const styles = rest.flatMap((term, k) => {
    for (const write of WRITERS) {
      const found = write(term, context);
      if (found) return found;
    }
    const options = term.options as { descriptor?: { name: string }; regressor?: { name: string } };
    const what = options.descriptor
      ? `${options.descriptor.name} with ${options.regressor?.name}`
      : term.type;
    throw invalid(
      `terms[${k}]`,
      "a term that LAMMPS has a pair style for: snap with linear, ace, zbl, pair-table",
      what,
    );
  });
  if (shifts.some((x) => x !== 0))
    throw invalid("isolated-atoms", "a style of LAMMPS that can carry energies of isolated atoms", "none");
  return { files: Object.assign({}, ...styles.map((s) => s.files)) as Files, commands: linesOf(styles) };
}

function addShifts({ type, options }: Term, elements: readonly number[], shifts: Float64Array): boolean {
  if (type !== isolatedAtoms.name) return false;
  const { energies } = isolatedAtoms.options.parse(options);
  elements.forEach((z, e) => (shifts[e] += energies[symbolOf(z)]));
  return true;
}

/** One style stands alone; several are summed by hybrid/overlay, those of one name told apart by numbers. */
function linesOf(styles: readonly LammpsStyle[]): string[] {
  const word = ({ style }: LammpsStyle) => style.split(" ")[0];
  if (styles.length === 1)
    return [
      `pair_style ${styles[0].style}`,
      ...styles[0].coefficients.map(([types, args]) => `pair_coeff ${types} ${args}`),
    ];
  const lines = styles.flatMap((one, k) => {
    const same = styles.filter((other) => word(other) === word(one));
    const number =
      same.length > 1 ? ` ${styles.slice(0, k).filter((o) => word(o) === word(one)).length + 1}` : "";
    return one.coefficients.map(([types, args]) => `pair_coeff ${types} ${word(one)}${number} ${args}`);
  });
  return [`pair_style hybrid/overlay ${styles.map((s) => s.style).join(" ")}`, ...lines];
}

/** Types of a pair of atomic numbers as LAMMPS wants them, the smaller first. */
const typesOf = (pair: string, elements: readonly number[]): string =>
  pair
    .split("-")
    .map((z) => elements.indexOf(Number(z)) + 1)
    .toSorted((a, b) => a - b)
    .join(" ");

/** One style for each pair of radii. */
function zblStyles({ type, options }: Term, { elements }: LammpsContext): LammpsStyle[] | undefined {
  if (type !== zbl.name) return undefined;
  const byRadii = new Map<string, [string, string][]>();
  for (const [pair, radii] of Object.entries(zbl.options.parse(options).pairs)) {
    if (radii === null || pair.split("-").some((z) => !elements.includes(Number(z)))) continue;
    const style = `zbl ${radii.inner} ${radii.outer}`;
    byRadii.set(style, [...(byRadii.get(style) ?? []), [typesOf(pair, elements), pair.replace("-", " ")]]);
  }
  return [...byRadii].map(([style, coefficients]) => ({ style, coefficients, files: {} }));
}

/** Points of a table: the spline that LAMMPS puts through them is then ours to rounding, wherever atoms can be. */
const POINTS = 20000;

function tableStyles(
  { type, options, tensors }: Term,
  { elements, name, title }: LammpsContext,
): LammpsStyle[] | undefined {
  if (type !== pairTable.name) return undefined;
  const style = `table spline ${POINTS}`;
  return Object.entries(pairTable.options.parse(options).pairs).flatMap(([pair, table]) => {
    if (table === null) return [];
    const names = tableNames(pair);
    const spline = new CubicSpline(
      tensors[names.r],
      tensors[names.energy],
      tensors[names.slopes][0],
      tensors[names.slopes][1],
    );
    const keyword = pairName(pair);
    const file = `${name}.${keyword}.table`;
    const text = writeTable(keyword, spline, spline.first, table.cutoff, POINTS, title);
    const args = `${file} ${keyword} ${table.cutoff}`;
    return [{ style, coefficients: [[typesOf(pair, elements), args]], files: { [file]: text } }];
  });
}

function snapStyles(term: Term, { elements, name, title, shifts }: LammpsContext): LammpsStyle[] | undefined {
  const found = linearSnap(term, elements.length);
  if (!found) return undefined;
  const { options, quadratic, coefficients } = symmetricSnap(found);
  // An element without weight and energy is one that the style does not see.
  const silent = (e: number) =>
    !options.chem &&
    options.elements?.[symbolOf(elements[e])]?.weight === 0 &&
    shifts[e] === 0 &&
    coefficients[e].every((x) => x === 0);
  const blocks = elements.flatMap((z, e): ElementCoefficients[] => {
    if (silent(e)) return [];
    const own = coefficients[e].slice();
    if (shifts[e] !== 0) own[0] += shifts[e];
    const symbol = symbolOf(z);
    const { radius = 0.5, weight = 1 } = options.elements?.[symbol] ?? {};
    return [{ symbol, radius, weight, coefficients: own }];
  });
  shifts.fill(0);
  const symbols = blocks.map(({ symbol }) => symbol);
  const files = {
    [`${name}.snapcoeff`]: writeCoefficients(blocks, title),
    [`${name}.snapparam`]: writeParameters(options, quadratic, symbols, title),
  };
  const words = elements.map((z) => (symbols.includes(symbolOf(z)) ? symbolOf(z) : "NULL"));
  const args = `${name}.snapcoeff ${name}.snapparam ${words.join(" ")}`;
  return [{ style: "snap", coefficients: [["* *", args]], files }];
}

/** An atomic cluster expansion, which carries the energies of isolated atoms in its own file. */
function paceStyles(term: Term, { elements, name, shifts }: LammpsContext): LammpsStyle[] | undefined {
  if (!isExpansion(term)) return undefined;
  const symbols = elements.map(symbolOf);
  const energies = Object.fromEntries(symbols.map((symbol, e) => [symbol, shifts[e]]));
  const atoms: Term = { type: isolatedAtoms.name, options: { energies }, tensors: {} };
  const text = writeYace({ elements, terms: [atoms, term], provenance: {} });
  shifts.fill(0);
  const file = `${name}.yace`;
  return [
    { style: "pace", coefficients: [["* *", `${file} ${symbols.join(" ")}`]], files: { [file]: text } },
  ];
}
