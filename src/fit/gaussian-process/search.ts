import { lbfgsIteration, lbfgsState, type Answer, type LbfgsState } from "../../math/minimise.ts";
import { Random } from "../../math/random.ts";
import type { GaussianProcess, Setting } from "../../regressors/gaussian-process/exact.ts";

/** What is optimised, by logarithms: hyper-parameters of the kernel, then the noise variances that are not given. */
export interface Unknowns {
  /** At the start: all hyper-parameters, both noise variances, [H + 2]. */
  readonly start: Float64Array;
  /** Which of them move. */
  readonly moves: readonly boolean[];
  /** How far each may go from the start, in its logarithm. */
  readonly down: number;
  readonly up: number;
}

/** Values at a point of the search. */
export function settingOf({ start }: Unknowns, logs: Float64Array): Setting {
  const values = start.map((v, k) => v * Math.exp(logs[k]));
  const H = start.length - 2;
  return { theta: values.slice(0, H), noise: { energies: values[H], gradients: values[H + 1] } };
}

/** One search after another for the largest evidence, one evaluation at a time. */
export class EvidenceSearch {
  /** Logarithms of the best values over those at the start, [H + 2]. */
  readonly best: Float64Array;
  bestValue = -Infinity;
  readonly #process: GaussianProcess;
  readonly #unknowns: Unknowns;
  readonly #free: readonly number[];
  readonly #starts: number;
  readonly #steps: number;
  readonly #seed: number;
  #search = 0;
  #evaluations = 0;
  #state: LbfgsState | null = null;
  #iteration: Generator<Float64Array, boolean, Answer> | null = null;

  constructor(
    gaussian: GaussianProcess,
    unknowns: Unknowns,
    { starts, steps, seed }: { starts: number; steps: number; seed: number },
  ) {
    this.#process = gaussian;
    this.#unknowns = unknowns;
    this.#free = unknowns.moves.flatMap((moves, k) => (moves ? [k] : []));
    this.#starts = starts;
    this.#steps = steps;
    this.#seed = seed;
    this.best = new Float64Array(unknowns.start.length);
  }

  /** Most evaluations. */
  get steps(): number {
    return this.#free.length === 0 ? 0 : this.#starts * this.#steps;
  }

  /** One evaluation; true once all searches have ended. */
  async step(): Promise<boolean> {
    if (this.#search >= this.#starts || this.#free.length === 0) return true;
    const asked = this.#ask();
    if (!asked) return this.#next();
    const answer = await this.#evaluate(asked);
    this.#evaluations++;
    const after = this.#iteration!.next(answer);
    if (after.done) {
      this.#iteration = null;
      if (!after.value || this.#settled()) return this.#next();
    } else this.#asked = after.value;
    return this.#evaluations >= this.#steps ? this.#next() : false;
  }

  #asked: Float64Array | null = null;

  /** The point that the search asks for. */
  #ask(): Float64Array | null {
    this.#state ??= lbfgsState(this.#begin());
    if (!this.#iteration) {
      this.#iteration = lbfgsIteration(this.#state, { history: 10, maxStep: 1.5, evaluations: 12 });
      const first = this.#iteration.next();
      if (first.done) return null;
      this.#asked = first.value;
    }
    return this.#asked;
  }

  /** Where a search begins: the first one at the start, others around it. */
  #begin(): Float64Array {
    const random = new Random(this.#seed, "evidence", this.#search);
    return Float64Array.from(this.#free, () => (this.#search === 0 ? 0 : 1.2 * random.normal()));
  }

  #next(): boolean {
    this.#search++;
    this.#evaluations = 0;
    this.#state = this.#iteration = this.#asked = null;
    return this.#search >= this.#starts;
  }

  #settled(): boolean {
    const { gradient, scalars } = this.#state!;
    return gradient.every((g) => Math.abs(g) < 1e-6 * (1 + Math.abs(scalars[0])));
  }

  async #evaluate(free: Float64Array): Promise<Answer> {
    const { down, up, start } = this.#unknowns;
    const logs = new Float64Array(start.length);
    this.#free.forEach((k, i) => (logs[k] = free[i]));
    const refused = { value: Infinity, gradient: new Float64Array(free.length) };
    if (logs.some((l) => l < -down || l > up)) return refused;
    const setting = settingOf(this.#unknowns, logs);
    const evidence = await this.#process.solve(setting);
    if (!evidence || !Number.isFinite(evidence.logLikelihood)) return refused;
    if (evidence.logLikelihood > this.bestValue) {
      this.bestValue = evidence.logLikelihood;
      this.best.set(logs);
    }
    const slopes = await this.#process.slopes(evidence, setting);
    return { value: -evidence.logLikelihood, gradient: Float64Array.from(this.#free, (k) => -slopes[k]) };
  }
}
