import type { Pool } from "../../device/pool.ts";
import { invalid } from "../../error.ts";
import type { Term, Trainable } from "../../potentials/potential.ts";
import type { Frame } from "../../structure/structure.ts";
import type { TrainingOptions } from "../options.ts";
import type { PackedFrames } from "../packed.ts";
import { makeFolds, makeLayout, rowsOf, savedBytes, tooLarge, type Layout } from "./layout.ts";
import type { LeastSquaresOptions, SettledSolver } from "./options.ts";
import { secondsOf, type Expected } from "../course.ts";
import { prepareNormal } from "./normal/prepare.ts";
import type { NormalWorkspace } from "./normal/workspace.ts";
import { Rows } from "./rows.ts";
import { settledSolver, usesTriangles } from "./solvers/table.ts";
import { measureRates, ratesBytes } from "./rates.ts";
import { stagesOf } from "./stages.ts";
import { rowWeights, type RowWeights } from "./weights.ts";

/** What a design matrix is prepared from. */
export interface RowsInput {
  readonly pool: Pool;
  readonly term: Term;
  readonly elements: readonly number[];
  readonly model: Trainable;
  readonly frames: readonly Frame[];
  /** Numbers of the training frames. */
  readonly train: readonly number[];
  readonly data: PackedFrames;
  readonly options: TrainingOptions;
  readonly seed: number;
}

/** How large the problem is and how long it takes. */
export interface RowsPlan {
  readonly rows: number;
  readonly columns: number;
  readonly folds: number;
  readonly rounds: number;
  /** Estimated from counts and from rates that were measured, s; and of each stage. */
  readonly seconds: number;
  readonly stages?: readonly Expected[];
  readonly bytes: number;
  /** Bytes beside what an option bounds: the image of a checkpoint, what rates are measured with, what a solver copies. */
  readonly beside?: number;
  /** The solver of a least-squares problem. */
  readonly solver?: SettledSolver;
}

/** Frames that are timed, and for how long at most, ms. */
const TIMED = 12;
const LONGEST = 1000;
/** Times that the first one is made before, and of how many the fastest counts. */
const WARM = 10;
const REPEATS = 2;

/** Rows ready to be made, and what that will take. */
export async function prepareRows(
  input: RowsInput,
): Promise<{ rows: Rows | NormalWorkspace; plan: RowsPlan }> {
  const { pool, model, frames, data, options, term, elements } = input;
  if (!model.design)
    throw invalid(
      "training.optimiser",
      "one that iterates (adam, lbfgs, …): this model is not linear in its parameters",
      "least-squares",
    );
  if (options.weights.huber !== null)
    throw invalid("training.weights.huber", "null, which is least squares", options.weights.huber);
  const train = input.train.filter((f) => data.weights[f] > 0);
  const own = options.leastSquares;
  const weights: (RowWeights | null)[] = frames.map(() => null);
  for (const f of train) weights[f] = rowWeights(frames[f], data.weights[f], options);
  const used = (f: number) => usedRows(f, data, weights[f]!);
  const count = train.reduce((sum, f) => sum + used(f), 0);
  const prior = model.prior?.() ?? null;
  const columns = model.parameters.length;
  const solver = settledSolver(own.solver, { rows: count, columns, prior: prior !== null });
  if (!usesTriangles(solver))
    return prepareNormal(input, { train, weights, used, perRow: makingTime(input, train) });
  const layout = layOut(input, train);
  const place = (f: number) => frames[f].place;
  const stages = expect(input, train, layout, solver, prior !== null);
  const rows = await Rows.create(pool, { term, elements, data, layout, weights, place, prior, stages });
  const plan = {
    rows: count,
    columns,
    folds: layout.folds.length,
    rounds: layout.rounds,
    seconds: secondsOf(stages),
    stages,
    bytes: layout.bytes,
    beside: savedBytes(layout) + ratesBytes(layout) + 8 * COPIES * layout.columns ** 2,
    solver,
  };
  return { rows, plan };
}

/** Matrices of parameters by parameters that a solver keeps outside the device: triangles of systems, an inverse, a root. */
const COPIES = 4;

/** Numbers of folds that "auto" falls back to where memory is short. */
const FEWER = [4, 2, 0];

/** Folds and lanes; folds that are not named are fewer where they would take more memory than there is. */
function layOut({ frames, data, model, options, pool, seed }: RowsInput, train: readonly number[]): Layout {
  const own = options.leastSquares;
  const attempt = (folds: LeastSquaresOptions["folds"]) =>
    makeLayout(
      makeFolds(frames, train, { ...own, folds }, seed),
      (f) => data.size(f),
      model.parameters.length,
      own,
      pool.threads,
    );
  const room = own.memory * 2 ** 20;
  let layout = attempt(own.folds);
  for (const folds of own.folds === "auto" ? FEWER : [])
    if (layout.bytes > room && folds < layout.folds.length) layout = attempt(folds);
  if (layout.bytes > room) throw tooLarge(layout, own);
  return layout;
}

/** Rows of a frame that have a weight. */
function usedRows(f: number, data: PackedFrames, w: RowWeights): number {
  const { energy, forces, virial } = data.labels(f);
  return (
    (energy !== null && w.energy > 0 ? 1 : 0) +
    (forces && w.forces > 0 ? forces.length : 0) +
    (virial && w.virial > 0 ? 6 : 0)
  );
}

/** Milliseconds in which one thread makes one row, told from a few frames. */
function makingTime({ model, data }: RowsInput, train: readonly number[]): number {
  const columns = model.parameters.length + 1;
  const every = Math.max(1, Math.floor(train.length / TIMED));
  const room = new Float64Array(Math.max(...train.map((f) => rowsOf(data.size(f)))) * columns);
  const began = performance.now();
  let [made, spent] = [0, 0];
  for (let k = 0; k < train.length && performance.now() - began < LONGEST; k += every) {
    const structure = data.structure(train[k]);
    // The first times, the engine compiles.
    const warm = k === 0 ? WARM : 0;
    for (let run = 0; run < warm && performance.now() - began < LONGEST; run++)
      model.design!.fill(structure, room, columns);
    let best = Infinity;
    for (let run = 0; run < REPEATS; run++) {
      const start = performance.now();
      model.design!.fill(structure, room, columns);
      best = Math.min(best, performance.now() - start);
    }
    spent += best;
    made += rowsOf(data.size(train[k]));
  }
  return spent / made;
}

/** What will be done and how long it takes: rows of a few frames are made, and the machine's rates measured. */
function expect(
  input: RowsInput,
  train: readonly number[],
  { columns, blockRows, rows, folds, lanes }: Layout,
  solver: SettledSolver,
  prior: boolean,
): Expected[] {
  const { pool, data, frames } = input;
  const chosen = new Set(train);
  const energies = frames.filter((frame) => frame.energy !== undefined).length;
  const others = [...frames.keys()].filter((f) => !chosen.has(f));
  const bidiagonal = solver === "ridge" || solver === "bayesian-ridge";
  return stagesOf(
    {
      solver,
      rows,
      others: others.reduce((sum, f) => sum + rowsOf(data.size(f)), 0),
      energies,
      parameters: columns - 1,
      folds: folds.length,
      lanes: lanes.length,
      prior,
      threads: pool.threads,
    },
    { make: makingTime(input, train) / 1000, ...measureRates(pool.device, columns, blockRows, bidiagonal) },
  );
}
