import { InputError, invalid } from "../../error.ts";
import { completeCell } from "../../structure/cell.ts";
import { findNumber } from "../../structure/elements.ts";
import type { AtomArray, Frame, InfoValue, Structure } from "../../structure/structure.ts";
import type { ByteStream, Format } from "../format.ts";
import { Problems } from "../format.ts";
import { gunzip } from "../gzip.ts";

/** FitSNAP's JSON: one configuration in a file, units declared, positive stress is pressure. */
export const fitsnapJson: Format = {
  name: "fitsnap",
  summary: "FitSNAP's JSON: one configuration in a file, units declared, stress in bar or kbar",
  extensions: [".json"],
  carries: ["cell", "pbc", "energy", "forces", "stress", "info", "arrays"],
  url: "https://fitsnap.github.io/Run/Run_Input_Files.html",
  statesUnits: true,
  read: readFitsnapJson,
};

/** What FitSNAP calls units, and what they are called here; it compares stresses with those of LAMMPS. */
const UNITS: Readonly<Record<string, string>> = {
  electronvolt: "eV",
  angstrom: "Å",
  electronvoltperangstrom: "eV/Å",
  bar: "LAMMPS bar",
  kbar: "kbar",
  kb: "kbar",
  gpa: "GPa",
  hartree: "Hartree",
  bohr: "bohr",
  hartreeperbohr: "Hartree/bohr",
};

/** Where each declaration of a unit goes; positions and lattice have one unit. */
const STYLES: Readonly<Record<string, string>> = {
  EnergyStyle: "energy_unit",
  PositionsStyle: "length_unit",
  LatticeStyle: "length_unit",
  ForcesStyle: "force_unit",
  StressStyle: "stress_unit",
};

/** The frame (or frames) of a file of FitSNAP, under its own keys; see Format.read. */
export async function* readFitsnapJson(
  bytes: ByteStream,
  file: string,
): AsyncGenerator<Frame, void, undefined> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of gunzip(bytes, file)) text += decoder.decode(piece, { stream: true });
  yield* framesOf(parse(text + decoder.decode(), file), file);
}

type Json = Readonly<Record<string, unknown>>;

