import { InputError, invalid } from "../../error.ts";
import { cellFromParameters, fromFractional } from "../../structure/cell.ts";
import { findNumber } from "../../structure/elements.ts";
import type { Frame } from "../../structure/structure.ts";
import { Problems } from "../format.ts";
import type { ByteStream, Format } from "../format.ts";
import { allLines } from "../lines.ts";
import { numberFrom } from "../number.ts";
import { imageOf, operationOf } from "./symmetry.ts";
import type { Operation } from "./symmetry.ts";
import { blocksOf } from "./tokens.ts";
import type { CifBlock, CifValue } from "./tokens.ts";

/** Crystallographic Information File: crystals with all atoms that the symmetry operations make of the listed ones. */
export const cif: Format = {
  name: "cif",
  summary: "CIF: crystals, symmetry applied; atoms with occupancy below 1 are refused",
  extensions: [".cif"],
  carries: ["cell", "pbc"],
  url: "https://www.iucr.org/resources/cif/spec/version1.1",
  statesUnits: true,
  read: readCif,
};

/** One frame for each block that has a cell; blocks without one (of a publication, say) hold no structure. */
async function* readCif(bytes: ByteStream, file: string): AsyncGenerator<Frame, void, undefined> {
  const blocks = blocksOf(await allLines(bytes, file), file).filter(({ values }) =>
    values.has("_cell_length_a"),
  );
  if (blocks.length === 0) throw invalid(file, "a block with _cell_length_a", "none");
  for (const block of blocks) yield frameOf(block, file);
}

function frameOf(block: CifBlock, file: string): Frame {
  const problems = new Problems();
  const place = `${file}:${block.line}`;
  /** A number, its uncertainty aside: 5.4310(2). */
  const numberOf = (value: CifValue | undefined, what: string): number => {
    const x = numberFrom((value?.text ?? "").replace(/\(\d+\)$/, ""));
    if (x !== undefined && Number.isFinite(x)) return x;
    problems.add(
      value ? `${file}:${value.line}` : place,
      `a number for ${what}`,
      `"${value?.text ?? "none"}"`,
    );
    return 0;
  };
  const one = (tag: string) => numberOf(block.values.get(tag)?.[0], tag);
  const lengths = ["a", "b", "c"].map((k) => one(`_cell_length_${k}`));
  const angles = ["alpha", "beta", "gamma"].map((k) => one(`_cell_angle_${k}`));
  const operations = operationsOf(block, file, problems);
  const sites = sitesOf(block, file, problems, numberOf);
  problems.raise();
  const cell = cellOf(lengths, angles, place);
  const numbers: number[] = [];
  const fractions: number[] = [];
  for (const { z, f } of sites)
    for (const image of orbit(f, operations, cell)) {
      numbers.push(z);
      fractions.push(...image);
    }
  return {
    structure: {
      numbers: Uint8Array.from(numbers),
      positions: fromFractional(fractions, cell),
      cell,
      pbc: [true, true, true],
    },
    info: block.name === "" ? {} : { comment: block.name },
    arrays: {},
    place,
  };
}

function cellOf(lengths: readonly number[], angles: readonly number[], place: string): Float64Array {
  try {
    return cellFromParameters(lengths, angles);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const [{ expected, found }] = error.problems;
    throw invalid(`${place} cell`, expected, found);
  }
}

const OPERATIONS = [
  "_space_group_symop_operation_xyz",
  "_space_group_symop.operation_xyz",
  "_symmetry_equiv_pos_as_xyz",
];
const GROUPS = [
  "_space_group_name_h-m_alt",
  "_symmetry_space_group_name_h-m",
  "_space_group_it_number",
  "_symmetry_int_tables_number",
];

