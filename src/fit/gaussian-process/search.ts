import { invalid } from "../../error.ts";
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

/** Standard deviations of logarithms at the beginning of a further search: from the start, and of one length from another. */
const AWAY = 1.2;
const APART = 0.3;
/** An answer that was refused, as a number that files hold. */
const REFUSED = 1e300;

/** One search after another for the largest evidence, one evaluation at a time. */
export class EvidenceSearch {
  /** Logarithms of the best values over those at the start, [H + 2]. */
  readonly best: Float64Array;
  bestValue = -REFUSED;
  readonly #process: GaussianProcess;
  readonly #unknowns: Unknowns;
  readonly #free: readonly number[];
  readonly #starts: number;
  readonly #steps: number;
  readonly #seed: number;
  #search = 0;
  #evaluations = 0;
  /** Before the iteration under way, and the answers that it has had since. */
  #state: LbfgsState | null = null;
  #answers: Answer[] = [];
  #running: Running | null = null;

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

  /** All searches have ended. */
  get finished(): boolean {
    return this.#search >= this.#starts || this.#free.length === 0;
  }

  /** One evaluation; true once all searches have ended. */
  async step(): Promise<boolean> {
    if (this.finished) return true;
    const running = (this.#running ??= this.#begin());
    if (running.asked.done) return this.#next();
    const answer = await this.#evaluate(running.asked.value);
    this.#evaluations++;
    this.#answers.push(answer);
    running.asked = running.iteration.next(answer);
    if (running.asked.done) {
      const { state } = running;
      const decreased = running.asked.value;
      [this.#state, this.#answers, this.#running] = [state, [], null];
      if (!decreased || settled(state)) return this.#next();
    }
    return this.#evaluations >= this.#steps ? this.#next() : false;
  }

  /** An iteration with the answers that it has had. */
  #begin(): Running {
    this.#state ??= lbfgsState(this.#place());
    const state = structuredClone(this.#state);
    const iteration = lbfgsIteration(state, { history: 10, maxStep: 1.5, evaluations: 12 });
    let asked = iteration.next();
    for (const answer of this.#answers) asked = iteration.next(answer);
    return { state, iteration, asked };
  }

  /** Where a search begins: the first one at the start, others around it; lengths of single features stay near each other. */
  #place(): Float64Array {
    const random = new Random(this.#seed, "evidence", this.#search);
    if (this.#search === 0) return new Float64Array(this.#free.length);
    const shared = new Map<number, number>();
    for (const { lengths } of this.#process.kernel.seen) {
      if (lengths.length === 1) continue;
      const shift = AWAY * random.normal();
      for (const h of lengths) shared.set(h, shift);
    }
    return Float64Array.from(this.#free, (k) => {
      const shift = shared.get(k);
      return shift === undefined ? AWAY * random.normal() : shift + APART * random.normal();
    });
  }

  #next(): boolean {
    this.#search++;
    this.#evaluations = 0;
    [this.#state, this.#answers, this.#running] = [null, [], null];
    return this.finished;
  }

  /** Everything that a search goes on from to the same bits. */
  save(): Record<string, Float64Array> {
    const state = this.#state;
    return {
      logs: this.best,
      search: Float64Array.of(this.#search, this.#evaluations, this.bestValue),
      answers: Float64Array.from(
        this.#answers.flatMap(({ value, gradient }) => [Math.min(value, REFUSED), ...gradient]),
      ),
      ...(state && {
        at: state.x,
        gradient: state.gradient,
        scalars: state.scalars,
        moved: Float64Array.from(state.steps.flatMap((s) => [...s])),
        changed: Float64Array.from(state.changes.flatMap((y) => [...y])),
      }),
    };
  }

  load(saved: Readonly<Record<string, Float64Array>>): void {
    const n = this.#free.length;
    if (saved.logs?.length !== this.best.length || saved.search?.length !== 3)
      throw invalid("checkpoint", `a search for ${this.best.length} hyper-parameters`, "another one");
    this.best.set(saved.logs);
    [this.#search, this.#evaluations, this.bestValue] = saved.search;
    this.#answers = rows(saved.answers, n + 1).map((row) => ({
      value: row[0] === REFUSED ? Infinity : row[0],
      gradient: row.slice(1),
    }));
    const { at: x, gradient, scalars, moved, changed } = saved;
    this.#state = x ? { x, gradient, scalars, steps: rows(moved, n), changes: rows(changed, n) } : null;
    this.#running = null;
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

interface Running {
  readonly state: LbfgsState;
  readonly iteration: ReturnType<typeof lbfgsIteration>;
  asked: IteratorResult<Float64Array, boolean>;
}

const settled = ({ gradient, scalars }: LbfgsState): boolean =>
  gradient.every((g) => Math.abs(g) < 1e-6 * (1 + Math.abs(scalars[0])));

const rows = (list: Float64Array, width: number): Float64Array[] =>
  Array.from({ length: list.length / width }, (_, k) => list.slice(k * width, (k + 1) * width));
