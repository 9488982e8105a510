import type { Pool } from "../../device/pool.ts";
import { packedNumbers } from "../../math/triangle.ts";
import { NumericalError } from "../../error.ts";
import type { GaussianProcessPotential } from "../../potentials/gaussian-process.ts";
import type { Term } from "../../potentials/potential.ts";
import { GaussianProcess, type Noise } from "../../regressors/gaussian-process/exact.ts";
import type { PackedFrames } from "../packed.ts";
import type { WholeOutcome } from "../whole/outcome.ts";
import type { WholeSolver } from "../whole/method.ts";
import { judgeDeviations } from "./deviations.ts";
import type { ProcessOptions } from "./options.ts";
import { EvidenceSearch, settingOf, type Unknowns } from "./search.ts";
import { labelSquares, startOf } from "./start.ts";

/** Standard deviations of noise at the start over those of the labels, where they are left open. */
const NOISE = 1e-2;
/** How far logarithms may go from the start. */
const DOWN = Math.log(1e6);
const UP = Math.log(1e5);
/** Variance that is added to the diagonal, over that of the labels, where K is not positive definite; and how often. */
const JITTER = 1e-10;
const TRIES = 7;

/** A solution under way. */
interface Solution {
  tries: number;
  /** Parts done, of how many. */
  parts: number;
  readonly of: number;
  panels: AsyncGenerator<number, boolean> | null;
}

/** Finds hyper-parameters on some observations, then solves for all. */
export class ProcessSolver implements WholeSolver {
  readonly parameters: Float64Array;
  readonly #pool: Pool;
  readonly #options: ProcessOptions;
  readonly #term: Term;
  readonly #model: GaussianProcessPotential;
  readonly #data: PackedFrames;
  readonly #labels: Float64Array;
  readonly #unknowns: Unknowns;
  readonly #search: EvidenceSearch;
  readonly #whole: GaussianProcess;
  readonly #sampled: number;
  readonly #parts: number;
  /** Steps done, and the solution under way. */
  #taken = 0;
  #solution: Solution | null = null;
  #logLikelihood: number | null = null;
  #jitter = 0;
  #finished = false;

  constructor(made: {
    pool: Pool;
    options: ProcessOptions;
    term: Term;
    model: GaussianProcessPotential;
    data: PackedFrames;
    labels: Float64Array;
    whole: GaussianProcess;
    sample: GaussianProcess;
    seed: number;
  }) {
    const { options, whole, sample, labels, seed } = made;
    this.#pool = made.pool;
    this.#options = options;
    this.#term = made.term;
    this.#model = made.model;
    this.#data = made.data;
    this.#labels = labels;
    this.#whole = whole;
    this.#sampled = sample.size;
    this.#parts = Math.ceil(whole.size ** 3 / 3 / PART);
    this.#unknowns = unknownsOf(options, whole, labels);
    this.#search = new EvidenceSearch(sample, this.#unknowns, { ...options, seed });
    this.parameters = new Float64Array(whole.kernel.hyperparameters.length + labels.length);
  }

