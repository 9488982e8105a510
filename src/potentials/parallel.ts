import type { Range } from "../descriptors/environments.ts";
import type { Job, Pool, Task } from "../device/pool.ts";
import type { Neighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";
import { buildPotential } from "./build.ts";
import { addContribution, CHUNK, chunksOf, demandElements, Cutter, WHOLE } from "./chunks.ts";
import { EvaluationBoard, SLOTS } from "./evaluation-board.ts";
import type { Evaluation, Model, Potential } from "./potential.ts";
import type { Sum } from "./sum.ts";

/** What every thread is sent once. */
interface Spec {
  readonly model: Model;
  /** Byte address of the board. */
  readonly board: number;
  /** What grades are by, where they are wanted. */
  readonly grade?: string;
}

/** The pool task `potential.evaluate`: one chunk of one term into its own slot. */
export const evaluateTask: Task = (thread, spec) => {
  const { model, board: address, grade } = spec as Spec;
  const potential = buildPotential(model, thread.device);
  if (grade !== undefined) potential.gradeBy(grade);
  const board = new EvaluationBoard(thread.device.memory, address);
  const cutter = new Cutter();
  return (slot) => {
    const { structure, neighbours } = board.read();
    const [first, last] = board.range;
    const begin = first + CHUNK * (board.chunk + slot);
    const part = cutter.cut(structure, neighbours, [begin, Math.min(begin + CHUNK, last)]);
    const { out, close } = board.open(slot, part);
    potential.parts[board.term].potential.evaluate(part.structure, part.neighbours, out, part.range);
    close();
  };
};

/**
 * A model evaluated by all threads of a pool. Chunks of atoms are the same whatever the number of threads, and are
 * added in the same order as a single thread does: the same bits as `buildPotential(model, device)`.
 */
export class ParallelPotential implements Potential {
  readonly cutoff: number;
  readonly elements: readonly number[] | null;
  readonly #alone: Sum;
  readonly #pool: Pool;
  readonly #job: Job;
  readonly #board: EvaluationBoard;

  private constructor(alone: Sum, pool: Pool, job: Job, board: EvaluationBoard) {
    this.cutoff = alone.cutoff;
    this.elements = alone.elements;
    this.#alone = alone;
    this.#pool = pool;
    this.#job = job;
    this.#board = board;
  }

  get dipole(): Potential["dipole"] {
    return this.#alone.dipole;
  }

  get external(): boolean {
    return this.#alone.external;
  }

  /** Makes the model ready on every thread, to grade atoms by `grade`; later changes of its tensors are not seen. */
  static async create(model: Model, pool: Pool, grade?: string): Promise<ParallelPotential> {
    const board = EvaluationBoard.reserve(pool.device.memory);
    const plain: Model = { elements: model.elements, terms: model.terms, provenance: {} };
    const job = await pool.prepare("potential.evaluate", {
      model: plain,
      board: board.address,
      ...(grade !== undefined && { grade }),
    } satisfies Spec);
    const alone = buildPotential(plain, pool.device);
    if (grade !== undefined) alone.gradeBy(grade);
    return new ParallelPotential(alone, pool, job, board);
  }

  /** Waits for the other threads; works alone where this thread may not block (a browser's main thread). */
  evaluate(structure: Structure, neighbours: Neighbours, out: Evaluation, range?: Range): void {
    const run = this.#job.runSync;
    if (!run || this.#few(structure, range)) this.#alone.evaluate(structure, neighbours, out, range);
    else for (const round of this.#rounds(structure, neighbours, out, range)) run(round);
  }

  /** The same without blocking. One call at a time. */
  async evaluateAsync(
    structure: Structure,
    neighbours: Neighbours,
    out: Evaluation,
    range?: Range,
  ): Promise<void> {
    if (this.#few(structure, range)) this.#alone.evaluate(structure, neighbours, out, range);
    else for (const round of this.#rounds(structure, neighbours, out, range)) await this.#job.run(round);
  }

  #few(structure: Structure, [first, last]: Range = [0, structure.numbers.length]): boolean {
    return this.#pool.threads === 1 || last - first <= CHUNK;
  }

  /** Yields how many chunks to run next, and adds what they gave. */
  *#rounds(
    structure: Structure,
    neighbours: Neighbours,
    out: Evaluation,
    [first, last]: Range = [0, structure.numbers.length],
  ): Generator<number> {
    const chunks = chunksOf(last - first);
    if (this.elements) demandElements(structure, this.elements);
    this.#board.write(structure, neighbours, [first, last], reachOf(structure, neighbours, first, last));
    for (const [term, { potential }] of this.#alone.parts.entries())
      // The board carries no dipole, and what knows one is quick.
      if (out.dipole && potential.dipole) potential.evaluate(structure, neighbours, out, [first, last]);
      else
        for (let chunk = 0; chunk < chunks; chunk += SLOTS) {
          const round = Math.min(SLOTS, chunks - chunk);
          this.#board.order(term, chunk, out);
          yield round;
          for (let slot = 0; slot < round; slot++) addContribution(this.#board.result(slot), out);
        }
  }
}

/** Most atoms that a chunk can reach. */
function reachOf({ numbers }: Structure, { offsets }: Neighbours, first: number, last: number): number {
  let most = 0;
  for (let a = first; a < last; a += CHUNK) {
    const b = Math.min(a + CHUNK, last);
    most = Math.max(most, b - a + offsets[b] - offsets[a]);
  }
  // Small structures are passed whole, see Cutter.
  return Math.min(numbers.length, Math.max(most, WHOLE));
}
