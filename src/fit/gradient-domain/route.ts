import { invalid } from "../../error.ts";
import { packedNumbers } from "../../math/triangle.ts";
import type { Geometries } from "./geometries.ts";
import type { GradientDomainOptions } from "./options.ts";
import { systemBytes, type Held } from "./system.ts";

/** How the equations are solved, and what that takes. */
export interface Route {
  readonly exact: boolean;
  readonly held: Held;
  /** With the factor once more in a checkpoint. */
  readonly bytes: number;
  /** Floating-point operations; of the iterative route before the first iteration, and of one. */
  readonly flops: number;
  readonly perIteration: number;
}

/** Iterations that a time is estimated for before the first. */
export const USUAL_ITERATIONS = 200;

/** What is done one after another. */
export const STAGE = {
  length: "choosing the length",
  factor: "factorising",
  preconditioner: "making the preconditioner",
  iterations: "iterating",
} as const;

const MIB = 2 ** 20;
/** Equations of the preconditioner that more of would not pay: their factor takes as long as hundreds of iterations. */
const MOST_INDUCING = 5000;

/** Evenly spread numbers. */
const spread = (count: number, of: number): Int32Array =>
  Int32Array.from({ length: count }, (_, k) => Math.floor((k * of) / count));

/** Floating-point operations that there will be. */
export const expectedFlops = ({ exact, flops, perIteration }: Route): number =>
  flops + (exact ? 0 : USUAL_ITERATIONS * perIteration);

/** The stages with their floating-point operations, those of the search for a length included. */
export const stagesOf = (
  { exact, flops, perIteration }: Route,
  search: number,
): { readonly name: string; readonly flops: number }[] => [
  { name: STAGE.length, flops: search },
  ...(exact
    ? [{ name: STAGE.factor, flops }]
    : [
        { name: STAGE.preconditioner, flops },
        { name: STAGE.iterations, flops: USUAL_ITERATIONS * perIteration },
      ]),
];

/** The exact route where it fits or is asked for, else the iterative one with as large a preconditioner as fits. */
export function chooseRoute(
  geometries: Geometries,
  permutations: number,
  given: GradientDomainOptions,
  threads: number,
): Route {
  const { count: M, size: D, directions: m } = geometries;
  const n = M * m;
  const most = given.memory * MIB;
  const all: Held = { part: "all" };
  const bytes = systemBytes(geometries, permutations, all, threads);
  // Products of a pair of geometries: see Blocks.
  const pair = 2 * D * m * (m + 3 * permutations);
  const flops = n ** 3 / 3 + ((M * (M + 1)) / 2) * pair;
  if (given.solver !== "iterative" && bytes <= most)
    return { exact: true, held: all, bytes: bytes + 8 * packedNumbers(n), flops, perIteration: 0 };
  if (given.solver === "exact")
    throw invalid(
      "model.regressor.memory",
      `at least ${Math.ceil(bytes / MIB)} MiB for ${n} equations, or solver iterative, or fewer training frames`,
      `${given.memory} MiB`,
    );
  return iterative(geometries, permutations, given, threads, pair);
}

function iterative(
  geometries: Geometries,
  P: number,
  given: GradientDomainOptions,
  threads: number,
  pair: number,
): Route {
  const { count: M, size: D, directions: m } = geometries;
  const n = M * m;
  const heldBy = (frames: number): Held => ({
    part: "columns",
    inducing: spread(frames, M),
    perInducing: m,
    lambda: given.ridge,
  });
  const bytesOf = (frames: number) => systemBytes(geometries, P, heldBy(frames), threads);
  let frames =
    given.inducing === "auto" ? Math.ceil(Math.min(MOST_INDUCING / m, M / 4)) : Math.min(given.inducing, M);
  if (given.inducing === "auto") while (frames > 1 && bytesOf(frames) > given.memory * MIB) frames--;
  const bytes = bytesOf(frames);
  if (bytes > given.memory * MIB)
    throw invalid(
      "model.regressor.memory",
      `at least ${Math.ceil(bytes / MIB)} MiB for a preconditioner of ${frames} frames`,
      `${given.memory} MiB`,
    );
  const k = frames * m;
  return {
    exact: false,
    held: heldBy(frames),
    bytes,
    flops: frames * M * pair + 2 * n * k * k + (2 * k ** 3) / 3 + M * pair,
    perIteration: 8 * M * M * P * D + 4 * n * k,
  };
}