/** The operations listed; a file without any has to be of group P1. */
function operationsOf({ values, line }: CifBlock, file: string, problems: Problems): Operation[] {
  const listed = OPERATIONS.map((tag) => values.get(tag)).find((found) => found !== undefined);
  if (!listed) {
    const group = GROUPS.map((tag) => values.get(tag)?.[0].text).find(
      (text) => text !== undefined && !/^[?.]$/.test(text),
    );
    if (group !== undefined && !/^(p\s*1|1)$/i.test(group.trim()))
      problems.add(
        `${file}:${line}`,
        "the symmetry operations (_symmetry_equiv_pos_as_xyz)",
        `the group's name alone, "${group}"`,
      );
    return [operationOf("x,y,z")!];
  }
  return listed.flatMap(({ text, line: at }) => {
    const operation = operationOf(text);
    if (operation) return [operation];
    problems.add(`${file}:${at}`, "a symmetry operation such as -x,y+1/2,z", `"${text}"`);
    return [];
  });
}

interface Site {
  readonly z: number;
  readonly f: readonly number[];
}

function sitesOf(
  { values, line }: CifBlock,
  file: string,
  problems: Problems,
  numberOf: (value: CifValue | undefined, what: string) => number,
): Site[] {
  const columns = ["x", "y", "z"].map((k) => values.get(`_atom_site_fract_${k}`));
  const types = values.get("_atom_site_type_symbol");
  const symbols = types ?? values.get("_atom_site_label");
  if (!symbols || columns.includes(undefined)) {
    problems.add(`${file}:${line}`, "a loop of _atom_site_fract_x, y, z and _atom_site_type_symbol", "none");
    return [];
  }
  return symbols.map((symbol, i) => {
    const where = `${file}:${symbol.line}`;
    const z = types ? elementOfType(symbol.text) : elementOfLabel(symbol.text);
    if (z === undefined)
      problems.add(
        where,
        types ? "a chemical symbol" : "one element in a label, or _atom_site_type_symbol",
        `"${symbol.text}"`,
      );
    const occupancy = values.get("_atom_site_occupancy")?.[i];
    if (
      occupancy &&
      !/^[?.]$/.test(occupancy.text) &&
      Math.abs(numberOf(occupancy, "the occupancy") - 1) > 1e-6
    )
      problems.add(where, "occupancy 1: a structure has an atom or not", occupancy.text);
    return { z: z ?? 0, f: columns.map((column) => numberOf(column![i], "a fractional coordinate")) };
  });
}

/** "Fe3+", "FE", "O2-": a symbol and a charge. */
function elementOfType(text: string): number | undefined {
  const [, letters = ""] = /^([A-Za-z]{1,2})\d*[+-]?\d*$/.exec(text) ?? [];
  return findNumber(letters.charAt(0).toUpperCase() + letters.slice(1).toLowerCase());
}

/** "Fe12A", "OW1": the symbol with which a label begins; none where capitals could be two, as in CA1. */
function elementOfLabel(text: string): number | undefined {
  const [first = "", second = ""] =
    /^([A-Za-z])([A-Za-z])?/
      .exec(text)
      ?.slice(1)
      .map((x) => x ?? "") ?? [];
  const one = findNumber(first.toUpperCase());
  const two = second === "" ? undefined : findNumber(first.toUpperCase() + second.toLowerCase());
  if (second === second.toLowerCase()) return second === "" ? one : two;
  return one !== undefined && two !== undefined ? undefined : (one ?? two);
}

/** Images closer than this are one atom on a special position: coordinates are rounded to 3 to 5 digits, atoms are not so close. */
const SAME = 0.1;

/** The places to which the operations bring a site, each once; fractional. */
function orbit(f: readonly number[], operations: readonly Operation[], cell: Float64Array): number[][] {
  const found: number[][] = [];
  for (const operation of operations) {
    const image = imageOf(operation, f);
    const known = found.some((other) => {
      const d = fromFractional(
        image.map((x, k) => x - other[k] - Math.round(x - other[k])),
        cell,
      );
      return d[0] ** 2 + d[1] ** 2 + d[2] ** 2 < SAME ** 2;
    });
    if (!known) found.push(image);
  }
  return found;
}
