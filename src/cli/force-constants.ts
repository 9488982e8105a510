import { Option } from "commander";
import type { Command } from "commander";
import { defaultThreads } from "../device/pool.ts";
import { invalid } from "../error.ts";
import { startPool } from "../node.ts";
import { programOf } from "../outside/programs.node.ts";
import type { Potential } from "../potentials/potential.ts";
import { displacementsBy } from "../run/displacements.ts";
import type { Source } from "../run/displacements.ts";
import { exactHessian, response, responseBy, skinOf } from "../run/hessian.ts";
import type { HessianOptions, Response } from "../run/hessian.ts";
import type { Structure } from "../structure/structure.ts";
import { atLeastOne } from "./command.ts";
import type { Engine } from "./engine.ts";

/** What `withThreads` asks for. */
export interface ThreadsFlag {
  readonly threads?: number;
}

/** Where force constants come from. */
export type HessianSource = "auto" | "exact" | "differences";

/** What `withHessian` asks for. */
export interface HessianFlag {
  readonly hessian: HessianSource;
}

/** Adds --hessian to a command that needs force constants. */
export const withHessian = (command: Command, otherwise: HessianSource = "auto"): Command =>
  command.addOption(
    new Option(
      "--hessian <how>",
      "force constants: exact (second derivatives of the model's formulas), differences (of forces), auto (exact where the model has them)",
    )
      .choices(["auto", "exact", "differences"] satisfies HessianSource[])
      .default(otherwise),
  );

/** Force constants from formulas as the flag asks; null where differences are to be taken. */
export function exactly(
  modelFile: string,
  potential: Potential,
  structure: Structure,
  { hessian }: HessianFlag,
): Float64Array | null {
  const found = hessian === "differences" ? null : exactHessian(structure, potential);
  if (found || hessian !== "exact") return found;
  throw invalid("--hessian", "differences, or a model whose formulas have second derivatives", modelFile);
}

/** Adds --threads to a command that displaces atoms. */
export const withThreads = (command: Command): Command =>
  command.option("--threads <n>", "displaced structures at once (default: all cores)", atLeastOne);

/** Evaluations below which threads of a model cost more to start than they save, in atoms times evaluations. */
const WORTH = 20_000;

/** Force constants of an engine by all threads, or as many processes of an outside program; the same bits on any number. */
export async function forceConstants(
  modelFile: string,
  { potential, model, program }: Engine,
  structure: Structure,
  { threads = defaultThreads() }: ThreadsFlag,
  options: HessianOptions,
): Promise<Response> {
  const source = sourceOf(modelFile, model, program);
  const n = structure.numbers.length;
  const work = n * 6 * (options.atoms?.length ?? n);
  if (threads === 1 || !source || (!program && work < WORTH)) return response(structure, potential, options);
  const pool = await startPool({ threads });
  try {
    const displacements = await displacementsBy(pool, source, structure, skinOf(options));
    return await responseBy(structure, displacements, options);
  } finally {
    pool.close();
  }
}

/** Where threads get the potential from; null where there is only one, as the client behind a socket. */
export function sourceOf(
  place: string,
  { terms, elements }: Engine["model"],
  program: boolean,
): Source | null {
  if (!program) return { model: { terms, elements, provenance: {} } };
  return programOf(place) === "socket" || terms.length > 0 ? null : { program: place };
}