/** The JSON below the comment lines at the top, which only FitSNAP allows. */
function parse(text: string, file: string): unknown {
  // Comment lines become empty ones, so that line numbers stay.
  const json = text.replace(/^(\uFEFF?\s*#.*\n)+/, (head) => head.replace(/[^\n]/g, ""));
  try {
    return JSON.parse(json);
  } catch (error) {
    const at = /position (\d+)/.exec((error as Error).message);
    const line = at ? json.slice(0, Number(at[1])).split("\n").length : json.split("\n").length;
    throw invalid(`${file}:${line}`, "JSON", (error as Error).message);
  }
}

const isRecord = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function framesOf(root: unknown, file: string): Frame[] {
  const dataset = isRecord(root) ? root["Dataset"] : undefined;
  const data = isRecord(dataset) ? dataset["Data"] : undefined;
  if (!isRecord(dataset) || !Array.isArray(data))
    throw invalid(file, "FitSNAP's JSON with Dataset.Data", isRecord(root) ? Object.keys(root) : "no object");
  const problems = new Problems();
  const general = generalOf(dataset, file, problems);
  const frames = data.map((entry: unknown, k) => {
    const place = data.length === 1 ? file : `${file} Dataset.Data[${k}]`;
    if (isRecord(entry)) return frameOf(entry, general, place, problems);
    problems.add(place, "an object", JSON.stringify(entry));
    return null;
  });
  problems.raise();
  return frames.filter((frame) => frame !== null);
}

/** What the file says of all its configurations: units, sign, label. */
function generalOf(dataset: Json, file: string, problems: Problems): Record<string, InfoValue> {
  const info: Record<string, InfoValue> = { stress_sign: "pressure" };
  for (const [key, value] of Object.entries(dataset)) {
    const place = `${file} Dataset.${key}`;
    const quantity = STYLES[key];
    if (quantity !== undefined) {
      const unit = UNITS[String(value).toLowerCase()];
      if (unit === undefined) problems.add(place, `one of ${Object.keys(UNITS).join(", ")}`, String(value));
      else if ((info[quantity] ??= unit) !== unit)
        problems.add(place, `the unit of the positions, ${String(info[quantity])}`, String(value));
    } else if (key === "AtomTypeStyle") {
      if (value !== "chemicalsymbol") problems.add(place, "chemicalsymbol", String(value));
    } else if (key !== "Data") info[key] = infoOf(value);
  }
  return info;
}

/** Numbers, texts and lists of them as they are; anything else as JSON. */
const infoOf = (value: unknown): InfoValue =>
  typeof value === "object" && !Array.isArray(value) ? JSON.stringify(value) : (value as InfoValue);

const OWN = new Set(["Positions", "AtomTypes", "Lattice", "NumAtoms"]);

function frameOf(
  entry: Json,
  general: Readonly<Record<string, InfoValue>>,
  place: string,
  problems: Problems,
): Frame | null {
  const before = problems.list.length;
  const structure = structureOf(entry, place, problems);
  if (problems.list.length > before) return null;
  const n = structure.numbers.length;
  const info: Record<string, InfoValue> = { ...general };
  const arrays: Record<string, AtomArray> = {};
  for (const [key, value] of Object.entries(entry)) {
    if (OWN.has(key) || value === null) continue;
    const perAtom = key === "Stress" || key === "Energy" ? null : perAtomOf(value, n);
    if (perAtom) arrays[key] = perAtom;
    else info[key] = infoOf(value);
    if (key === "Forces" && perAtom?.width !== 3)
      problems.add(`${place} Forces`, `three numbers for each of ${n} atoms`, shapeOf(value));
  }
  return { structure, info, arrays, place };
}

function structureOf(entry: Json, place: string, problems: Problems): Structure {
  const symbols = Array.isArray(entry["AtomTypes"]) ? (entry["AtomTypes"] as unknown[]) : [];
  const numbers = symbols.map((symbol) => findNumber(String(symbol)));
  const unknown = numbers.indexOf(undefined);
  if (symbols.length === 0)
    problems.add(`${place} AtomTypes`, "chemical symbols", shapeOf(entry["AtomTypes"]));
  if (unknown >= 0)
    problems.add(`${place} AtomTypes[${unknown}]`, "a chemical symbol", String(symbols[unknown]));
  const n = symbols.length;
  const positions = rowsOf(entry["Positions"], n);
  if (!positions)
    problems.add(`${place} Positions`, `three numbers for each of ${n} atoms`, shapeOf(entry["Positions"]));
  const cell = rowsOf(entry["Lattice"], 3);
  if (!cell) problems.add(`${place} Lattice`, "3 × 3 numbers", shapeOf(entry["Lattice"]));
  const count = entry["NumAtoms"];
  if (count !== undefined && count !== n)
    problems.add(`${place} NumAtoms`, `${n}, as AtomTypes has`, JSON.stringify(count));
  const pbc = [true, true, true] as const;
  if (cell) checkCell(cell, pbc, place, problems);
  return {
    numbers: Uint8Array.from(numbers, (z) => z ?? 0),
    positions: positions ?? new Float64Array(0),
    cell: cell ?? null,
    pbc,
  };
}

function checkCell(cell: Float64Array, pbc: Structure["pbc"], place: string, problems: Problems): void {
  try {
    completeCell(cell, pbc);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    for (const { expected, found } of error.problems) problems.add(`${place} Lattice`, expected, found);
  }
}

/** [n, 3] numbers, flat; undefined where they are something else. */
function rowsOf(value: unknown, n: number): Float64Array | undefined {
  const array = perAtomOf(value, n);
  return array?.width === 3 && array.kind === "real" ? (array.values as Float64Array) : undefined;
}

/** One number, or one row of numbers, or one word for each of n atoms; null where the value is something else. */
function perAtomOf(value: unknown, n: number): AtomArray | null {
  if (!Array.isArray(value) || value.length !== n || n === 0) return null;
  if (value.every((word) => typeof word === "string" && /^[!-~]+$/.test(word)))
    return { kind: "string", width: 1, values: value as string[] };
  const rows = value.map((row: unknown) => (Array.isArray(row) ? (row as unknown[]) : [row]));
  const width = rows[0].length;
  const fits = rows.every((row) => row.length === width && row.every((x) => typeof x === "number"));
  return fits && width > 0
    ? { kind: "real", width, values: Float64Array.from(rows.flat() as number[]) }
    : null;
}

function shapeOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (!Array.isArray(value)) return JSON.stringify(value).slice(0, 60);
  const [first] = value as unknown[];
  return Array.isArray(first)
    ? `${value.length} rows, the first of ${first.length}`
    : `${value.length} values`;
}
