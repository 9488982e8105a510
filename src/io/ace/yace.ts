import { invalid, InputError, type Problem } from "../../error.ts";
import { readYaml } from "../../schema.ts";
import { array, int, looseObject, number, record, strictObject, string, unknown } from "../../zod.ts";
import type { AceBond, AceFile, AceFunction } from "./file.ts";

const numbers = array(number());
const integers = array(int());

const bond = strictObject({
  nradmax: int().min(0),
  lmax: int().min(0),
  nradbasemax: int().min(1),
  radbasename: string(),
  radparameters: numbers.min(1),
  radcoefficients: array(array(numbers)),
  prehc: number(),
  lambdahc: number(),
  rcut: number().positive(),
  dcut: number(),
  rcut_in: number().default(0),
  dcut_in: number().default(0),
  inner_cutoff_type: string().default("density"),
});

const embedding = strictObject({
  ndensity: int().min(1),
  FS_parameters: numbers,
  npoti: string(),
  rho_core_cutoff: number(),
  drho_core_cutoff: number(),
});

const basisFunction = strictObject({
  mu0: int().min(0),
  rank: int().min(1),
  ndensity: int().min(1),
  num_ms_combs: int().min(1),
  mus: integers,
  ns: integers,
  ls: integers,
  ms_combs: integers,
  ctildes: numbers,
});

const yace = strictObject({
  elements: array(string()).min(1),
  E0: numbers,
  deltaSplineBins: number().optional(),
  metadata: looseObject({}).optional(),
  auxdata: unknown().optional(),
  embeddings: record(string(), embedding),
  bonds: record(string(), bond),
  functions: record(string(), array(basisFunction)),
});

type YaceFunction = ReturnType<typeof basisFunction.parse>;

/** Keys such as [0, 1], which a plain object cannot have, as texts. */
const plainKeys = (text: string): string =>
  text.replaceAll(/^(\s*)\[\s*(\d+)\s*,\s*(\d+)\s*\](\s*):/gm, '$1"$2 $3"$4:');

/** Rows of `width` numbers; a list that is not a whole number of rows is a problem. */
function rows(values: readonly number[], count: number, width: number): readonly number[][] | null {
  if (values.length !== count * width) return null;
  return Array.from({ length: count }, (_, k) => values.slice(k * width, (k + 1) * width));
}

function toFunction(f: YaceFunction, place: string, e: number, D: number): AceFunction | Problem {
  const ms = rows(f.ms_combs, f.num_ms_combs, f.rank);
  const c = rows(f.ctildes, f.num_ms_combs, f.ndensity);
  const problem = (key: string, expected: string, found: number): Problem => ({
    place: `${place}.${key}`,
    expected,
    found: String(found),
  });
  if (f.mu0 !== e) return problem("mu0", `${e}, its element`, f.mu0);
  if (f.ndensity !== D) return problem("ndensity", `${D}, as its element's embedding has`, f.ndensity);
  for (const key of ["mus", "ns", "ls"] as const)
    if (f[key].length !== f.rank) return problem(key, `${f.rank} numbers`, f[key].length);
  if (!ms) return problem("ms_combs", `${f.num_ms_combs * f.rank} numbers`, f.ms_combs.length);
  if (!c) return problem("ctildes", `${f.num_ms_combs * f.ndensity} numbers`, f.ctildes.length);
  return { mus: f.mus, ns: f.ns, ls: f.ls, ms, c, place };
}

function toBond(b: ReturnType<typeof bond.parse>): AceBond {
  return {
    nradmax: b.nradmax,
    lmax: b.lmax,
    base: b.nradbasemax,
    radial: b.radbasename,
    lambda: b.radparameters[0],
    coefficients: b.radcoefficients,
    prehc: b.prehc,
    lambdahc: b.lambdahc,
    cutoff: b.rcut,
    dcut: b.dcut,
    innerCutoff: b.rcut_in,
    innerWidth: b.dcut_in,
    innerType: b.inner_cutoff_type,
  };
}

/** The entry of a map that must have it. */
function entry<T>(map: Readonly<Record<string, T>>, key: string, place: string): T {
  const found = map[key];
  if (found === undefined) throw invalid(place, `an entry ${key}`, Object.keys(map).join("; ") || "none");
  return found;
}

