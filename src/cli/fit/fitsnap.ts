import { existsSync, readdirSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { invalid } from "../../error.ts";
import { readFitsnapInput } from "../../io/fitsnap/input.ts";
import type { FitsnapInput, Solver } from "../../io/fitsnap/input.ts";
import type { Group } from "../../io/fitsnap/groups.ts";
import { metricsTable } from "../../io/fitsnap/metrics.ts";
import type { Judged } from "../../io/fitsnap/metrics.ts";
import { fitsnapFiles } from "../../io/fitsnap/write.ts";
import { volume } from "../../structure/cell.ts";
import { unit } from "../../structure/units.ts";
import { readWhole, writeWhole } from "../files.ts";
import type { FitsnapOutputs } from "./fitsnap-record.ts";
import type { FinishedJob } from "./job.ts";
import { VOIGT } from "../../math/symmetric.ts";

/** Whether a path is an input file of FitSNAP. */
export const isFitsnapInput = (path: string): boolean => path.endsWith(".in");

/** A FitSNAP input as a configuration of ours. */
export interface FitsnapFit {
  readonly data: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly notes: readonly string[];
  readonly outputs: FitsnapOutputs;
}

/** The data of a FitSNAP input file, and what it says of the fit. */
export async function readFitsnapFit(path: string): Promise<FitsnapFit> {
  const input = readFitsnapInput(new TextDecoder().decode(await readWhole(path)), path);
  const notes = [...input.notes];
  const weights = Object.fromEntries(input.groups.map(({ name, weights: own }) => [name, used(own, input)]));
  const { potential, metrics } = input;
  return {
    data: foldersOf(input, path),
    options: {
      split: {
        method: "share",
        key: "config_type",
        validation: 0,
        test: 0,
        shuffle: input.random,
        shares: Object.fromEntries(
          input.groups.map(({ name, train, test }) => [name, { train: shareOf(train), test: shareOf(test) }]),
        ),
      },
      model: {
        descriptor: input.descriptor,
        regressor: { name: "linear", quadratic: input.quadratic, bias: input.bias },
        isolatedAtoms: input.shifts,
        zbl: input.zbl,
      },
      training: {
        optimiser: "least-squares",
        leastSquares: solverOf(input.solver, notes),
        weights: { groups: weights },
      },
    },
    notes,
    outputs: { potential, metrics, weights },
  };
}

const shareOf = (size: Group["train"]) => ("fraction" in size ? size.fraction : size);

/** Weights of what the calculator leaves out are 0. */
const used = (weights: Group["weights"], { uses }: FitsnapInput): Group["weights"] => ({
  energy: uses.energy ? weights.energy : 0,
  forces: uses.forces ? weights.forces : 0,
  stress: uses.stress ? weights.stress : 0,
});

function solverOf({ name, alpha }: Solver, notes: string[]): Record<string, unknown> {
  if (name === "SVD") return { solver: "svd" };
  if (name === "ARD") return { solver: "ard" };
  if (alpha !== undefined)
    notes.push(
      `[${name}] alpha ${alpha}: cross-validation chooses the strength, as here it counts on columns of length 1 (training.leastSquares.strength)`,
    );
  return { solver: name.toLowerCase() };
}

/** The folder of the groups where they are all it has; otherwise the folder of each. */
function foldersOf({ dataPath, groups }: FitsnapInput, path: string): string[] {
  const root = isAbsolute(dataPath) ? dataPath : join(dirname(path), dataPath);
  if (!existsSync(root)) throw invalid(`${path} [PATH] dataPath`, "a folder", root);
  const found = readdirSync(root, { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith("."))
    .map((entry) => entry.name);
  const missing = groups.find(({ name }) => !found.includes(name));
  if (missing) throw invalid(`${path} [GROUPS] ${missing.name}`, `a folder in ${root}`, "none of that name");
  return found.length === groups.length ? [root] : groups.map(({ name }) => join(root, name));
}

/** 1 eV/Å³ in bar, as FitSNAP has it. */
const BAR = 1 / unit("pressure", "LAMMPS bar");

type Pair = readonly [predicted: ArrayLike<number>, reference: ArrayLike<number>];

/** Some numbers of a prediction and its reference, made into what the table is of. */
const rows = (pair: Pair | undefined, indices: readonly number[], of: (x: number, k: number) => number) => ({
  predicted: pair ? indices.map((k) => of(pair[0][k], k)) : [],
  reference: pair ? indices.map((k) => of(pair[1][k], k)) : [],
});

/** One frame for the table: what the known terms say is taken away, as FitSNAP does. */
function judgedOf(job: FinishedJob, f: number, set: string, weights: FitsnapOutputs["weights"]): Judged {
  const { energy, forces, stress, numbers } = job.result.compare(f);
  const { said } = job.prepared;
  const known = said.parts[f];
  const { structure, configType = "" } = job.frames[f];
  const V = structure.cell ? volume(structure.cell) : 0;
  // What the calculator leaves out has no row in the table.
  const told = (of: keyof Group["weights"]) => Object.values(weights).some((own) => own[of] > 0);
  return {
    set,
    group: configType,
    weights: weights[configType],
    rows: {
      Energy: rows(energy && [[energy[0]], [energy[1]]], [0], (E) => (E - said.energies[f]) / numbers.length),
      Force: rows(forces, [...(forces?.[0].keys() ?? [])], (F, k) => F - (known?.forces[k] ?? 0)),
      Stress: rows(
        told("stress") ? stress : undefined,
        VOIGT,
        (s, k) => (s + (known ? known.virial[k] / V : 0)) * BAR,
      ),
    },
  };
}

/** Writes what FitSNAP would: the potential's two files and the table of errors. */
export async function writeFitsnapOutputs(
  job: FinishedJob,
  folder: string,
  outputs: FitsnapOutputs,
  title: string,
): Promise<void> {
  const files = fitsnapFiles(job.result.model, outputs.potential, title);
  const { split } = job.prepared;
  const sets = { Training: split.train, Testing: split.test };
  const metrics = metricsTable(
    Object.entries(sets).flatMap(([set, frames]) =>
      frames.map((f) => judgedOf(job, f, set, outputs.weights)),
    ),
  );
  const all = { ...files, [outputs.metrics]: metrics };
  for (const [name, text] of Object.entries(all)) {
    // oxlint-disable-next-line no-await-in-loop -- three small files
    await writeWhole(join(folder, name), text);
  }
}
