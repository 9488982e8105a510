import type { Pool } from "../device/pool.ts";
import { invalid } from "../error.ts";
import { blockSizes, Covariance, covarianceBytes } from "./kalman/covariance.ts";
import type { NormalWorkspace } from "./least-squares/normal/workspace.ts";
import type { Rows } from "./least-squares/rows.ts";
import type { WholeWorkspace } from "./whole/closed-form.ts";
import { NormalEquations, normalBytes } from "./marquardt/normal.ts";
import type { TrainingOptions } from "./options.ts";

/** What takes a matrix of parameters by parameters, reserved once for a fit. */
export type Workspace = Covariance | NormalEquations | NormalWorkspace | Rows | WholeWorkspace;

/** What an optimiser needs that works on single observations. */
export interface Observing {
  /** Observations of forces and stress of each frame. */
  counts(options: TrainingOptions): { readonly forces: number; readonly stress: number };
  /** Parameters in each block of its matrix; P parameters, whose elements start at `starts`. */
  blocks(options: TrainingOptions, P: number, starts?: readonly number[]): readonly number[];
  /** Bytes of the matrix and what goes with it, for updates of at most `most` observations. */
  bytes(blocks: readonly number[], most: number): number;
  /** The option that bounds them, and its value in MiB. */
  limit(options: TrainingOptions): readonly [option: string, MiB: number];
  create(pool: Pool, blocks: readonly number[], most: number): Promise<Workspace>;
}

/** The Kalman filter's covariance. */
export const covarianceRoom: Observing = {
  counts: ({ kalman }) => kalman,
  blocks: ({ kalman }, P, starts) => blockSizes(kalman.blocks, P, starts),
  bytes: covarianceBytes,
  limit: ({ kalman }) => ["training.kalman.memory", kalman.memory],
  create: (pool, blocks, most) => Covariance.create(pool, blocks, most),
};

/** The normal matrix of Levenberg and Marquardt. */
export const normalRoom: Observing = {
  counts: ({ marquardt }) => marquardt,
  blocks: (_options, P) => [P],
  bytes: ([P]) => normalBytes(P),
  limit: ({ marquardt }) => ["training.marquardt.memory", marquardt.memory],
  create: (pool, [P]) => NormalEquations.create(pool, P),
};

/** The blocks of a method's matrix; refuses one beyond the memory allowed, before anything is reserved. */
export function checkedBlocks(
  method: Observing,
  options: TrainingOptions,
  P: number,
  starts: readonly number[] | undefined,
  most: number,
): readonly number[] {
  const blocks = method.blocks(options, P, starts);
  const needs = Math.ceil(method.bytes(blocks, most) / 2 ** 20);
  const [option, limit] = method.limit(options);
  if (needs > limit)
    throw invalid(
      option,
      `at least ${needs} MiB for a matrix whose largest block has ${Math.max(...blocks)}² numbers, or fewer ` +
        `parameters (model.regressor.layers), or for the Kalman filter smaller blocks (training.kalman.blocks)`,
      `${limit} MiB`,
    );
  return blocks;
}