/** Reads a potential in pacemaker's C-tilde format, YAML. */
export function parseYace(text: string, file: string): AceFile {
  const data = readYaml(yace, plainKeys(text), file);
  const indices = [...data.elements.keys()];
  if (data.E0.length !== indices.length)
    throw invalid(`${file} E0`, `${indices.length} numbers`, data.E0.length);
  const embeddings = indices.map((e) => {
    const found = entry(data.embeddings, `${e}`, `${file} embeddings`);
    if (found.FS_parameters.length === 2 * found.ndensity) return found;
    const place = `${file} embeddings.${e}.FS_parameters`;
    throw invalid(place, `${2 * found.ndensity} numbers`, found.FS_parameters.length);
  });
  const problems: Problem[] = [];
  const functions = indices.map((e) =>
    (data.functions[`${e}`] ?? []).flatMap((f, k) => {
      const made = toFunction(f, `${file} functions.${e}[${k}]`, e, embeddings[e].ndensity);
      if ("c" in made) return [made];
      problems.push(made);
      return [];
    }),
  );
  if (problems.length > 0) throw new InputError(problems);
  return {
    elements: data.elements,
    E0: data.E0,
    embeddings: embeddings.map((e) => ({
      type: e.npoti,
      parameters: e.FS_parameters,
      coreCutoff: e.rho_core_cutoff,
      coreWidth: e.drho_core_cutoff,
    })),
    bonds: indices.map((i) => indices.map((j) => toBond(entry(data.bonds, `${i} ${j}`, `${file} bonds`)))),
    functions,
  };
}

const flow = (values: readonly unknown[]): string => `[${values.join(", ")}]`;

function bondLine(b: AceBond): string {
  const coefficients = flow(b.coefficients.map((n) => flow(n.map(flow))));
  const parts = {
    nradmax: b.nradmax,
    lmax: b.lmax,
    nradbasemax: b.base,
    radbasename: b.radial,
    radparameters: flow([b.lambda]),
    radcoefficients: coefficients,
    prehc: b.prehc,
    lambdahc: b.lambdahc,
    rcut: b.cutoff,
    dcut: b.dcut,
    rcut_in: b.innerCutoff,
    dcut_in: b.innerWidth,
    inner_cutoff_type: b.innerType,
  };
  return mapping(parts);
}

const mapping = (parts: Readonly<Record<string, string | number>>): string =>
  `{${Object.entries(parts)
    .map(([key, value]) => `${key}: ${value}`)
    .join(", ")}}`;

const functionLine = (f: AceFunction, e: number): string =>
  mapping({
    mu0: e,
    rank: f.mus.length,
    ndensity: f.c[0].length,
    num_ms_combs: f.ms.length,
    mus: flow(f.mus),
    ns: flow(f.ns),
    ls: flow(f.ls),
    ms_combs: flow(f.ms.flat()),
    ctildes: flow(f.c.flat()),
  });

/** Width of the bins in which evaluators tabulate the radial functions, Å: pacemaker's own choice. */
const BINS = 0.001;

/** The text of a potential in pacemaker's C-tilde format. */
export function formatYace(file: AceFile, bins = BINS): string {
  const lines = [
    `elements: ${flow(file.elements)}`,
    `E0: ${flow(file.E0)}`,
    `deltaSplineBins: ${bins}`,
    "embeddings:",
    ...file.embeddings.map(
      (e, k) =>
        `  ${k}: ${mapping({
          ndensity: e.parameters.length / 2,
          FS_parameters: flow(e.parameters),
          npoti: e.type,
          rho_core_cutoff: e.coreCutoff,
          drho_core_cutoff: e.coreWidth,
        })}`,
    ),
    "bonds:",
    ...file.bonds.flatMap((row, i) => row.map((bond, j) => `  [${i}, ${j}]: ${bondLine(bond)}`)),
    "functions:",
    ...file.functions.flatMap((list, e) => [
      list.length > 0 ? `  ${e}:` : `  ${e}: []`,
      ...list.map((f) => `    - ${functionLine(f, e)}`),
    ]),
  ];
  return `${lines.join("\n")}\n`;
}
