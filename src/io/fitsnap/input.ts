import type { AceOptions } from "../../descriptors/ace/options.ts";
import type { SnapOptions } from "../../descriptors/snap/options.ts";
import { findNumber } from "../../structure/elements.ts";
import type { ZblOptions } from "../../potentials/zbl.ts";
import { Problems } from "../format.ts";
import { LammpsCommands } from "../lammps/commands.ts";
import { aceOf } from "./ace.ts";
import { readGroups } from "./groups.ts";
import type { Group } from "./groups.ts";
import { readIni, Section } from "./ini.ts";

/** What an input file of FitSNAP asks for, in our words. */
export interface FitsnapInput {
  readonly elements: readonly string[];
  readonly descriptor:
    | ({ readonly name: "snap" } & SnapOptions)
    | ({ readonly name: "ace" } & Partial<AceOptions>);
  readonly quadratic: boolean;
  /** Whether β₀ is fitted; FitSNAP leaves it 0 with bzeroflag = 1. */
  readonly bias: boolean;
  readonly uses: { readonly energy: boolean; readonly forces: boolean; readonly stress: boolean };
  /** Energy of each element that is taken away from the data, eV. */
  readonly shifts: Readonly<Record<string, number>>;
  readonly solver: Solver;
  /** Radii of the screened repulsion that is taken away from the data, or false. */
  readonly zbl: ZblOptions | false;
  /** Folder of the groups, relative to the file. */
  readonly dataPath: string;
  readonly groups: readonly Group[];
  /** Whether frames of a group are drawn at random. */
  readonly random: boolean;
  /** File names of the potential, without ending, and of the table of errors. */
  readonly potential: string;
  readonly metrics: string;
  /** What of the file has no effect here, one sentence each. */
  readonly notes: readonly string[];
}

/** How the least-squares problem is solved. */
export interface Solver {
  readonly name: "SVD" | "RIDGE" | "LASSO" | "ARD";
  /** Strength of RIDGE and LASSO. */
  readonly alpha?: number;
  readonly iterations?: number;
}

/** The input file of a fit of FitSNAP; https://fitsnap.github.io/Run/Run_input.html. Everything wrong is said at once. */
export function readFitsnapInput(text: string, file: string): FitsnapInput {
  const problems = new Problems();
  const sections = readIni(text, file, problems);
  const notes: string[] = [];
  const need = (name: string): Section => {
    const found = sections.get(name);
    if (!found) problems.add(`${file} [${name}]`, "this section", "none");
    return found ?? new Section(name, new Map(), file, problems);
  };
  const may = (name: string) => sections.get(name) ?? new Section(name, new Map(), file, problems);
  if (sections.has("ACE") && sections.has("BISPECTRUM"))
    problems.add(`${file} [ACE]`, "either [ACE] or [BISPECTRUM]", "both");
  const features = sections.has("ACE") ? fromAce(need("ACE"), notes) : bispectrumOf(need("BISPECTRUM"));
  const { elements, descriptor } = features;
  const input: FitsnapInput = {
    ...features,
    uses: usesOf(need("CALCULATOR"), CALCULATORS[descriptor.name]),
    shifts: shiftsOf(may("ESHIFT"), elements),
    solver: solverOf(need("SOLVER"), may, notes),
    zbl: referenceOf(may("REFERENCE"), elements),
    ...pathsOf(may("SCRAPER"), need("PATH"), may("OUTFILE"), STYLES[descriptor.name]),
    ...readGroups(need("GROUPS")),
    notes,
  };
  for (const name of ["EXTRAS", "MEMORY"]) {
    const section = may(name);
    const set = section.rest.filter((key) => section.text(key) !== "0");
    if (set.length > 0)
      notes.push(`[${name}] ${set.join(", ")}: no effect here; the report and result.json have more`);
  }
  for (const section of sections.values()) section.finish();
  problems.raise();
  return input;
}

const CALCULATORS = { snap: "LAMMPSSNAP", ace: "LAMMPSPACE" };
const STYLES = { snap: "SNAP", ace: "PACE" };

type Features = Pick<FitsnapInput, "elements" | "descriptor" | "quadratic" | "bias">;

function fromAce(section: Section, notes: string[]): Features {
  const { elements, ace, bias } = aceOf(section);
  notes.push("[ACE] all couplings of each product are taken, of which FitSNAP's b_basis takes some");
  return { elements, bias, quadratic: false, descriptor: { name: "ace", ...ace } };
}

