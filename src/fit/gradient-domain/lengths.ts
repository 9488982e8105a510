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

/** Lengths of the second round, from the place of the best of the first: the best length falls as frames are added. */
const BESIDE = [-2, -1, 0, 1];

/** Numbers of equations of the two rounds for a sample of so many. */
export const roundsOf = (sample: number): readonly number[] => [Math.ceil(sample / 2), sample];

/** Floating-point operations of the search, the factors of its matrices. */
export const searchFlops = (lengths: number, sample: number): number => {
  const [first, second] = roundsOf(sample);
  return (lengths * first ** 3 + Math.min(BESIDE.length, lengths) * second ** 3) / 3;
};

/** Most bytes of the matrices of a search. */
export const searchBytes = (sample: number): number => 8 * packedNumbers(sample);

/** `count` of a list, evenly spread. */
const spread = <T>(list: readonly T[], count: number): T[] =>
  Array.from({ length: count }, (_, k) => list[Math.floor(((k + 0.5) * list.length) / count)]);

/** What the trials of a round are made with. */
interface Present {
  readonly round: number;
  readonly system: System;
  readonly cholesky: PoolCholesky;
  readonly model: GradientDomain;
}

/**
 * The length whose model of some training frames predicts the forces of others best: all lengths on half a sample, then
 * the best one and those beside it on the whole (a grid as in S. Chmiela et al., DOI 10.1016/j.cpc.2019.02.007).
 */
export class LengthSearch {
  readonly lengths: readonly number[];
  /** Mean absolute error of forces by round and length, eV/Å; NaN where it is not known yet, infinite where it is not asked for. */
  readonly errors: Float64Array;
  readonly #made: Made;
  readonly #room: number;
  readonly #judged: readonly Labelled[];
  readonly #rest: readonly Labelled[];
  #present: Present | undefined;
  #solving: ExactSolution | undefined;

  /** `room`: byte address for the matrices. */
  constructor(made: Made, lengths: readonly number[], room: number) {
    const { labelled } = made;
    this.#made = made;
    this.#room = room;
    this.lengths = lengths;
    this.errors = new Float64Array(2 * lengths.length).fill(NaN);
    const count = Math.max(1, Math.min(JUDGED, Math.floor(SHARE * labelled.length)));
    const judged = new Set(spread([...labelled.keys()], count));
    this.#judged = labelled.filter((_, k) => judged.has(k));
    this.#rest = labelled.filter((_, k) => !judged.has(k));
  }

  get finished(): boolean {
    return !this.errors.some(Number.isNaN);
  }

  /** Share of the work that is done. */
  get done(): number {
    const [first, second] = roundsOf(this.#made.options.sample).map((n) => n ** 3);
    const S = this.lengths.length;
    const known = (round: number) => this.#round(round).filter(Number.isFinite).length;
    const trials = known(0) * first + known(1) * second;
    const here = (this.#solving?.done ?? 0) * (known(0) < S ? first : second);
    return this.finished ? 1 : (trials + here) / (S * first + Math.min(BESIDE.length, S) * second);
  }

  /** The best length. */
  get best(): number {
    return this.lengths[leastOf(this.#round(1))];
  }

  #round(round: number): Float64Array {
    const S = this.lengths.length;
    return this.errors.subarray(round * S, (round + 1) * S);
  }

  /** Goes on for some tenths of a second. */
  async advance(): Promise<void> {
    const open = this.errors.findIndex(Number.isNaN);
    const round = Math.floor(open / this.lengths.length);
    const length = this.lengths[open % this.lengths.length];
    if (!this.#solving) {
      const { pool, options } = this.#made;
      if (this.#present?.round !== round) this.#present = await this.#begin(round);
      const { system, cholesky } = this.#present;
      system.setLength(length);
      this.#solving = await ExactSolution.create(system, options.ridge, pool, cholesky);
    }
    if (!(await this.#solving.advance())) return;
    this.errors[open] = this.#judge(length, this.#present!, this.#solving.solution);
    this.#solving = undefined;
    if (round === 0 && open === this.lengths.length - 1) this.#narrow();
  }

  #narrow(): void {
    const best = leastOf(this.#round(0));
    this.#round(1).forEach((_, k, row) => (row[k] = BESIDE.includes(k - best) ? row[k] : Infinity));
  }

  async #begin(round: number): Promise<Present> {
    const { pool, options, geometries, numbers, permutations } = this.#made;
    const equations = roundsOf(options.sample)[round];
    const count = Math.max(1, Math.min(this.#rest.length, Math.floor(equations / geometries.directions)));
    const some = describe(numbers, spread(this.#rest, count), pool.device);
    const system = await System.create(pool, numbers, some, permutations, { part: "all" }, this.#room);
    return {
      round,
      system,
      cholesky: await PoolCholesky.create(pool, system.rows),
      model: new GradientDomain(numbers, permutations, some.features, pool.device),
    };
  }

  #judge(length: number, { system, model }: Present, v: Float64Array): number {
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
    const tried = [0, 1].map((round) =>
      [...this.#round(round)]
        .map((e, k) => (Number.isFinite(e) ? `${this.lengths[k]}: ${(1000 * e).toFixed(1)}` : ""))
        .filter(Boolean)
        .join(", "),
    );
    return `, chosen by force errors (meV/Å) of smaller fits on ${this.#judged.length} training frames left out: ${tried.join("; then ")}`;
  }

  load(errors: Float64Array | undefined): void {
    copyInto(this.errors, errors, "errors");
  }
}

function leastOf(errors: Float64Array): number {
  let best = 0;
  for (const [k, error] of errors.entries()) if (error < errors[best]) best = k;
  return best;
}
