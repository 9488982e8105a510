import { unzipSync } from "fflate";
import { invalid } from "../../error.ts";
import { symmetricGradientDomain } from "../../potentials/symmetric-gradient-domain.ts";
import type { Model } from "../../potentials/potential.ts";
import { unit } from "../../structure/units.ts";
import { parseNpy, type NpyArray } from "../npy.ts";

/** Arrays of a model that say what it predicts; the rest is about its making. */
const NEEDED = ["z", "perms", "R_desc", "R_d_desc_alpha", "sig", "c", "std"] as const;
const OPTIONAL = ["e_unit", "r_unit", "lattice"] as const;

type Arrays = Readonly<Record<string, NpyArray | undefined>>;

/** Energy in eV and length in Å of one unit of the file. */
export interface SgdmlUnits {
  readonly energy: number;
  readonly length: number;
}

/** The model in an .npz file of sGDML, whose units the file states or `units` does. */
export function readSgdml(bytes: Uint8Array, file: string, units?: SgdmlUnits): Model {
  const arrays = arraysOf(bytes, file);
  if (arrays.lattice) throw invalid(`${file} lattice`, "a molecule without periodic images", "a cell");
  const { energy, length } = units ?? statedUnits(arrays, file);
  const numbers = Uint8Array.from(numbersOf(arrays.z!, `${file} z`));
  const n = numbers.length;
  const D = (n * (n - 1)) / 2;
  const [described, M] = arrays.R_desc!.shape;
  if (arrays.R_desc!.shape.length !== 2 || described !== D)
    throw invalid(`${file} R_desc`, `the shape [${D}, geometries]`, `[${arrays.R_desc!.shape.join(", ")}]`);
  if (arrays.R_d_desc_alpha!.shape.join() !== [M, D].join())
    throw invalid(
      `${file} R_d_desc_alpha`,
      `the shape [${M}, ${D}]`,
      `[${arrays.R_d_desc_alpha!.shape.join(", ")}]`,
    );
  const [x, alpha] = [arrays.R_desc!, arrays.R_d_desc_alpha!].map((a, k) =>
    numbersOf(a, `${file} ${NEEDED[3 + k]}`),
  );
  const [sigma] = numbersOf(arrays.sig!, `${file} sig`);
  const [constant] = numbersOf(arrays.c!, `${file} c`);
  const [deviation] = numbersOf(arrays.std!, `${file} std`);
  const features = new Float64Array(M * D);
  const weights = new Float64Array(M * D);
  for (const [t, row] of ourOrder(n).entries())
    for (let j = 0; j < M; j++) {
      features[j * D + t] = x[row * M + j] / length;
      weights[j * D + t] = (deviation * alpha[j * D + row] * energy) / length;
    }
  const options = symmetricGradientDomain.options.parse({
    atoms: [...numbers],
    permutations: rowsOf(arrays.perms!, n, `${file} perms`),
  });
  const tensors = {
    features,
    weights,
    length: Float64Array.of(sigma / length),
    constant: Float64Array.of(constant * energy),
  };
  return {
    elements: [...new Set(numbers)].sort((a, b) => a - b),
    terms: [{ type: symmetricGradientDomain.name, options, tensors }],
    provenance: { from: "sgdml" },
  };
}

function arraysOf(bytes: Uint8Array, file: string): Arrays {
  const wanted = [...NEEDED, ...OPTIONAL].map((name) => `${name}.npy`);
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(bytes, { filter: ({ name }) => wanted.includes(name) });
  } catch (error) {
    throw invalid(file, "a whole .npz archive", `damaged data (${(error as Error).message})`);
  }
  const arrays: Arrays = Object.fromEntries(
    Object.entries(entries).map(([name, data]) => [name.slice(0, -4), parseNpy(data, `${file} ${name}`)]),
  );
  const missing = NEEDED.filter((name) => !arrays[name]);
  if (missing.length > 0)
    throw invalid(file, `a model of sGDML, with ${NEEDED.join(", ")}`, `none of ${missing.join(", ")}`);
  return arrays;
}

function statedUnits({ e_unit: energy, r_unit: length }: Arrays, file: string): SgdmlUnits {
  const [e, r] = [energy, length].map((a) => a?.values[0]);
  if (typeof e !== "string" || typeof r !== "string" || e === "n/a" || r === "n/a")
    throw invalid("--units", `units of ${file}, such as kcal/mol,Å: it does not state them`, "none");
  return { energy: unit("energy", e, `${file} e_unit`), length: unit("length", r, `${file} r_unit`) };
}

function numbersOf({ values }: NpyArray, place: string): Float64Array {
  if (values instanceof Float64Array) return values;
  throw invalid(place, "numbers", values[0]);
}

function rowsOf(array: NpyArray, n: number, place: string): number[][] {
  const values = numbersOf(array, place);
  if (values.length === 0 || values.length % n !== 0)
    throw invalid(place, `rows of ${n} numbers`, `${values.length} numbers`);
  return Array.from({ length: values.length / n }, (_, p) => [...values.subarray(p * n, (p + 1) * n)]);
}

/** Number of each of our pairs i < j, j varying fastest, among those with the larger number first, row by row. */
const ourOrder = (n: number): number[] =>
  Array.from({ length: n }, (_, i) =>
    Array.from({ length: n - 1 - i }, (_, k) => {
      const j = i + 1 + k;
      return (j * (j - 1)) / 2 + i;
    }),
  ).flat();
