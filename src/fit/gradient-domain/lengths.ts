import { PoolCholesky } from "../../math/pool-cholesky.ts";
import { packedNumbers } from "../../math/triangle.ts";
import { GradientDomain } from "../../regressors/symmetric-gradient-domain/molecule.ts";
import { copyInto } from "../optimiser.ts";
import { ExactSolution } from "./exact.ts";
import { describe, type Labelled } from "./geometries.ts";
import type { Made } from "./solver.ts";
import { System } from "./system.ts";

/** Frames on which lengths are judged, at most, and their share of those that are not learned from. */
const JUDGED = 200;
const SHARE = 0.25;
/** A length may miss the forces that it learned from by this part of the error that is expected with all frames. */
const MISSED = 0.1;

/** Floating-point operations of the search, the factors of its matrices. */
export const searchFlops = (lengths: number, sample: number): number => (lengths * sample ** 3) / 3;

/** Most bytes of the matrix of a search. */
export const searchBytes = (sample: number): number => 8 * packedNumbers(sample);

/** `count` of a list, evenly spread. */
const spread = <T>(list: readonly T[], count: number): T[] =>
  Array.from({ length: count }, (_, k) => list[Math.floor(((k + 0.5) * list.length) / count)]);

const milli = (error: number): string => (1000 * error).toPrecision(3);

/** What the trials are made with. */
interface Bench {
  readonly system: System;
  readonly cholesky: PoolCholesky;
  readonly model: GradientDomain;
}

/**
 * The length whose model of some training frames predicts the forces of others best (a grid as in S. Chmiela et al.,
 * DOI 10.1016/j.cpc.2019.02.007), among those that are not too smooth for all frames. A long length works as a stronger
 * ridge: it helps where frames are few, but what it misses of the forces that it learned from stays the same however
 * many there are, while the error falls about as the root of their number.
 */
export class LengthSearch {
  readonly lengths: readonly number[];
  /**
   * Mean absolute errors of forces by length, eV/Å, of frames left out, then of those learned from; NaN where they are
   * not known yet.
   */
  readonly errors: Float64Array;
  readonly #made: Made;
  readonly #room: number;
  readonly #judged: readonly Labelled[];
  readonly #learned: readonly Labelled[];
  #bench: Bench | undefined;
  #solving: ExactSolution | undefined;

  /** `room`: byte address for the matrices. */
  constructor(made: Made, lengths: readonly number[], room: number) {
    const { labelled, geometries, options } = made;
    this.#made = made;
    this.#room = room;
    this.lengths = lengths;
    this.errors = new Float64Array(2 * lengths.length).fill(NaN);
    const count = Math.max(1, Math.min(JUDGED, Math.floor(SHARE * labelled.length)));
    const judged = new Set(spread([...labelled.keys()], count));
    this.#judged = labelled.filter((_, k) => judged.has(k));
    const rest = labelled.filter((_, k) => !judged.has(k));
    const most = Math.max(1, Math.floor(options.sample / geometries.directions));
    this.#learned = spread(rest, Math.min(rest.length, most));
  }

  get finished(): boolean {
    return !this.errors.some(Number.isNaN);
  }

  /** Share of the work that is done. */
  get done(): number {
    const known = this.#leftOut.filter((error) => !Number.isNaN(error)).length;
    return (known + (this.#solving?.done ?? 0)) / this.lengths.length;
  }

  get #leftOut(): Float64Array {
    return this.errors.subarray(0, this.lengths.length);
  }

  get #missed(): Float64Array {
    return this.errors.subarray(this.lengths.length);
  }

  /** Error that is expected with all frames. */
  get #expected(): number {
    return Math.min(...this.#leftOut) * Math.sqrt(this.#learned.length / this.#made.labelled.length);
  }

  /** The best length. */
  get best(): number {
    const most = Math.max(MISSED * this.#expected, Math.min(...this.#missed));
    let best = -1;
    for (const [k, error] of this.#leftOut.entries())
      if (this.#missed[k] <= most && (best < 0 || error < this.#leftOut[best])) best = k;
    return this.lengths[best];
  }

  /** A part of the work. */
  async advance(): Promise<void> {
    const { pool, options } = this.#made;
    const open = this.#leftOut.findIndex(Number.isNaN);
    const length = this.lengths[open];
    this.#bench ??= await this.#begin();
    const { system, cholesky } = this.#bench;
    if (!this.#solving) {
      system.setLength(length);
      this.#solving = await ExactSolution.create(system, options.ridge, pool, cholesky);
    }
    if (!(await this.#solving.advance())) return;
    const v = this.#solving.solution;
    this.#leftOut[open] = this.#judge(length, this.#bench, v);
    // What (K + λ) v = y leaves of the gradients y is λ v.
    const components = this.#learned.length * this.#learned[0].positions.length;
    this.#missed[open] = (options.ridge * v.reduce((sum, x) => sum + Math.abs(x), 0)) / components;
    this.#solving = undefined;
  }

  async #begin(): Promise<Bench> {
    const { pool, numbers, permutations } = this.#made;
    const some = describe(numbers, this.#learned, pool.device);
    const system = await System.create(pool, numbers, some, permutations, { part: "all" }, this.#room);
    return {
      system,
      cholesky: await PoolCholesky.create(pool, system.rows),
      model: new GradientDomain(numbers, permutations, some.features, pool.device),
    };
  }

  #judge(length: number, { system, model }: Bench, v: Float64Array): number {
    model.set(length, 0, system.weights(v));
    let [sum, count] = [0, 0];
    for (const { positions, forces } of this.#judged) {
      const gradient = new Float64Array(positions.length);
      model.energy(positions, gradient);
      for (let c = 0; c < gradient.length; c++, count++) sum += Math.abs(forces[c] + gradient[c]);
    }
    return sum / count;
  }

  /** What was tried, for the report. */
  get summary(): string {
    const tried = this.lengths.map(
      (length, k) => `${length}: ${milli(this.#leftOut[k])} (${milli(this.#missed[k])})`,
    );
    return (
      `, chosen by force errors (meV/Å) of fits to ${this.#learned.length} training frames on ${this.#judged.length} others ` +
      `(and on their own, at most ${milli(MISSED * this.#expected)}): ${tried.join(", ")}`
    );
  }

  load(errors: Float64Array | undefined): void {
    copyInto(this.errors, errors, "errors");
  }
}