  get steps(): number {
    return (this.#options.optimise ? this.#search.steps : 0) + this.#parts;
  }

  /** −ln p(y) per observation. */
  get #loss(): number {
    return -(this.#logLikelihood ?? 0) / this.#labels.length;
  }

  /** An evaluation of the search, or a part of the solution. */
  async step(): Promise<{ finished: boolean; loss: number }> {
    this.#taken++;
    if (this.#options.optimise && !this.#search.finished) {
      await this.#search.step();
      return { finished: false, loss: 0 };
    }
    this.#solution ??= { tries: 0, parts: 0, of: this.steps - this.#taken + 1, panels: null };
    const { parts, of } = this.#solution;
    await this.#advance(this.#solution, this.#taken >= this.steps ? Infinity : (parts + 1) / of);
    this.#solution.parts++;
    return { finished: this.#finished, loss: this.#finished ? this.#loss : 0 };
  }

  /** Factorises up to a share of the whole, with a little noise more each time the matrix asks for it. */
  async #advance(solution: Solution, share: number): Promise<void> {
    const { theta, noise } = settingOf(this.#unknowns, this.#search.best);
    while (!this.#finished) {
      // each panel needs the one before, each try the one before
      if (!solution.panels) {
        await this.#whole.covariance({ theta, noise: this.#more(noise, solution.tries) });
        solution.panels = this.#whole.factorise();
      }
      const next = await solution.panels.next();
      if (next.done) this.#conclude(solution, next.value, theta);
      else if (next.value >= share) return;
    }
  }

  /** The noise, and what is added to it at the k-th try. */
  #more({ energies, gradients }: Noise, k: number): Noise {
    const squares = labelSquares(this.#labels, this.#whole.points.energies.length);
    this.#jitter = k === 0 ? 0 : JITTER * 10 ** (k - 1);
    return {
      energies: energies + this.#jitter * (squares.energies || squares.gradients),
      gradients: gradients + this.#jitter * (squares.gradients || squares.energies),
    };
  }

  #conclude(solution: Solution, good: boolean, theta: Float64Array): void {
    const evidence = good ? this.#whole.evidence() : null;
    solution.panels = null;
    if (evidence && Number.isFinite(evidence.logLikelihood)) {
      this.#logLikelihood = evidence.logLikelihood;
      this.parameters.set(theta);
      this.parameters.set(evidence.weights, theta.length);
      this.#finished = true;
    } else if (++solution.tries >= TRIES)
      throw new NumericalError(
        "the covariance of the observations is not positive definite: give more noise (model.regressor.noise)",
      );
  }

  save(): Record<string, Float64Array> {
    return { ...this.#search.save(), taken: Float64Array.of(this.#taken) };
  }

  /** The search goes on where it was; a factorisation begins anew. */
  load(saved: Readonly<Record<string, Float64Array>>): void {
    this.#search.load(saved);
    this.#taken = saved["taken"][0];
  }

  async conclude(
    validation: readonly number[],
    test: readonly number[],
  ): Promise<{ term: Term; outcome: WholeOutcome }> {
    // A fit that is gone on with after its last step.
    if (!this.#finished) await this.step();
    const n = this.#labels.length;
    const { memory } = this.#pool.device;
    const factor = keepsFactor(this.#options, n)
      ? memory.f64(this.#whole.matrix.address, packedNumbers(n)).slice()
      : null;
    const H = this.#whole.kernel.hyperparameters.length;
    const solved: Term = {
      ...this.#term,
      tensors: {
        ...this.#term.tensors,
        hyperparameters: this.parameters.slice(0, H),
        weights: this.parameters.slice(H),
        ...(factor && { factor }),
      },
    };
    const judged = factor
      ? await judgeDeviations(
          {
            pool: this.#pool,
            model: this.#model,
            gaussian: this.#whole,
            theta: this.parameters.slice(0, H),
            data: this.#data,
          },
          validation,
          test,
        )
      : null;
    const scale = {
      energy: judged?.calibration.energies.scale ?? 1,
      forces: judged?.calibration.forces.scale ?? 1,
    };
    const term = { ...solved, options: { ...(solved.options as object), scale } };
    return { term, outcome: this.#outcome(judged) };
  }

  /** Lengths of single features by what the features are. */
  #named(name: string): string {
    const { labels } = this.#model.descriptor;
    return name.replace(/length\.(\d+)$/, (_, d: string) => `length of ${labels[Number(d)]}`);
  }

  #outcome(judged: Awaited<ReturnType<typeof judgeDeviations>> | null): WholeOutcome {
    const { theta, noise } = settingOf(this.#unknowns, this.#search.best);
    const { energies, gradients, coordinates } = this.#whole.points;
    const hyperparameters = Object.fromEntries([
      ...this.#whole.kernel.hyperparameters.map(({ name }, h) => [this.#named(name), theta[h]]),
      ["noise of energies (eV)", Math.sqrt(noise.energies)],
      ["noise of forces (eV/Å)", Math.sqrt(noise.gradients)],
    ]) as Record<string, number>;
    const told = this.#options.optimise ? `, hyper-parameters told from ${this.#sampled}` : "";
    const lines = [
      `${this.#labels.length} observations: ${energies.length} energies, ${gradients.length} × ${coordinates} components of forces${told}`,
      `log marginal likelihood ${this.#logLikelihood?.toFixed(3) ?? "–"}`,
      ...(this.#jitter > 0
        ? [`noise of ${this.#jitter} of the variance of the labels was added: K was not positive definite`]
        : []),
      ...(judged ? [] : ["no standard deviations: model.regressor.uncertainty asks for them"]),
    ];
    return {
      lines,
      hyperparameters,
      logLikelihood: this.#logLikelihood,
      calibration: judged?.calibration ?? null,
      shares: judged?.shares ?? [],
    };
  }
}

/** Observations up to which standard deviations are kept unasked. */
const MOST_CERTAIN = 6000;

/** Whether the model keeps the factor of the covariance of n observations. */
export const keepsFactor = ({ uncertainty }: ProcessOptions, n: number): boolean =>
  uncertainty === "auto" ? n <= MOST_CERTAIN : uncertainty;

/** Operations of one part of a solution: about half a second. */
const PART = 2e10;

const variance = (given: number | "auto", square: number) =>
  given === "auto" ? NOISE * NOISE * (square || 1) : given * given;

function unknownsOf(
  { noise, optimise }: ProcessOptions,
  gaussian: GaussianProcess,
  labels: Float64Array,
): Unknowns {
  const theta = startOf(gaussian.kernel);
  const E = gaussian.points.energies.length;
  const squares = labelSquares(labels, E);
  return {
    start: Float64Array.from([
      ...theta,
      // A single energy tells the constant that gradients leave open, and nothing of its own noise.
      E === 1 && noise.energies === "auto"
        ? JITTER * squares.energies
        : variance(noise.energies, squares.energies),
      variance(noise.forces, squares.gradients),
    ]),
    moves: [
      ...Array.from(theta, () => optimise),
      optimise && noise.energies === "auto" && E > 1,
      optimise && noise.forces === "auto" && gaussian.points.gradients.length > 0,
    ],
    down: DOWN,
    up: UP,
  };
}