function bispectrumOf(s: Section): Features {
  const elements = s.words("type");
  if (elements.length === 0 || elements.some((symbol) => findNumber(symbol) === undefined))
    s.wrong("type", "chemical symbols");
  const n = elements.length;
  if (s.number("numTypes", n) !== n) s.wrong("numTypes", `${n}, as type lists`);
  const list = (key: string, usual: number): number[] => {
    const numbers = s.numbers(key);
    if (numbers && numbers.length !== n) s.wrong(key, `${n} numbers, one for each type`);
    return numbers ?? elements.map(() => usual);
  };
  const twojmax = s.numbers("twojmax") ?? [6];
  if (new Set(twojmax).size > 1) s.wrong("twojmax", "the same number for all types");
  const [radii, weights] = [list("radelem", 0.5), list("wj", 1)];
  const inner = s.flag("switchinnerflag", false);
  const [sinner, dinner] = [list("sinner", NaN), list("dinner", NaN)];
  if (inner && [...sinner, ...dinner].some(Number.isNaN))
    s.wrong("switchinnerflag", "sinner and dinner with it");
  for (const key of ["bikflag", "dgradflag"])
    if (s.flag(key, false)) s.wrong(key, "0: a linear model; for others use fit.yaml");
  const chem = s.flag("chemflag", false);
  const bzero = s.flag("bzeroflag", false);
  const byElement = <T>(of: (e: number) => T) =>
    Object.fromEntries(elements.map((symbol, e) => [symbol, of(e)]));
  return {
    elements,
    quadratic: s.flag("quadraticflag", false),
    bias: !bzero,
    descriptor: {
      name: "snap",
      twojmax: twojmax[0],
      cutoff: s.number("rcutfac", 4.67),
      rfac0: s.number("rfac0", 0.99363),
      rmin0: s.number("rmin0", 0),
      elements: byElement((e) => ({ radius: radii[e], weight: weights[e] })),
      switching: s.flag("switchflag", true),
      ...(inner && { innerSwitching: byElement((e) => ({ sinner: sinner[e], dinner: dinner[e] })) }),
      bzero,
      bnorm: s.flag("bnormflag", false),
      chem,
      wselfall: s.flag("wselfallflag", false),
    },
  };
}

function usesOf(s: Section, calculator: string): FitsnapInput["uses"] {
  if ((s.text("calculator") ?? calculator) !== calculator) s.wrong("calculator", calculator);
  if (s.flag("nonlinear", false)) s.wrong("nonlinear", "0: a linear model; for others use fit.yaml");
  if (s.flag("per_atom_energy", false)) s.wrong("per_atom_energy", "0");
  s.flag("linear", true);
  return { energy: s.flag("energy", true), forces: s.flag("force", true), stress: s.flag("stress", true) };
}

function shiftsOf(s: Section, elements: readonly string[]): Record<string, number> {
  return Object.fromEntries(elements.map((symbol) => [symbol, s.number(symbol, 0)]));
}

const SOLVERS = ["SVD", "RIDGE", "LASSO", "ARD"] as const;

function solverOf(s: Section, may: (name: string) => Section, notes: string[]): Solver {
  const word = s.text("solver") ?? "SVD";
  const name = SOLVERS.find((known) => known === word);
  if (!name) s.wrong("solver", `one of ${SOLVERS.join(", ")}`);
  for (const key of ["compute_testerrs", "detailed_errors"]) s.flag(key, true);
  for (const key of ["multinode_testing", "true_multinode"])
    if (s.flag(key, false)) notes.push(`[SOLVER] ${key}: one machine is used`);
  const own = may(name ?? "SVD");
  if (name === "RIDGE") {
    own.flag("local_solver", true);
    return { name, alpha: own.number("alpha", 1e-8) };
  }
  if (name === "LASSO")
    return { name, alpha: own.number("alpha", 1e-8), iterations: own.number("max_iter", 2000) };
  if (name === "ARD") {
    const set = own.rest;
    for (const key of set) own.text(key);
    if (set.length > 0)
      notes.push(`[ARD] ${set.join(", ")}: no effect; the evidence of the data sets every strength`);
  }
  return { name: name ?? "SVD" };
}

/** Lines of LAMMPS, of which zero and zbl have a counterpart. */
function referenceOf(s: Section, elements: readonly string[]): ZblOptions | false {
  if ((s.text("units") ?? "metal") !== "metal") s.wrong("units", "metal");
  s.text("atom_style");
  const style = s.text("pair_style");
  if (style === undefined) return false;
  const commands = new LammpsCommands((line, expected) => s.wrong(line, expected));
  commands.pairStyle(style, "pair_style");
  for (const key of s.rest.filter((name) => /^pair_coeff\d*$/.test(name)))
    commands.pairCoeff(s.text(key)!, key);
  return commands.zbl(elements);
}

type Paths = Pick<FitsnapInput, "dataPath" | "potential" | "metrics">;

function pathsOf(scraping: Section, path: Section, out: Section, style: string): Paths {
  if ((scraping.text("scraper") ?? "JSON") !== "JSON")
    scraping.wrong("scraper", "JSON; surfit fit reads XYZ and VASP files itself, with weights from fit.yaml");
  const dataPath = path.text("dataPath");
  if (dataPath === undefined) path.wrong("dataPath", "the folder of the groups");
  if ((out.text("output_style") ?? style).toUpperCase() !== style) out.wrong("output_style", style);
  const potential = out.text("potential") ?? "fitsnap_potential";
  const metrics = out.text("metrics") ?? "fitsnap_metrics.md";
  return { dataPath: dataPath ?? "", potential, metrics };
}
